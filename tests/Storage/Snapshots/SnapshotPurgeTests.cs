using System.Diagnostics;
using DroitsAmeli.Grains.Storage;
using DroitsAmeli.Grains.Storage.Schema;
using DroitsAmeli.Tests.Postgres;
using DroitsAmeli.Tests.Rules.Storage;
using Microsoft.Extensions.Time.Testing;
using Npgsql;

namespace DroitsAmeli.Tests.Storage.Snapshots;

[Collection(StorageCounters.Name)]
public sealed class SnapshotPurgeTests(Databases databases) : IAsyncLifetime
{
    private readonly DirectoryInfo folder = Directory.CreateTempSubdirectory("droits-purge-");
    private readonly List<StoreProcess> processes = [];
    private readonly Counts counts = new();
    private string database = null!;

    public async ValueTask InitializeAsync()
    {
        database = await databases.Create();
        await SchemaMigrations.OfThisBuild.Apply(database, TestContext.Current.CancellationToken);
        await File.WriteAllTextAsync(Path.Combine(folder.FullName, "keys.json"), StorageBench.KeysFile("k", "k"));
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var process in processes)
            await process.DisposeAsync();
        counts.Dispose();
        folder.Delete(recursive: true);
    }

    [Fact]
    public async Task Of_100_000_rows_it_deletes_those_that_may_not_be_served_and_no_other()
    {
        await Insert("expired", 90_000, expiry: "now() - interval '1 second'");
        await Insert("alive", 10_000, expiry: "now() + interval '1 hour'");
        await Insert("elsewhere", 500, expiry: "now() - interval '1 day'", service: "another");

        var run = (await Open(TimeProvider.System).Run(TestContext.Current.CancellationToken))!.Value;

        TestContext.Current.TestOutputHelper?.WriteLine(
            $"{run.Rows} rows in {run.Elapsed.TotalSeconds:F1} s, {run.Rows / run.Elapsed.TotalSeconds:F0} rows/s, {run.Batches} batches, the longest {run.LongestBatch.TotalMilliseconds:F0} ms");
        Assert.Equal(90_000, run.Rows);
        Assert.Equal(90_000, counts["storage.purged"]);
        Assert.True(run.Batches >= 90_000 / SnapshotPurge.BatchSize, $"{run.Batches} batches");
        Assert.Equal(10_000L, await Rows($"serviceid = '{StoreProcess.ServiceId}' AND expires_at > now()"));
        Assert.Equal(10_500L, await Rows("true"));
    }

    [Fact]
    public async Task No_batch_takes_half_as_long_as_all_rows_at_once()
    {
        for (var tries = 1; ; tries++)
        {
            await Insert("expired", 90_000, expiry: "now() - interval '1 second'");
            var begun = Stopwatch.GetTimestamp();
            await PostgresServer.Execute(database, "DELETE FROM orleansstorage");
            var atOnce = Stopwatch.GetElapsedTime(begun);

            await Insert("expired", 90_000, expiry: "now() - interval '1 second'");
            var run = (await Open(TimeProvider.System).Run(TestContext.Current.CancellationToken))!.Value;
            if (run.LongestBatch < atOnce / 2)
                return;

            // A machine that stands still for a moment does so in one batch: it is played again.
            Assert.True(tries < 5, $"The longest batch took {run.LongestBatch.TotalMilliseconds:F0} ms, all rows at once {atOnce.TotalMilliseconds:F0} ms.");
        }
    }

    [Fact]
    public async Task What_cannot_be_read_goes_a_day_after_it_was_written()
    {
        await Insert("unreadable", 700, expiry: null, modified: "now() - interval '25 hours'");
        await Insert("written lately", 30, expiry: null, modified: "now() - interval '23 hours'");

        var run = await Open(TimeProvider.System).Run(TestContext.Current.CancellationToken);

        Assert.Equal(700, run!.Value.Rows);
        Assert.Equal(30L, await Rows("graintypestring = 'written lately'"));
    }

    [Fact]
    public async Task It_runs_on_one_silo_at_a_time_and_lets_go_of_the_lock()
    {
        await Insert("expired", 10, expiry: "now() - interval '1 second'");
        await using var connection = await Connect();
        await Execute(connection, $"SELECT pg_advisory_lock({0x70757267}, hashtext('{StoreProcess.ServiceId}'))");

        Assert.Null(await Open(TimeProvider.System).Run(TestContext.Current.CancellationToken));
        Assert.Equal(10L, await Rows("true"));

        await Execute(connection, "SELECT pg_advisory_unlock_all()");
        Assert.Equal(10, (await Open(TimeProvider.System).Run(TestContext.Current.CancellationToken))!.Value.Rows);
        Assert.Equal(0, (await Open(TimeProvider.System).Run(TestContext.Current.CancellationToken))!.Value.Rows);
        Assert.Equal(0L, await PostgresServer.Scalar<long>(
            database, "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"));
    }

    [Fact]
    public async Task It_waits_for_no_row_that_somebody_writes()
    {
        await Insert("expired", 10, expiry: "now() - interval '1 second'");
        await using var connection = await Connect();
        await Execute(connection, "BEGIN; SELECT 1 FROM orleansstorage LIMIT 1 FOR UPDATE");

        Assert.Equal(9, (await Open(TimeProvider.System).Run(TestContext.Current.CancellationToken))!.Value.Rows);

        await Execute(connection, "ROLLBACK");
        Assert.Equal(1, (await Open(TimeProvider.System).Run(TestContext.Current.CancellationToken))!.Value.Rows);
    }

    [Fact]
    public async Task It_runs_every_ten_minutes_by_the_clock_and_survives_a_failure()
    {
        var time = new FakeTimeProvider(TimeProvider.System.GetUtcNow());
        var purge = Open(time);
        await Insert("expired", 10, expiry: "now() + interval '15 minutes'");
        await PostgresServer.Execute(database, "ALTER TABLE orleansstorage RENAME TO hidden");
        await purge.StartAsync(TestContext.Current.CancellationToken);
        try
        {
            await Passes(time, () => Task.FromResult(processes[^1].PurgeLines.Count > 0), "It did not run.");
            await PostgresServer.Execute(database, "ALTER TABLE hidden RENAME TO orleansstorage");
            await Passes(time, async () => await Rows("true") == 0, "The rows are still there.");
        }
        finally
        {
            await purge.StopAsync(TestContext.Current.CancellationToken);
        }
    }

    private static Task Passes(FakeTimeProvider time, Func<Task<bool>> condition, string otherwise) => Eventually.Holds(
        () =>
        {
            time.Advance(SnapshotPurge.Period);
            return condition();
        },
        TimeSpan.FromSeconds(30),
        () => otherwise);

    private SnapshotPurge Open(TimeProvider time)
    {
        processes.Add(new(database, Path.Combine(folder.FullName, "keys.json"), time));
        return processes[^1].Purge;
    }

    private Task Insert(string name, int count, string? expiry, string service = StoreProcess.ServiceId, string modified = "now()")
    {
        var instant = $"int8send((extract(epoch from {expiry}) * 1000)::bigint)";
        var payload = expiry is null ? "'\\x00'::bytea" : $"'\\xda01'::bytea || {instant} || {instant} || {instant} || decode(repeat('ab', 450), 'hex')";
        return PostgresServer.Execute(
            database,
            $"""
            INSERT INTO orleansstorage
                (serviceid, graintypehash, grainidhash, grainidn0, grainidn1, graintypestring, grainidextensionstring, version, payloadbinary, modifiedon)
            SELECT '{service}', 1, number, 0, 0, '{name}', 'f-' || number, 1, {payload}, {modified} FROM generate_series(1, {count}) AS number
            """);
    }

    private Task<long> Rows(string condition) => PostgresServer.Scalar<long>(database, $"SELECT count(*) FROM orleansstorage WHERE {condition}");

    private async Task<NpgsqlConnection> Connect()
    {
        var connection = new NpgsqlConnection(database + ";Pooling=false");
        await connection.OpenAsync(TestContext.Current.CancellationToken);
        return connection;
    }

    private static async Task Execute(NpgsqlConnection connection, string sql)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync(TestContext.Current.CancellationToken);
    }
}
