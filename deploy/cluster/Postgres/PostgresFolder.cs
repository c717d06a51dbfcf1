using System.Diagnostics;
using System.Globalization;

namespace DroitsAmeli.LocalCluster.Postgres;

/// <summary>
/// A data directory of PostgreSQL in a folder of its own, whose server listens on a port of 127.0.0.1, on no Unix socket, and lets in no
/// more than an owner with a password. Nothing of the machine's own clusters is touched.
/// </summary>
/// <param name="path">The folder, which belongs to the account the server runs as.</param>
/// <param name="password">The owner's, of letters and digits.</param>
internal sealed class PostgresFolder(string path, string password)
{
    private const string Owner = "droits";
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);

    /// <summary>Why there can be no server here; null when there can.</summary>
    public static string? Unavailable => PostgresPrograms.Folder is null
        ? "No PostgreSQL: install it (apt-get install postgresql), or name the folder of its programs in DROITS_POSTGRES_BIN."
        : null;

    public string FullName => path;

    private string Data => Path.Combine(path, "data");

    /// <summary>A new folder with a new password; nothing is in it yet.</summary>
    /// <exception cref="InvalidOperationException">PostgreSQL, or the account of its server, is missing.</exception>
    public static async Task<PostgresFolder> Create() => Unavailable is { } reason
        ? throw new InvalidOperationException(reason)
        : new PostgresFolder((await ServerAccount.CreateFolder()).FullName, Convert.ToHexString(Guid.NewGuid().ToByteArray()));

    /// <summary>Makes the data directory.</summary>
    /// <exception cref="InvalidOperationException">It cannot be made; the message holds what PostgreSQL said.</exception>
    public async Task Initialize()
    {
        var secret = Path.Combine(path, "password");
        await File.WriteAllTextAsync(secret, password);
        var start = Start(
            "initdb",
            ["-D", Data, "-U", Owner, "-A", "scram-sha-256", $"--pwfile={secret}", "-E", "UTF8", "--locale=C", "--no-sync", "--no-instructions"]);
        start.RedirectStandardInput = start.RedirectStandardOutput = start.RedirectStandardError = true;
        using var initdb = Process.Start(start)!;
        initdb.StandardInput.Close();
        var said = await Task.WhenAll(initdb.StandardOutput.ReadToEndAsync(), initdb.StandardError.ReadToEndAsync()).WaitAsync(Limit);
        await initdb.WaitForExitAsync().WaitAsync(Limit);
        File.Delete(secret);
        if (initdb.ExitCode != 0)
            throw new InvalidOperationException($"initdb failed.\n{string.Concat(said)}");
    }

    /// <summary>What starts the server on that port.</summary>
    /// <param name="port">The TCP port, on 127.0.0.1.</param>
    /// <param name="settings">More settings, as <c>name=value</c>.</param>
    public ProcessStartInfo Server(int port, IEnumerable<string> settings) => Start(
        "postgres",
        [
            "-D", Data, "-c", "listen_addresses=127.0.0.1", "-c", $"port={Text(port)}", "-c", "unix_socket_directories=", "-c", "max_connections=500",
            .. settings.SelectMany(setting => new[] { "-c", setting }),
        ]);

    /// <summary>The connection string of the owner for a database, without pooling limits or time-outs of its own.</summary>
    public string ConnectionString(int port, string database) =>
        $"Host=127.0.0.1;Port={Text(port)};Username={Owner};Password={password};Database={database}";

    private ProcessStartInfo Start(string program, IEnumerable<string> args)
    {
        var start = ServerAccount.Start(Path.Combine(PostgresPrograms.Folder!, program), args);
        start.WorkingDirectory = path;
        return start;
    }

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);
}
