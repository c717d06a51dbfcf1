using System.Globalization;
using System.Text.RegularExpressions;

namespace DroitsAmeli.Tests.Sandbox.Processes;

/// <summary>
/// What <c>deploy/README.md</c> tells an operator to paste: its key files made by its own commands, its processes with its own settings.
/// Only the ports differ, and the programs are the built ones.
/// </summary>
internal sealed partial class DeployGuide : IDisposable
{
    private const string Build = "dotnet build DroitsAmeli.Orleans.sln\n";
    private static readonly int[] Documented = [8080, 8081, 8082, 8090, 11111, 30000];

    private readonly int[] ports = Loopback.FreePorts(Documented.Length);
    private readonly DirectoryInfo folder = Directory.CreateTempSubdirectory("droits-test-");
    private readonly List<string> commands;

    private DeployGuide()
    {
        var blocks = Block().Matches(File.ReadAllText(GuidePath())).Select(match => match.Groups[1].Value).ToList();
        Assert.Equal(2, blocks.Count);
        Assert.StartsWith(Build, blocks[0], StringComparison.Ordinal);

        var processes = blocks[0].IndexOf("\n\ndotnet run", StringComparison.Ordinal);
        Preparation = blocks[0][Build.Length..processes].Replace("$(mktemp -d)", folder.FullName, StringComparison.Ordinal);
        commands = [.. OwnPorts(blocks[0][processes..]).Replace("\\\n", "", StringComparison.Ordinal).Split("&\n").Where(text => text.Trim().Length > 0)];
        Assert.Equal(4, commands.Count);
        Curl = OwnPorts(blocks[1]);
    }

    /// <summary>The call of the guide.</summary>
    public string Curl { get; }

    private string Preparation { get; }

    /// <summary>Reads the guide, and makes its files.</summary>
    public static async Task<DeployGuide> Prepare()
    {
        var guide = new DeployGuide();
        await Shell.Run("set -eu\n" + guide.Preparation);
        return guide;
    }

    /// <summary>The port that stands for a documented one.</summary>
    public int Port(int documented) => ports[Array.IndexOf(Documented, documented)];

    /// <summary>Starts one of the four, with one more setting, which wins over those of the guide.</summary>
    public ChildProcess Start(string program, string role = "", string? more = null)
    {
        var project = program == "Simulators" ? $"deploy/simulators -- {role} " : $"--project {program.ToLowerInvariant()} -- ";
        var command = commands.Single(text => text.Contains(project, StringComparison.Ordinal));
        var words = command.Replace("$droits", folder.FullName, StringComparison.Ordinal).Replace("\"", "", StringComparison.Ordinal)
            .Split((char[])[' ', '\n'], StringSplitOptions.RemoveEmptyEntries);
        var variables = words.TakeWhile(word => word != "dotnet").Select(word => (word[..word.IndexOf('=')], word[(word.IndexOf('=') + 1)..]));
        var args = words.SkipWhile(word => word != "--").Skip(1);
        return ChildProcess.Start(program, more is null ? args : args.Append(more), [.. variables]);
    }

    public void Dispose() => folder.Delete(recursive: true);

    private static string GuidePath()
    {
        var root = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(root.FullName, "DroitsAmeli.Orleans.sln")))
            root = root.Parent ?? throw new InvalidOperationException("The tests run outside the repository.");
        return Path.Combine(root.FullName, "deploy", "README.md");
    }

    private string OwnPorts(string text) => Number().Replace(text, number =>
        Array.IndexOf(Documented, int.Parse(number.Value, CultureInfo.InvariantCulture)) is >= 0 and var index
            ? ports[index].ToString(CultureInfo.InvariantCulture)
            : number.Value);

    [GeneratedRegex(@"\b[0-9]{4,5}\b")]
    private static partial Regex Number();

    [GeneratedRegex("```sh\n(.*?)```", RegexOptions.Singleline)]
    private static partial Regex Block();
}
