using System.Diagnostics;

namespace DroitsAmeli.Load.Processes;

/// <summary>A process of a deployment that can be killed, stopped and started again with the same settings.</summary>
public sealed class Node : IAsyncDisposable
{
    private static readonly TimeSpan Look = TimeSpan.FromMilliseconds(50);
    private static readonly TimeSpan AnswerLimit = TimeSpan.FromSeconds(2);

    private readonly string program;
    private readonly IReadOnlyList<string> args;
    private readonly IReadOnlyDictionary<string, string> environment;
    private readonly HttpClient http;
    private readonly Uri probe;
    private readonly IReadOnlyList<string> enter;
    private ProgramProcess? process;

    internal Node(
        string name, string program, string folder, IReadOnlyList<string> args, IReadOnlyDictionary<string, string> environment, HttpClient http, Uri address, string probe,
        IReadOnlyList<string> enter)
    {
        (Name, this.program, this.args, this.environment, this.http, Address, this.enter) = (name, program, args, environment, http, address, enter);
        Log = Path.Combine(folder, name + ".log");
        this.probe = new(address, probe);
    }

    public string Name { get; }

    /// <summary>Where it listens for HTTP: the front end's port, the silo's admin port, the simulator's port.</summary>
    public Uri Address { get; }

    /// <summary>The file that holds all it printed.</summary>
    public string Log { get; }

    /// <summary>The folder whose program runs from the next start on; null: that of the present build.</summary>
    public string? ProgramFolder { get; set; }

    /// <summary>The process of the last start.</summary>
    public ProgramProcess Process => process ?? throw new InvalidOperationException($"{Name} was not started.");

    public bool IsRunning => process is { HasExited: false };

    /// <summary>Starts the process; nothing is waited for.</summary>
    public async Task Launch()
    {
        if (process is not null)
            await process.DisposeAsync();
        process = ProgramProcess.Start(program, Log, args, environment, ProgramFolder, enter);
    }

    /// <summary>Waits until it says that it is ready; gives the time that took.</summary>
    /// <exception cref="InvalidOperationException">It ended, or was not ready within the limit; the message holds the end of its log.</exception>
    public async Task<TimeSpan> Ready(TimeSpan limit, CancellationToken cancellationToken)
    {
        var waited = Stopwatch.StartNew();
        while (true)
        {
            var answered = await Answers(cancellationToken);

            // Even when somebody answers: it may be another program, that has got the port before.
            if (!IsRunning)
                throw new InvalidOperationException($"{Name} ended.\n{EndOfLog()}");
            if (answered)
                return waited.Elapsed;
            if (waited.Elapsed > limit)
                throw new InvalidOperationException($"{Name} was not ready after {limit}.\n{EndOfLog()}");
            await Task.Delay(Look, TimeProvider.System, cancellationToken);
        }
    }

    /// <summary>kill -9, and the end of the process.</summary>
    public Task Kill() => process?.Kill() ?? Task.CompletedTask;

    /// <summary>SIGTERM, and the end of the process; gives its exit code.</summary>
    public Task<int> Terminate(TimeSpan limit, CancellationToken cancellationToken)
    {
        Process.Send(UnixSignal.Terminate);
        return Process.Exited(limit, cancellationToken);
    }

    /// <summary>SIGSTOP: it stands still, with all connections open.</summary>
    public void Freeze() => Process.Send(UnixSignal.Stop);

    /// <summary>SIGCONT.</summary>
    public void Thaw() => Process.Send(UnixSignal.Continue);

    /// <summary>The last lines that it printed.</summary>
    public string EndOfLog(int lines = 30) =>
        File.Exists(Log) ? $"--- {Name}\n" + string.Join('\n', File.ReadLines(Log).TakeLast(lines)) : $"--- {Name}: nothing printed";

    public async ValueTask DisposeAsync()
    {
        if (process is not null)
            await process.DisposeAsync();
    }

    private async Task<bool> Answers(CancellationToken cancellationToken)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(AnswerLimit);
        try
        {
            using var answer = await http.GetAsync(probe, limit.Token);
            return answer.IsSuccessStatusCode;
        }
        catch (Exception failure) when (failure is HttpRequestException || (failure is OperationCanceledException && !cancellationToken.IsCancellationRequested))
        {
            return false;
        }
    }
}
