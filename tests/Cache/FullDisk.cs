using System.Diagnostics;
using System.Globalization;
using DroitsAmeli.Tests.Postgres;
using Npgsql;

namespace DroitsAmeli.Tests.Cache;

/// <summary>
/// A database whose table of snapshots cannot grow: its server's processes may not write beyond the table's present size, which for
/// PostgreSQL is a disk without room. Lifted when it is disposed of.
/// </summary>
internal sealed class FullDisk : IAsyncDisposable
{
    // Above what a segment of the write-ahead log takes: that one must go on.
    private const long LeastBytes = 20L * 1024 * 1024;
    private const string Size = "SELECT pg_relation_size('orleansstorage')";

    private readonly string connectionString;

    private FullDisk(string connectionString) => this.connectionString = connectionString;

    /// <summary>Fills the disk, and checks that it is full.</summary>
    public static async Task<FullDisk> Of(string connectionString)
    {
        await Fill(connectionString);
        var full = new FullDisk(connectionString);
        await full.Limit((await PostgresServer.Scalar<long>(connectionString, Size)).ToString(CultureInfo.InvariantCulture));
        var refusal = await Record.ExceptionAsync(() => Insert(connectionString, 1000));
        Assert.IsType<PostgresException>(refusal);
        return full;
    }

    public async ValueTask DisposeAsync()
    {
        await Limit("unlimited");
        await PostgresServer.Execute(connectionString, "DELETE FROM orleansstorage WHERE serviceid = 'filling'");
    }

    private static async Task Fill(string connectionString)
    {
        while (await PostgresServer.Scalar<long>(connectionString, Size) < LeastBytes)
            await Insert(connectionString, 5000);
    }

    // Rows that fill their pages: what is left in them takes nothing more.
    private static Task Insert(string connectionString, int rows) => PostgresServer.Execute(connectionString, string.Create(
        CultureInfo.InvariantCulture,
        $"""
        INSERT INTO orleansstorage (serviceid, graintypehash, grainidhash, grainidn0, grainidn1, graintypestring, grainidextensionstring, version, payloadbinary)
        SELECT 'filling', 0, 0, 0, 0, 'filling', gen_random_uuid()::text, 1, decode(repeat('00', 1200), 'hex') FROM generate_series(1, {rows})
        """));

    private async Task Limit(string bytes)
    {
        var postmaster = (await File.ReadAllLinesAsync(Path.Combine((await PostgresServer.Scalar<string>(connectionString, "SHOW data_directory"))!, "postmaster.pid")))[0];
        var backends = (await PostgresServer.Scalar<string>(
            connectionString, "SELECT string_agg(pid::text, ' ') FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()"))?.Split(' ') ?? [];
        foreach (var process in backends.Prepend(postmaster))
        {
            // Only its own account, or a privileged one, may limit a process.
            string[] command = ["prlimit", $"--pid={process}", $"--fsize={bytes}:unlimited"];
            using var prlimit = Environment.UserName == "root"
                ? Process.Start("runuser", ["-u", "postgres", "--", .. command])
                : Process.Start(command[0], command[1..]);
            await prlimit.WaitForExitAsync();
            Assert.True(prlimit.ExitCode == 0 || !Directory.Exists($"/proc/{process}"), $"prlimit ended with {prlimit.ExitCode}.");
        }
    }
}
