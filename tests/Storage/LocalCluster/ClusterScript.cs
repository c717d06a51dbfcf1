using System.Diagnostics;
using System.Text.Json.Nodes;

namespace DroitsAmeli.Tests.Storage.LocalCluster;

/// <summary>What a command of <c>deploy/local-cluster</c> ended with.</summary>
internal sealed record CommandResult(int ExitCode, string Output, string Errors)
{
    public override string ToString() => $"exit code {ExitCode}\n{Output}\n{Errors}";
}

/// <summary><c>deploy/local-cluster</c> with a state folder of its own; whatever it has started is taken down when it is disposed of.</summary>
internal sealed class ClusterScript : IAsyncDisposable
{
    private readonly DirectoryInfo parent = Directory.CreateTempSubdirectory("droits-test-");

    /// <summary>The folder of <c>--state</c>, which is not there before a cluster is.</summary>
    public string State => Path.Combine(parent.FullName, "cluster");

    public string StateFile => Path.Combine(State, "cluster.json");

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    /// <summary>Runs a command.</summary>
    public Task<CommandResult> Run(string command, params string[] args) => Complete(Begin(command, args), Stop);

    /// <summary>Runs a command with a variable of its own.</summary>
    public Task<CommandResult> RunWith((string Name, string Value) variable, string command, params string[] args)
    {
        var start = Describe(command, args);
        start.Environment[variable.Name] = variable.Value;
        return Complete(Process.Start(start)!, Stop);
    }

    /// <summary>Runs a command that must succeed.</summary>
    /// <returns>What it printed.</returns>
    public async Task<string> Succeeds(string command, params string[] args)
    {
        var result = await Run(command, args);
        Assert.True(result.ExitCode == 0, $"{command}: {result}");
        return result.Output;
    }

    /// <summary>The answer of <c>status --json</c>.</summary>
    public async Task<JsonNode> Status() => JsonNode.Parse(await Succeeds("status", "--json"))!;

    /// <summary>Begins a command; nothing is waited for.</summary>
    public Process Begin(string command, params string[] args) => Process.Start(Describe(command, args))!;

    public async ValueTask DisposeAsync()
    {
        if (File.Exists(StateFile))
            await Complete(Begin("down"), CancellationToken.None);
        parent.Delete(recursive: true);
    }

    private ProcessStartInfo Describe(string command, string[] args)
    {
        var separator = Array.IndexOf(args, "--") is >= 0 and var index ? index : args.Length;
        string[] all = [command, .. args[..separator], "--no-build", "--state", State, .. args[separator..]];
        return new(Path.Combine(Repository.Root, "deploy", "local-cluster"), all) { RedirectStandardOutput = true, RedirectStandardError = true };
    }

    private static async Task<CommandResult> Complete(Process command, CancellationToken cancellationToken)
    {
        using var process = command;
        var output = process.StandardOutput.ReadToEndAsync(cancellationToken);
        var errors = process.StandardError.ReadToEndAsync(cancellationToken);
        await process.WaitForExitAsync(cancellationToken);
        return new(process.ExitCode, (await output).TrimEnd(), (await errors).TrimEnd());
    }
}
