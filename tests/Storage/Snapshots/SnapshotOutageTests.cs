using System.Diagnostics;
using DroitsAmeli.Grains.Storage.Schema;
using DroitsAmeli.Tests.Postgres;
using DroitsAmeli.Tests.Rules.Storage;
using Orleans.Runtime;

namespace DroitsAmeli.Tests.Storage.Snapshots;

/// <summary>The store while its database is away: on a server of its own, in real time.</summary>
[Collection(StorageCounters.Name)]
public sealed class SnapshotOutageTests : IAsyncLifetime
{
    private static readonly GrainId Grain = StorageBench.Grain("one");
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);

    private readonly DirectoryInfo folder = Directory.CreateTempSubdirectory("droits-outage-");
    private readonly Counts counts = new();
    private PostgresServer? server;
    private string database = null!;
    private StoreProcess? store;

    private string Keys => Path.Combine(folder.FullName, "keys.json");

    private PostgresServer Server => server!;

    private StoreProcess Store => store!;

    public async ValueTask InitializeAsync()
    {
        Databases.SkipWithoutPostgres();
        server = await PostgresServer.Create(fsync: false);
        database = await Server.CreateDatabase();
        await SchemaMigrations.OfThisBuild.Apply(database, TestContext.Current.CancellationToken);
        await File.WriteAllTextAsync(Keys, StorageBench.KeysFile("k", "k"));
    }

    public async ValueTask DisposeAsync()
    {
        if (store is not null)
            await store.DisposeAsync();
        if (server is not null)
            await server.DisposeAsync();
        counts.Dispose();
        folder.Delete(recursive: true);
    }

    [Fact]
    public async Task A_database_that_is_away_when_the_store_starts_is_used_when_it_comes()
    {
        await Server.Stop();
        Open();
        Assert.Null(await Store.Read(Grain));
        Store.Store.Save(StorageBench.Kind, Grain, StoreProcess.SubjectOf(Grain), Rights("mine"));
        await StorageBench.Until(() => counts["storage.writes:failed"] >= 1, "Nothing was tried.");

        await Server.Start();

        await Eventually.Holds(async () => await Store.Read(Grain) is not null, Limit, counts.ToString);
        Assert.Equal(0, Store.Store.Pending);
        Assert.Equal(0, counts["storage.writes:dropped"]);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_database_that_is_stopped_or_killed_fails_no_read_and_is_used_again(bool killed)
    {
        Open();
        await Store.Save(Grain, Rights("mine"));
        Assert.NotNull(await Store.Read(Grain));

        await (killed ? Server.Kill() : Server.Stop());
        for (var read = 0; read < 200; read++)
            Assert.Null(await Store.Read(Grain));
        Assert.True(counts["storage.reads:circuit_open"] >= 150, counts.ToString());

        await Server.Start();
        await Eventually.Holds(async () => await Store.Read(Grain) is { Snapshot: var snapshot } && snapshot.Text() == "mine", Limit, counts.ToString);
    }

    [Fact]
    public async Task A_database_that_answers_no_more_holds_a_read_up_for_its_time_and_then_not_at_all()
    {
        Open(readTimeoutSeconds: 0.5);
        await Store.Save(Grain, Rights("mine"));
        await Eventually.Holds(async () => await Store.Read(Grain) is not null, Limit, counts.ToString);

        await Server.Freeze();
        try
        {
            var begun = Stopwatch.StartNew();
            Assert.All(await Task.WhenAll(Enumerable.Range(0, 50).Select(_ => Store.Read(Grain))), Assert.Null);
            TestContext.Current.TestOutputHelper?.WriteLine($"50 reads of a frozen database at once: {begun.ElapsedMilliseconds} ms");
            Assert.True(counts["storage.reads:timed_out"] >= 5, counts.ToString());

            var before = counts["storage.reads:circuit_open"];
            for (var read = 0; read < 100; read++)
                Assert.Null(await Store.Read(StorageBench.Grain($"n{read}")));
            Assert.True(counts["storage.reads:circuit_open"] - before >= 80, counts.ToString());

            // A write hangs; nobody waits for it.
            Store.Store.Save(StorageBench.Kind, StorageBench.Grain("waits"), StoreProcess.SubjectOf(StorageBench.Grain("waits")), Rights("waits"));
            await Store.Store.Flush(TimeSpan.FromMilliseconds(200));
            Assert.Equal(1, Store.Store.Pending);
        }
        finally
        {
            await Server.Thaw();
        }

        await Eventually.Holds(async () => await Store.Read(Grain) is not null, Limit, counts.ToString);
        await Eventually.Holds(async () => await Store.Read(StorageBench.Grain("waits")) is not null, Limit, counts.ToString);
    }

    [Fact]
    public async Task A_database_that_answers_no_more_holds_nothing_else_up()
    {
        Open(readTimeoutSeconds: 0.5);
        await Eventually.Holds(
            async () =>
            {
                await Task.WhenAll(Enumerable.Range(0, 100).Select(read => Store.Read(StorageBench.Grain($"n{read}"))));
                return counts["storage.reads:not_stored"] >= 1_000;
            },
            Limit,
            counts.ToString);

        await Server.Freeze();
        try
        {
            var reading = Task.WhenAll(Enumerable.Range(0, 100).Select(read => Store.Read(StorageBench.Grain($"n{read}"))));
            var (begun, longest) = (Stopwatch.StartNew(), TimeSpan.Zero);
            while (begun.Elapsed < TimeSpan.FromSeconds(15))
            {
                var asked = Stopwatch.GetTimestamp();
                await Task.Delay(TimeSpan.FromMilliseconds(10), TimeProvider.System, TestContext.Current.CancellationToken);
                var waited = Stopwatch.GetElapsedTime(asked);
                longest = waited > longest ? waited : longest;
            }

            await reading;
            TestContext.Current.TestOutputHelper?.WriteLine($"longest wait for a thread: {longest.TotalMilliseconds:0} ms, {ThreadPool.ThreadCount} threads");
            Assert.InRange(longest, TimeSpan.Zero, TimeSpan.FromMilliseconds(500));
        }
        finally
        {
            await Server.Thaw();
        }
    }

    [Fact]
    public async Task A_row_that_somebody_locks_delays_its_own_write_alone()
    {
        Open();
        await Store.Save(Grain, Rights("mine"));
        await using var connection = new Npgsql.NpgsqlConnection(database + ";Pooling=false");
        await connection.OpenAsync(TestContext.Current.CancellationToken);
        await using var transaction = await connection.BeginTransactionAsync(TestContext.Current.CancellationToken);
        await using (var command = new Npgsql.NpgsqlCommand("SELECT 1 FROM orleansstorage FOR UPDATE", connection, transaction))
            await command.ExecuteScalarAsync(TestContext.Current.CancellationToken);

        Store.Store.Save(StorageBench.Kind, Grain, StoreProcess.SubjectOf(Grain), Rights("newer", TimeSpan.FromMinutes(1)));
        Store.Store.Save(StorageBench.Kind, StorageBench.Grain("other"), StoreProcess.SubjectOf(StorageBench.Grain("other")), Rights("other"));
        await Eventually.Holds(async () => await Store.Read(StorageBench.Grain("other")) is not null, Limit, counts.ToString);

        await transaction.RollbackAsync(TestContext.Current.CancellationToken);
        await Eventually.Holds(async () => await Store.Read(Grain) is { Snapshot: var snapshot } && snapshot.Text() == "newer", Limit, counts.ToString);
    }

    private void Open(double readTimeoutSeconds = 2) => store = new(database, Keys, TimeProvider.System, readTimeoutSeconds);

    private static Grains.Storage.Snapshot Rights(string content, TimeSpan later = default)
    {
        var now = TimeProvider.System.GetUtcNow() + later;
        return StorageBench.Snapshot(content) with { OldestLoad = now, NewestLoad = now, ExpiresAt = now.AddHours(24) };
    }
}
