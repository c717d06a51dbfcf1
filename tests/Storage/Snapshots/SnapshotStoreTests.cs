using DroitsAmeli.Grains.Storage.Schema;
using DroitsAmeli.Tests.Postgres;
using DroitsAmeli.Tests.Rules.Storage;
using Microsoft.Extensions.Time.Testing;
using Orleans.Runtime;

namespace DroitsAmeli.Tests.Storage.Snapshots;

/// <summary>The store on a database that answers: what lies in it, and what becomes of what lies wrong in it.</summary>
[Collection(StorageCounters.Name)]
public sealed class SnapshotStoreTests(Databases databases) : IAsyncLifetime
{
    private static readonly GrainId Grain = StorageBench.Grain("one");

    private readonly DirectoryInfo folder = Directory.CreateTempSubdirectory("droits-store-");
    private readonly FakeTimeProvider time = new(StorageBench.Start);
    private readonly List<StoreProcess> processes = [];
    private readonly Counts counts = new();
    private string database = null!;
    private StoreProcess store = null!;

    private string Keys => Path.Combine(folder.FullName, "keys.json");

    public async ValueTask InitializeAsync()
    {
        database = await databases.Create();
        await SchemaMigrations.OfThisBuild.Apply(database, TestContext.Current.CancellationToken);
        await File.WriteAllTextAsync(Keys, StorageBench.KeysFile("2026-11", "2026-11"));
        store = Open();
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var process in processes)
            await process.DisposeAsync();
        counts.Dispose();
        folder.Delete(recursive: true);
    }

    [Fact]
    public async Task Gives_back_what_another_silo_has_saved_and_shows_the_database_three_instants_alone()
    {
        await store.Save(Grain, StorageBench.Snapshot("rights", age: TimeSpan.FromMinutes(3)));

        var read = await Open().Read(Grain);

        Assert.Equal("rights", read!.Snapshot.Text());
        Assert.Equal(0, read.LeastVersion);
        Assert.Equal(StorageBench.Start.AddMinutes(-3).UtcDateTime, await Scalar<DateTime>("SELECT newest_load FROM orleansstorage"));
        Assert.Equal(StorageBench.Start.AddHours(24).UtcDateTime, await Scalar<DateTime>("SELECT expires_at FROM orleansstorage"));
        Assert.Equal("f-one", await Scalar<string>("SELECT grainidextensionstring FROM orleansstorage"));
        Assert.Equal(0L, await Scalar<long>("SELECT count(*) FROM orleansstorage WHERE position('rights'::bytea in payloadbinary) > 0"));
    }

    [Fact]
    public async Task A_write_leaves_the_least_version_that_was_announced()
    {
        await store.Save(Grain, StorageBench.Snapshot("old", age: TimeSpan.FromMinutes(1)));
        await Execute("UPDATE orleansstorage SET least_version = 77");

        Assert.Equal(77, (await store.Read(Grain))!.LeastVersion);
        await store.Save(Grain, StorageBench.Snapshot("new"));

        var read = await store.Read(Grain);
        Assert.Equal("new", read!.Snapshot.Text());
        Assert.Equal(77, read.LeastVersion);
    }

    [Fact]
    public async Task What_is_forgotten_is_gone_with_its_row()
    {
        await store.Save(Grain, StorageBench.Snapshot("old"));
        await Execute("UPDATE orleansstorage SET least_version = 77");

        store.Store.Forget(StorageBench.Kind, Grain);
        await store.Store.Flush(TimeSpan.FromSeconds(30));

        Assert.Equal(0L, await Rows());
        await store.Save(Grain, StorageBench.Snapshot("new"));
        Assert.Equal(0, (await store.Read(Grain))!.LeastVersion);
    }

    [Fact]
    public async Task Of_first_writes_of_two_silos_at_once_the_newer_stays_in_one_row()
    {
        const int families = 100;
        var other = Open();
        for (var number = 0; number < families; number++)
        {
            var (grain, newer) = (StorageBench.Grain($"n{number}"), number % 2 == 0 ? store : other);
            foreach (var process in new[] { store, other })
                process.Store.Save(StorageBench.Kind, grain, StoreProcess.SubjectOf(grain), StorageBench.Snapshot(process == newer ? "newer" : "older", age: TimeSpan.FromMinutes(process == newer ? 0 : 1)));
        }

        await Task.WhenAll(store.Store.Flush(TimeSpan.FromSeconds(60)), other.Store.Flush(TimeSpan.FromSeconds(60)));

        Assert.Equal((long)families, await Rows());
        for (var number = 0; number < families; number++)
            Assert.Equal("newer", (await store.Read(StorageBench.Grain($"n{number}")))!.Snapshot.Text());
        Assert.Equal(0, counts["storage.writes:failed"]);
        TestContext.Current.TestOutputHelper?.WriteLine(counts.ToString());
    }

    [Theory]
    [InlineData("the mark", "set_byte(payloadbinary, 0, 1)", "malformed", false)]
    [InlineData("the envelope's version", "set_byte(payloadbinary, 1, 0)", "malformed", false)]
    [InlineData("the oldest load", "set_byte(payloadbinary, 9, 255 - get_byte(payloadbinary, 9))", "not_authentic", true)]
    [InlineData("the newest load", "set_byte(payloadbinary, 17, 255 - get_byte(payloadbinary, 17))", "not_authentic", true)]
    [InlineData("the expiry", "set_byte(payloadbinary, 25, 255 - get_byte(payloadbinary, 25))", "not_authentic", true)]
    [InlineData("an instant that is none", "set_byte(payloadbinary, 2, 127)", "malformed", false)]
    [InlineData("the length of the key's id", "set_byte(payloadbinary, 26, 200)", "malformed", true)]
    [InlineData("the key's id", "set_byte(payloadbinary, 33, 48)", "unknown_key", true)]
    [InlineData("the nonce", "set_byte(payloadbinary, 34, 255 - get_byte(payloadbinary, 34))", "not_authentic", true)]
    [InlineData("the content", "set_byte(payloadbinary, 46, 255 - get_byte(payloadbinary, 46))", "not_authentic", true)]
    [InlineData("the tag", "set_byte(payloadbinary, length(payloadbinary) - 1, 255 - get_byte(payloadbinary, length(payloadbinary) - 1))", "not_authentic", true)]
    [InlineData("its end", "substring(payloadbinary for length(payloadbinary) - 1)", "not_authentic", true)]
    [InlineData("all but a few bytes", "substring(payloadbinary for 5)", "malformed", false)]
    [InlineData("everything", "''::bytea", "malformed", false)]
    public async Task A_row_of_which_something_is_corrupt_is_not_stored_and_heals(string what, string sql, string reason, bool hasHeader)
    {
        await store.Save(Grain, StorageBench.Snapshot("rights"));
        await Execute($"UPDATE orleansstorage SET payloadbinary = {sql}");

        Assert.Null(await store.Read(Grain));

        Assert.True(counts[$"storage.reads:refused:{reason}"] == 1, $"{what}: {counts}");
        Assert.Equal(1, counts[$"alarms:snapshot_{reason}"]);
        Assert.Equal(hasHeader ? 0L : 1L, await Scalar<long>("SELECT count(*) FROM orleansstorage WHERE oldest_load IS NULL OR get_byte(payloadbinary, 1) = 0"));
        await store.Save(Grain, StorageBench.Snapshot("again"));
        Assert.Equal("again", (await store.Read(Grain))!.Snapshot.Text());
        Assert.Equal(1L, await Rows());
    }

    [Fact]
    public async Task A_row_without_payload_is_not_stored_and_written_anew()
    {
        await store.Save(Grain, StorageBench.Snapshot("rights"));
        await Execute("UPDATE orleansstorage SET payloadbinary = NULL");

        Assert.Null(await store.Read(Grain));
        Assert.Equal(1, counts["storage.reads:not_stored"]);
        await store.Save(Grain, StorageBench.Snapshot("again"));
        Assert.Equal("again", (await store.Read(Grain))!.Snapshot.Text());
        Assert.Equal(1L, await Rows());
    }

    [Fact]
    public async Task A_row_of_a_later_version_is_not_stored_and_stays_until_it_expires()
    {
        await store.Save(Grain, StorageBench.Snapshot("rights", life: TimeSpan.FromHours(1)));
        await Execute("UPDATE orleansstorage SET payloadbinary = set_byte(payloadbinary, 1, 2)");

        Assert.Null(await store.Read(Grain));
        await store.Save(Grain, StorageBench.Snapshot("mine", age: TimeSpan.FromMinutes(-1)));
        Assert.Equal(2, await Scalar<int>("SELECT get_byte(payloadbinary, 1) FROM orleansstorage"));
        Assert.Equal(0, counts["alarms:snapshot_newer"]);

        time.Advance(TimeSpan.FromHours(1));
        await store.Save(Grain, StorageBench.Snapshot("mine"));
        Assert.Equal("mine", (await store.Read(Grain))!.Snapshot.Text());
    }

    [Fact]
    public async Task Rows_swapped_between_two_families_are_those_of_neither()
    {
        var other = StorageBench.Grain("other");
        await store.Save(Grain, StorageBench.Snapshot("rights of one"));
        await store.Save(other, StorageBench.Snapshot("rights of the other"));
        await Execute("""
            UPDATE orleansstorage AS row SET payloadbinary = counterpart.payloadbinary
            FROM orleansstorage AS counterpart WHERE row.grainidextensionstring <> counterpart.grainidextensionstring
            """);

        Assert.Null(await store.Read(Grain));
        Assert.Null(await store.Read(other));

        Assert.Equal(2, counts["alarms:snapshot_not_authentic"]);
        Assert.DoesNotContain(store.Lines.All, line => line.Text.Contains("f-", StringComparison.Ordinal) || line.Text.Contains("subject", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Keys_rotate_without_restart()
    {
        var other = StorageBench.Grain("other");
        await store.Save(Grain, StorageBench.Snapshot("under the old key"));

        await Rotate("2026-12", "2026-11", "2026-12");
        Assert.Equal("under the old key", (await store.Read(Grain))!.Snapshot.Text());
        await store.Save(other, StorageBench.Snapshot("under the new key"));
        Assert.Equal(1L, await WithKey("2026-11"));
        Assert.Equal(1L, await WithKey("2026-12"));

        await Rotate("2026-12", "2026-12");
        Assert.Null(await store.Read(Grain));
        Assert.Equal(1, counts["alarms:snapshot_unknown_key"]);
        Assert.Equal("under the new key", (await store.Read(other))!.Snapshot.Text());
        await store.Save(Grain, StorageBench.Snapshot("again"));
        Assert.Equal("again", (await store.Read(Grain))!.Snapshot.Text());
        Assert.Equal(2L, await WithKey("2026-12"));
    }

    [Fact]
    public async Task A_database_that_is_full_fails_no_read_and_what_waits_is_written_when_there_is_room()
    {
        await store.Save(Grain, StorageBench.Snapshot("before"));
        await Execute("""
            CREATE FUNCTION no_room() RETURNS trigger LANGUAGE plpgsql AS $f$
            BEGIN RAISE EXCEPTION 'could not extend file: No space left on device' USING ERRCODE = 'disk_full'; END $f$;
            CREATE TRIGGER no_room BEFORE INSERT OR UPDATE ON orleansstorage FOR EACH ROW EXECUTE FUNCTION no_room();
            """);

        for (var number = 0; number < 5; number++)
            store.Store.Save(StorageBench.Kind, StorageBench.Grain($"n{number}"), "s", StorageBench.Snapshot("waits"));
        await store.Store.Flush(TimeSpan.FromSeconds(30));
        Assert.Equal(5, counts["storage.writes:failed"]);
        Assert.Equal(5, store.Store.Pending);
        Assert.Equal("before", (await store.Read(Grain))!.Snapshot.Text());
        Assert.Contains(store.Lines.All, line => line.Text.Contains("PostgreSQL 53100", StringComparison.Ordinal));

        await Execute("DROP TRIGGER no_room ON orleansstorage");
        await StorageBench.Until(
            () =>
            {
                time.Advance(TimeSpan.FromSeconds(30));
                return store.Store.Pending == 0;
            },
            $"{store.Store.Pending} were not written.");
        Assert.Equal(6L, await Rows());
        Assert.Equal(0, counts["storage.writes:dropped"]);
    }

    [Fact]
    public async Task Ten_thousand_first_reads_at_once_leave_connections_to_others()
    {
        await using var real = new StoreProcess(database, Keys, TimeProvider.System, readTimeoutSeconds: 10);

        var reads = Task.WhenAll(Enumerable.Range(0, 10_000).Select(number => real.Read(StorageBench.Grain($"n{number}"))));
        var most = 0L;
        while (!reads.IsCompleted)
            most = Math.Max(most, await Scalar<long>("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"));

        Assert.All(await reads, Assert.Null);
        Assert.Equal(10_000, counts["storage.reads:not_stored"] + counts["storage.reads:timed_out"]);
        Assert.True(counts["storage.reads:not_stored"] > 1_000, counts.ToString());
        Assert.InRange(most, 1, 24 + 4);
        TestContext.Current.TestOutputHelper?.WriteLine($"{counts}, at most {most} connections");
    }

    [Fact]
    public async Task A_database_without_the_schema_is_not_stored_until_it_has_it()
    {
        var empty = await databases.Create();
        var late = Open(empty);
        Assert.Null(await late.Read(Grain));
        await late.Save(Grain, StorageBench.Snapshot("rights"));
        Assert.Equal(1, counts["storage.reads:failed"]);
        Assert.Equal(1, counts["storage.writes:failed"]);

        await SchemaMigrations.OfThisBuild.Apply(empty, TestContext.Current.CancellationToken);
        time.Advance(TimeSpan.FromSeconds(30));
        await StorageBench.Until(() => late.Store.Pending == 0, "It is not written.");
        Assert.Equal("rights", (await late.Read(Grain))!.Snapshot.Text());
    }

    private StoreProcess Open(string? connectionString = null)
    {
        var process = new StoreProcess(connectionString ?? database, Keys, time);
        processes.Add(process);
        return process;
    }

    private async Task Rotate(string active, params string[] ids)
    {
        await File.WriteAllTextAsync(Keys, StorageBench.KeysFile(active, ids), TestContext.Current.CancellationToken);
        time.Advance(TimeSpan.FromSeconds(2));
    }

    private Task<long> WithKey(string id) => Scalar<long>($"SELECT count(*) FROM orleansstorage WHERE substring(payloadbinary from 28 for 7) = '{id}'::bytea");

    private Task<long> Rows() => Scalar<long>("SELECT count(*) FROM orleansstorage");

    private Task Execute(string sql) => PostgresServer.Execute(database, sql);

    private async Task<T> Scalar<T>(string sql) => (await PostgresServer.Scalar<T>(database, sql))!;
}
