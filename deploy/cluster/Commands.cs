using System.Globalization;
using DroitsAmeli.LocalCluster.Postgres;
using Npgsql;

namespace DroitsAmeli.LocalCluster;

/// <summary>What an operator does to a cluster.</summary>
/// <param name="folder">Where it is kept.</param>
/// <param name="output">What is told while it is done.</param>
internal sealed class Commands(StateFolder folder, TextWriter output)
{
    /// <summary>How long a process may take to be ready on a busy machine.</summary>
    private static readonly TimeSpan StartLimit = TimeSpan.FromSeconds(120);

    /// <summary>A silo has 120 s to hand over what it holds.</summary>
    private static readonly TimeSpan DrainLimit = TimeSpan.FromSeconds(150);

    private static readonly TimeSpan StopLimit = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan KillLimit = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan LockLimit = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan Look = TimeSpan.FromMilliseconds(100);

    private readonly Launcher launcher = new(folder);

    /// <summary>Starts everything and waits until all of it is ready; what was started is taken down when that fails.</summary>
    public async Task<ClusterState> Up(UpOptions options, CancellationToken cancellationToken)
    {
        if (options.HaProxy)
            _ = Launcher.FindHaProxy();
        if (options.ClusterDatabase is null && PostgresFolder.Unavailable is { } reason)
            throw new ClusterException($"{reason} Or name a database: -- --Cluster:ConnectionString='Host=…;Username=…;Password=…;Database=…'");

        folder.Create();
        using var held = await folder.Lock(TimeSpan.Zero, cancellationToken);
        if (folder.Find() is { } other)
            throw new ClusterException(Occupied(other));

        folder.CreateSubfolders();
        var state = NewState(options);
        folder.Save(state);
        try
        {
            return await Start(state, options, cancellationToken);
        }
        catch
        {
            await TakeDown(folder.Load());
            throw;
        }
    }

    /// <summary>Starts one more silo, of the version of the others, and waits until it is ready.</summary>
    public async Task AddSilo(CancellationToken cancellationToken)
    {
        ProcessState silo;
        using (await folder.Lock(LockLimit, cancellationToken))
            silo = launcher.Silo(LoadLiving()).Processes[^1];
        await Ready(silo, cancellationToken);
    }

    /// <summary>Tells a silo or a front end to stop, and waits for its end.</summary>
    public async Task Drain(string target, CancellationToken cancellationToken)
    {
        var process = Running(LoadLiving(), target);
        if (process.Role is not (Role.Silo or Role.Api))
            throw new ClusterException($"{process.Name} cannot be drained: only silos and front ends can.");

        var took = await Ended(process, cancellationToken);
        await Mark(process, Ending.Drained, cancellationToken);
        await output.WriteLineAsync($"{process.Name} arrêté en {took} s");
    }

    /// <summary>
    /// Tells a process to stop, waits for its end, and starts it again on its ports, with its settings, until it is ready; one that has ended
    /// already is started again at once.
    /// </summary>
    public async Task Restart(string target, CancellationToken cancellationToken)
    {
        var state = LoadLiving();
        var process = Named(state, target);
        if (state.IsRunning(process))
            await output.WriteLineAsync($"{process.Name} arrêté en {await Ended(process, cancellationToken)} s");

        using (await folder.Lock(LockLimit, cancellationToken))
        {
            state = LoadLiving();
            if (state.IsRunning(Named(state, process.Name)))
                throw new ClusterException($"{process.Name} runs again: another command has started it.");
            state = launcher.Again(state, process);
        }

        process = Named(state, process.Name);
        await (process.Role is Role.Postgres
            ? Answers(process, state.Database!.Cluster, cancellationToken)
            : Ready(process, cancellationToken));
    }

