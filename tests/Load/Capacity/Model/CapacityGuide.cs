using System.Text.RegularExpressions;

namespace DroitsAmeli.Load.Capacity;

/// <summary>
/// The operator's guide to capacity: each block that begins with a command of this program holds what that command prints. So the guide's
/// figures are those of one file of measured costs, and no others.
/// </summary>
public static partial class CapacityGuide
{
    /// <summary>What stands before the arguments in a block's first line.</summary>
    public const string Command = "$ dotnet run --project tests/Load -c Release -- capacity ";

    /// <summary>The guide with every block as its command prints it now.</summary>
    /// <param name="guide">The guide.</param>
    /// <param name="print">What a command with these arguments prints.</param>
    public static string Refresh(string guide, Func<string[], string> print) => Block().Replace(
        guide, block => $"```text\n{Command}{block.Groups["args"].Value}\n{print(block.Groups["args"].Value.Split(' ', StringSplitOptions.RemoveEmptyEntries))}\n```");

    [GeneratedRegex(@"```text\n\$ dotnet run --project tests/Load -c Release -- capacity (?<args>[^\n]*)\n.*?```", RegexOptions.Singleline | RegexOptions.ExplicitCapture)]
    private static partial Regex Block();
}
