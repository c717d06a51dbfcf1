using System.Collections.Concurrent;
using System.Diagnostics;

namespace DroitsAmeli.Tests.Sandbox.Processes;

/// <summary>One of the product's programs as a process of its own, with what it prints; killed when it is disposed of.</summary>
internal sealed class ChildProcess : IAsyncDisposable
{
    /// <summary>How long a program may take to start on a busy machine.</summary>
    public static readonly TimeSpan StartLimit = TimeSpan.FromSeconds(90);

    private static readonly string[] Sections = ["FranceConnect", "RegimeSi", "Conventions", "Identities", "Cluster", "Storage", "Admin", "Api", "Sandbox", "Simulators"];

    private readonly Process process;
    private readonly ConcurrentQueue<string> output = new();
    private readonly ConcurrentQueue<string> errors = new();

    private ChildProcess(Process process) => this.process = process;

    public int Id => process.Id;

    public bool HasExited => process.HasExited;

    /// <summary>What stands on the standard output so far.</summary>
    public string Output => string.Join('\n', output);

    /// <summary>What stands on the error output so far.</summary>
    public string Errors => string.Join('\n', errors);

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    /// <summary>Starts <c>dotnet DroitsAmeli.{program}.dll</c> from the folder of the tests, with no setting but those given.</summary>
    public static ChildProcess Start(string program, IEnumerable<string> args, params (string Name, string Value)[] environment)
    {
        var start = new ProcessStartInfo("dotnet")
        {
            WorkingDirectory = Path.GetTempPath(),
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            RedirectStandardInput = true,
        };
        start.ArgumentList.Add(Path.Combine(AppContext.BaseDirectory, $"DroitsAmeli.{program}.dll"));
        foreach (var arg in args)
            start.ArgumentList.Add(arg);
        foreach (var name in start.Environment.Keys.Where(IsSetting).ToList())
            start.Environment.Remove(name);
        foreach (var (name, value) in environment)
            start.Environment[name] = value;

        var child = new ChildProcess(new Process { StartInfo = start });
        child.process.OutputDataReceived += (_, line) => Keep(child.output, line.Data);
        child.process.ErrorDataReceived += (_, line) => Keep(child.errors, line.Data);
        child.process.Start();
        child.process.StandardInput.Close();
        child.process.BeginOutputReadLine();
        child.process.BeginErrorReadLine();
        return child;
    }

    /// <summary>Waits until a line of the standard output says so.</summary>
    public async Task<string> Line(Func<string, bool> wanted)
    {
        string? found = null;
        await Eventually.Holds(
            () => (found = output.FirstOrDefault(wanted)) is not null || HasExited,
            StartLimit,
            () => $"The line did not come.\n{Output}\n{Errors}");
        if (found is null)
            await Exited(StartLimit);
        return found ?? output.FirstOrDefault(wanted) ?? throw new InvalidOperationException($"The process ended early.\n{Output}\n{Errors}");
    }

    /// <summary>Asks the process to stop, as an operator does, and gives its exit code.</summary>
    public async Task<int> Terminate(TimeSpan limit)
    {
        await Signal("TERM");
        return await Exited(limit);
    }

    /// <summary>Kills the process, as <c>kill -9</c> does.</summary>
    public Task Kill()
    {
        process.Kill();
        return Exited(StartLimit);
    }

    /// <summary>Waits for the end of the process and of all it printed; gives its exit code.</summary>
    public async Task<int> Exited(TimeSpan limit)
    {
        using var timeout = CancellationTokenSource.CreateLinkedTokenSource(Stop);
        timeout.CancelAfter(limit);
        try
        {
            await process.WaitForExitAsync(timeout.Token);
        }
        catch (OperationCanceledException) when (!Stop.IsCancellationRequested)
        {
            throw new TimeoutException($"The process still runs after {limit}.\n{Output}\n{Errors}");
        }

        return process.ExitCode;
    }

    public async ValueTask DisposeAsync()
    {
        if (!process.HasExited)
        {
            process.Kill(entireProcessTree: true);
            await process.WaitForExitAsync(CancellationToken.None);
        }

        process.Dispose();
    }

    private async Task Signal(string name)
    {
        using var kill = Process.Start("bash", ["-c", $"kill -{name} {process.Id}"]);
        await kill.WaitForExitAsync(Stop);
        Assert.Equal(0, kill.ExitCode);
    }

    private static void Keep(ConcurrentQueue<string> lines, string? line)
    {
        if (line is not null)
            lines.Enqueue(line);
    }

    private static bool IsSetting(string variable) =>
        variable.StartsWith("ASPNETCORE_", StringComparison.OrdinalIgnoreCase)
        || variable.Equals("DOTNET_ENVIRONMENT", StringComparison.OrdinalIgnoreCase)
        || variable.Equals("DOTNET_URLS", StringComparison.OrdinalIgnoreCase)
        || Sections.Any(section => variable.StartsWith(section + "__", StringComparison.OrdinalIgnoreCase));
}