    /// <summary>kill -9.</summary>
    public async Task Kill(string target, CancellationToken cancellationToken)
    {
        var process = Running(LoadLiving(), target);
        if (process.Role is Role.Postgres)
            throw new ClusterException("postgres is many processes: kill -9 of the one named here would not be the crash of a database.");

        process.Process.Send(UnixSignal.Kill);
        if (!await process.Process.Ends(KillLimit, cancellationToken))
            throw new ClusterException($"{process.Name} (process {Text(process.Pid)}) was killed and still runs.");
        await Mark(process, Ending.Killed, cancellationToken);
        await output.WriteLineAsync($"{process.Name} tué");
    }

    /// <summary>Stops everything and removes what the cluster kept.</summary>
    public async Task Down(CancellationToken cancellationToken)
    {
        _ = folder.Load();
        using var held = await folder.Lock(LockLimit, cancellationToken);
        await TakeDown(folder.Load());
        await output.WriteLineAsync("Tout est arrêté.");
    }

    private async Task<ClusterState> Start(ClusterState state, UpOptions options, CancellationToken cancellationToken)
    {
        new BuiltPrograms(folder.Programs).Copy();
        new ClusterFiles(folder.Files).Write();

        state = launcher.RegimeSi(state);
        state = launcher.FranceConnect(state);
        state = await WithDatabase(state, options, cancellationToken);
        await launcher.Migrate(state, cancellationToken);

        for (var silo = 0; silo < options.Silos; silo++)
            state = launcher.Silo(state);
        for (var frontEnd = 0; frontEnd < options.FrontEnds; frontEnd++)
            state = launcher.Api(state);
        await AllReady(state, cancellationToken);
        if (!options.HaProxy)
            return state;

        state = launcher.HaProxy(state);
        await Ready(state.Processes[^1], cancellationToken);
        return state;
    }

    private async Task<ClusterState> WithDatabase(ClusterState state, UpOptions options, CancellationToken cancellationToken)
    {
        if (options.ClusterDatabase is { } configured)
            return state with { Database = new(configured, options.StorageDatabase ?? configured, Folder: null) };

        try
        {
            var server = await PostgresFolder.Create();
            var port = Launcher.FreePort(state);
            var database = server.ConnectionString(port, "postgres");
            state = state with { Database = new(database, database, server.FullName) };
            folder.Save(state);
            await server.Initialize();
            state = launcher.Postgres(state, port);
            await Answers(state.Processes[^1], database, cancellationToken);
            return state;
        }
        catch (InvalidOperationException exception)
        {
            throw new ClusterException(exception.Message);
        }
    }

    private async Task Answers(ProcessState server, string database, CancellationToken cancellationToken)
    {
        await using var source = NpgsqlDataSource.Create(database + ";Pooling=false;Timeout=2");
        await Wait(server, async () =>
        {
            try
            {
                await using var command = source.CreateCommand("SELECT 1");
                await command.ExecuteScalarAsync(cancellationToken);
                return true;
            }
            catch (NpgsqlException)
            {
                return false;
            }
        }, cancellationToken);
    }

    private async Task AllReady(ClusterState state, CancellationToken cancellationToken)
    {
        using var others = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var waits = state.Processes.Where(process => process.Role is not Role.Postgres).Select(process => Ready(process, others.Token)).ToList();
        await foreach (var ended in Task.WhenEach(waits))
        {
            if (!ended.IsCompletedSuccessfully)
                await others.CancelAsync();
        }

        await Task.WhenAll(waits);
    }

    private Task Ready(ProcessState process, CancellationToken cancellationToken) =>
        Wait(process, () => Health.IsReady(process, cancellationToken), cancellationToken);

    private async Task Wait(ProcessState process, Func<Task<bool>> isReady, CancellationToken cancellationToken)
    {
        var since = TimeProvider.System.GetTimestamp();
        while (!await isReady())
        {
            if (!process.Process.IsRunning)
                throw new ClusterException($"{process.Name} ended before it was ready.\n{EndOfLog(process)}");
            if (TimeProvider.System.GetElapsedTime(since) > StartLimit)
                throw new ClusterException($"{process.Name} is not ready after {Seconds(since)} s.\n{EndOfLog(process)}");
            await Task.Delay(Look, TimeProvider.System, cancellationToken);
        }

        await output.WriteLineAsync($"{process.Name} prêt");
    }

