using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using DroitsAmeli.LocalCluster.Postgres;
using Npgsql;

namespace DroitsAmeli.Tests.Postgres;

/// <summary>
/// A PostgreSQL server of one's own: a new data directory, and a free port of 127.0.0.1 that it keeps over restarts. It ends with the
/// process that made it.
/// </summary>
public sealed class PostgresServer : IAsyncDisposable
{
    private const double TicksPerSecond = 100;
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(25);

    private readonly PostgresFolder folder;
    private readonly string[] settings;
    private readonly EventHandler atExit;
    private Process? process;
    private int databases;

    private PostgresServer(PostgresFolder folder, string[] settings)
    {
        this.folder = folder;
        this.settings = settings;
        atExit = (_, _) => KillAll();
        AppDomain.CurrentDomain.ProcessExit += atExit;
    }

    /// <summary>Why there can be no server here, to be told where tests are skipped; null when there can.</summary>
    public static string? Unavailable => PostgresFolder.Unavailable;

    /// <summary>The TCP port, on 127.0.0.1.</summary>
    public int Port { get; private set; }

    /// <summary>Whether the server's main process lives.</summary>
    public bool IsRunning => process is { HasExited: false };

    /// <summary>User and system time so far of the server's processes, those that have ended included.</summary>
    public TimeSpan CpuTime => Processes() is [var main, .. var others]
        ? TimeSpan.FromSeconds((Ticks(main, withEnded: true) + others.Sum(other => Ticks(other, withEnded: false))) / TicksPerSecond)
        : TimeSpan.Zero;

    private string Log => Path.Combine(folder.FullName, "log");

    /// <summary>Makes a server and starts it.</summary>
    /// <param name="fsync">False for tests that do not look at what a crash of the machine would leave: faster on a slow disk.</param>
    /// <param name="settings">More settings, as <c>name=value</c>.</param>
    /// <exception cref="InvalidOperationException">It cannot be made or does not start; the message holds what the server said.</exception>
    public static async Task<PostgresServer> Create(bool fsync = true, params string[] settings)
    {
        var server = new PostgresServer(await PostgresFolder.Create(), [$"fsync={(fsync ? "on" : "off")}", .. settings]);
        try
        {
            await server.folder.Initialize();
            await server.StartOnAFreePort();
            return server;
        }
        catch
        {
            await server.DisposeAsync();
            throw;
        }
    }

    /// <summary>Makes an empty database that nobody else uses.</summary>
    /// <returns>The connection string of its owner.</returns>
    public async Task<string> CreateDatabase()
    {
        var name = "d" + Interlocked.Increment(ref databases).ToString(CultureInfo.InvariantCulture);
        await Execute(ConnectionString("postgres"), $"CREATE DATABASE {name}");
        return ConnectionString(name);
    }

    /// <summary>Lets in those whose address is in that range too, with the password. The server goes on listening at 127.0.0.1 alone.</summary>
    public async Task Admit(IPNetwork range)
    {
        var rules = await Scalar<string>(ConnectionString("postgres"), "SHOW hba_file");
        await File.AppendAllTextAsync(rules!, $"host all all {range} scram-sha-256\n");
        await Execute(ConnectionString("postgres"), "SELECT pg_reload_conf()");
    }

    /// <summary>The connection string of the owner for a database, without pooling limits or time-outs of its own.</summary>
    public string ConnectionString(string database) => folder.ConnectionString(Port, database);

    /// <summary>Runs one or more statements.</summary>
    public static async Task Execute(string connectionString, string sql)
    {
        await using var connection = await Open(connectionString);
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync();
    }

    /// <summary>The first column of the first row; default when there is no row or it is NULL.</summary>
    public static async Task<T?> Scalar<T>(string connectionString, string sql)
    {
        await using var connection = await Open(connectionString);
        await using var command = new NpgsqlCommand(sql, connection);
        return await command.ExecuteScalarAsync() is { } value and not DBNull ? (T)value : default;
    }

    /// <summary>Starts the server again, on the same port, and waits until it answers (also after it has repaired itself).</summary>
    public async Task Start()
    {
        if (IsRunning)
            throw new InvalidOperationException("The server runs.");

        process?.Dispose();

        // While it was down its port may have served a connection of somebody else's, for a moment.
        var elapsed = Stopwatch.StartNew();
        while (true)
        {
            process = Run();
            try
            {
                await Answers();
                return;
            }
            catch (InvalidOperationException) when (!IsRunning && elapsed.Elapsed < Limit)
            {
                process.Dispose();
                await Task.Delay(Pause, TimeProvider.System);
            }
        }
    }

    /// <summary>Stops the server in order; its clients lose their connections at once.</summary>
    public Task Stop() => End("INT");

