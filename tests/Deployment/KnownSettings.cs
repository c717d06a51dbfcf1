using System.Text.RegularExpressions;
using DroitsAmeli.Tests.Storage;

namespace DroitsAmeli.Tests.Deployment;

/// <summary>The settings that the README's table tells.</summary>
internal static partial class KnownSettings
{
    private static readonly string[] OfTheRuntime =
    [
        "HOME", "DOTNET_EnableDiagnostics", "DOTNET_hostBuilder__reloadConfigOnChange", "ASPNETCORE_HTTP_PORTS",
        "Logging__LogLevel__Default", "Logging__LogLevel__Orleans", "Logging__LogLevel__Microsoft.Orleans",
    ];

    private static readonly HashSet<string> All =
    [
        .. File.ReadLines(Path.Combine(Repository.Root, "README.md"))
            .Where(line => line.StartsWith("| `", StringComparison.Ordinal))
            .SelectMany(line => NamesIn(line.Split('|')[1])),
    ];

    /// <summary>Fails unless an environment variable gives a setting that exists.</summary>
    public static void AssertKnown(string variable) => Assert.True(
        OfTheRuntime.Contains(variable) || All.Contains(variable.Replace("__", ":", StringComparison.Ordinal)), $"{variable} is no setting.");

    // "`Freshness:FreshMinutes`, `BehindMinutes`": what has no section has that of the one before.
    private static IEnumerable<string> NamesIn(string cell)
    {
        var section = "";
        foreach (var name in Quoted().Matches(cell).Select(match => match.Groups[1].Value))
        {
            if (name.LastIndexOf(':') is >= 0 and var end)
                section = name[..(end + 1)];
            yield return name.Contains(':', StringComparison.Ordinal) ? name : section + name;
        }
    }

    [GeneratedRegex("`([^`]+)`")]
    private static partial Regex Quoted();
}