    private async Task TakeDown(ClusterState state)
    {
        foreach (var roles in new Role[][] { [Role.HaProxy], [Role.Api], [Role.Silo], [Role.RegimeSi, Role.FranceConnect], [Role.Postgres] })
            await Task.WhenAll(state.Processes.Where(process => roles.Contains(process.Role) && state.IsRunning(process)).Select(Stop));

        if (state.Database?.Folder is { } database && Directory.Exists(database))
            Directory.Delete(database, recursive: true);
        folder.Remove();
    }

    private static async Task<string> Ended(ProcessState process, CancellationToken cancellationToken)
    {
        var since = TimeProvider.System.GetTimestamp();
        TellToStop(process);
        return await process.Process.Ends(DrainLimit, cancellationToken)
            ? Seconds(since)
            : throw new ClusterException($"{process.Name} still runs {Seconds(since)} s after it was told to stop (log: {process.Log}).");
    }

    // At SIGINT PostgreSQL ends its connections, at SIGTERM it waits for them.
    private static void TellToStop(ProcessState process) =>
        process.Process.Send(process.Role is Role.Postgres ? UnixSignal.Interrupt : UnixSignal.Terminate);

    private static async Task Stop(ProcessState process)
    {
        TellToStop(process);
        if (await process.Process.Ends(StopLimit, CancellationToken.None))
            return;
        process.Process.Send(UnixSignal.Kill);
        if (!await process.Process.Ends(KillLimit, CancellationToken.None))
            throw new ClusterException($"{process.Name} (process {Text(process.Pid)}) was killed and still runs.");
    }

    private async Task Mark(ProcessState process, Ending ending, CancellationToken cancellationToken)
    {
        using var held = await folder.Lock(LockLimit, cancellationToken);
        folder.Save(folder.Load().Marked(process.Name, ending));
    }

    private ClusterState LoadLiving() => folder.Load() is { IsOfThisBoot: true } state
        ? state
        : throw new ClusterException($"The machine has started anew since the cluster in {folder.FullName} was started, and nothing of it runs: clear it with down.");

    private static ProcessState Running(ClusterState state, string target)
    {
        var process = Named(state, target);
        return state.IsRunning(process) ? process : throw new ClusterException($"{process.Name} does not run.");
    }

    private static ProcessState Named(ClusterState state, string target)
    {
        var name = target.All(char.IsAsciiDigit) ? $"silo-{target}" : target;
        return state.Processes.FirstOrDefault(process => process.Name == name)
            ?? throw new ClusterException($"There is no {name}: there are {string.Join(", ", state.Processes.Select(process => process.Name))}.");
    }

    private string Occupied(ClusterState other) => other.Processes.Any(other.IsRunning)
        ? $"There is a cluster in {folder.FullName}, of {other.CreatedAt.ToLocalTime():yyyy-MM-dd HH:mm}: see status; end it with down, or choose another folder with --state."
        : $"{folder.StateFile} is left over from a cluster of {other.CreatedAt.ToLocalTime():yyyy-MM-dd HH:mm}, of which nothing runs any more: clear it with down.";

    private static ClusterState NewState(UpOptions options) => new()
    {
        BootId = OsProcess.BootId,
        CreatedAt = TimeProvider.System.GetUtcNow(),
        ClusterId = "local-" + Guid.NewGuid().ToString("N")[..8],
        OperatorKey = ClusterFiles.NewOperatorKey(),
        Families = options.Families,
        Settings = options.Settings,
    };

    private static string EndOfLog(ProcessState process) => string.Join('\n', File.ReadLines(process.Log).TakeLast(20));

    private static string Seconds(long since) => TimeProvider.System.GetElapsedTime(since).TotalSeconds.ToString("0.0", CultureInfo.GetCultureInfo("fr-FR"));

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);
}