    /// <summary>Kills every process of the server (SIGKILL), as a crash would.</summary>
    public async Task Kill()
    {
        KillAll();
        await (process?.WaitForExitAsync() ?? Task.CompletedTask).WaitAsync(Limit);
    }

    /// <summary>Freezes every process of the server (SIGSTOP): connections stay, and nothing answers, until <see cref="Thaw"/>.</summary>
    public async Task Freeze()
    {
        // The main process first: it must start no more.
        await Signal("STOP", [process!.Id]);
        await Signal("STOP", Processes());
    }

    /// <summary>Lets a frozen server go on.</summary>
    public Task Thaw() => Signal("CONT", Processes());

    public async ValueTask DisposeAsync()
    {
        AppDomain.CurrentDomain.ProcessExit -= atExit;
        await Kill();
        process?.Dispose();
        Directory.Delete(folder.FullName, recursive: true);
    }

    private static async Task<NpgsqlConnection> Open(string connectionString)
    {
        // Without a pool, no connection outlives a server that stops.
        var connection = new NpgsqlConnection(connectionString + ";Pooling=false");
        await connection.OpenAsync();
        return connection;
    }

    private async Task StartOnAFreePort()
    {
        // Somebody may take a free port before the server does.
        for (var attempt = 1; ; attempt++)
        {
            Port = FreePort();
            try
            {
                await Start();
                return;
            }
            catch (InvalidOperationException) when (attempt < 3 && !IsRunning)
            {
            }
        }
    }

    private Process Run()
    {
        // The shell gives way to the program: it is there for the redirection alone.
        var server = folder.Server(Port, settings);
        var start = new ProcessStartInfo(
            "/bin/sh", ["-c", "exec \"$0\" \"$@\" >>\"$DROITS_LOG\" 2>&1 </dev/null", server.FileName, .. server.ArgumentList]);
        start.Environment["DROITS_LOG"] = Log;
        start.WorkingDirectory = server.WorkingDirectory;
        return Process.Start(start)!;
    }

    private async Task Answers()
    {
        var elapsed = Stopwatch.StartNew();
        while (true)
        {
            try
            {
                await Execute(ConnectionString("postgres"), "SELECT 1");
                return;
            }
            catch (NpgsqlException) when (elapsed.Elapsed < Limit && IsRunning)
            {
                await Task.Delay(Pause, TimeProvider.System);
            }
            catch (NpgsqlException)
            {
                throw new InvalidOperationException($"The server does not answer.\n{await Said()}");
            }
        }
    }

    private async Task End(string signal)
    {
        await Signal(signal, [process!.Id]);
        await process.WaitForExitAsync().WaitAsync(Limit);
    }

    private void KillAll()
    {
        foreach (var id in Processes())
        {
            try
            {
                using var one = Process.GetProcessById(id);
                one.Kill();
            }
            catch (Exception exception) when (exception is ArgumentException or InvalidOperationException)
            {
                // It has ended by itself.
            }
        }
    }

    // The main process and its children; there are no grandchildren.
    private List<int> Processes()
    {
        if (!IsRunning)
            return [];
        var main = process!.Id;
        return
        [
            main,
            .. Directory.GetDirectories("/proc")
                .Select(entry => int.TryParse(Path.GetFileName(entry), NumberStyles.None, CultureInfo.InvariantCulture, out var id) ? id : 0)
                .Where(id => id > 0 && Parent(id) == main),
        ];
    }

    private static int Parent(int id) => Stat(id) is { } fields ? int.Parse(fields[1], CultureInfo.InvariantCulture) : 0;

    // utime and stime, then those of children that have ended; what a process has used is added to its parent's when it ends.
    private static long Ticks(int id, bool withEnded) =>
        Stat(id) is { } fields ? fields[11..(withEnded ? 15 : 13)].Sum(field => long.Parse(field, CultureInfo.InvariantCulture)) : 0;

    // "pid (name) state parent …", and the name may hold anything: the fields from the state on; null when there is no such process.
    private static string[]? Stat(int id)
    {
        try
        {
            var text = File.ReadAllText($"/proc/{id.ToString(CultureInfo.InvariantCulture)}/stat");
            return text[(text.LastIndexOf(')') + 2)..].Split(' ');
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    private static async Task Signal(string name, List<int> ids)
    {
        if (ids.Count == 0)
            return;
        using var kill = Process.Start("/bin/sh", ["-c", $"kill -{name} {string.Join(' ', ids)} 2>/dev/null"]);
        await kill.WaitForExitAsync();
    }

    private async Task<string> Said() => File.Exists(Log) ? await File.ReadAllTextAsync(Log) : "";

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}
