using DroitsAmeli.Grains.Familles;
using DroitsAmeli.Grains.Storage;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Time.Testing;
using Orleans.Runtime;
using Orleans.Storage;
using Xunit;

namespace DroitsAmeli.Tests.Rules.Storage;

[Collection(StorageCounters.Name)]
public sealed class SnapshotStoreTests : IDisposable
{
    private const string Subject = "6GM91XKX";
    private static readonly TimeSpan Delay = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan Step = TimeSpan.FromSeconds(0.5);
    private static readonly GrainId Grain = StorageBench.Grain("one");
    private static readonly SnapshotKind Kind = StorageBench.Kind;

    private readonly FakeTimeProvider time = new(StorageBench.Start);
    private readonly MemoryRows rows = new();
    private readonly Counts counts = new();
    private readonly Lines<SnapshotStore> lines = new();
    private StorageKeys keys = StorageBench.Keys("2026-11", "2026-11");
    private SnapshotStore store;

    public SnapshotStoreTests() => store = Open();

    public void Dispose()
    {
        store.Dispose();
        counts.Dispose();
    }

    [Fact]
    public async Task Reads_what_was_saved_with_the_least_version_of_the_row()
    {
        store.Save(Kind, Grain, Subject, StorageBench.Snapshot("mine"));
        await store.Flush(TimeSpan.FromSeconds(30));
        rows.LeastVersion = 42;

        var read = await Read();

        Assert.Equal("mine", read!.Snapshot.Text());
        Assert.Equal(42, read.LeastVersion);
        Assert.Equal(StorageBench.Snapshot("mine").ExpiresAt, read.Snapshot.ExpiresAt);
        Assert.Equal(1, counts["storage.reads:found"]);
        Assert.Equal(1, counts["storage.writes:written"]);
        Assert.Equal(0, counts["storage.pending"]);
    }

    [Fact]
    public async Task Nothing_is_stored_without_a_provider()
    {
        using var none = new SnapshotStore(null, () => keys, new(), new(), time, lines);

        none.Save(Kind, Grain, Subject, StorageBench.Snapshot("mine"));
        none.Forget(Kind, Grain);
        await none.Flush(TimeSpan.FromSeconds(1));

        Assert.False(none.IsConfigured);
        Assert.True(store.IsConfigured);
        Assert.Equal(new(null, IsKnown: true), await none.Read(Kind, Grain, Subject, CancellationToken.None));
        Assert.Equal(0, none.Pending);
    }

    [Fact]
    public async Task Several_saves_of_one_subject_within_the_delay_are_one_write_of_the_last()
    {
        for (var number = 1; number <= 5; number++)
        {
            store.Save(Kind, Grain, Subject, StorageBench.Snapshot($"number {number}"));
            time.Advance(Delay / 10);
        }

        Assert.Equal(0, rows.Calls);
        time.Advance(Delay);
        await Idle();

        Assert.Equal(1, rows.Writes);
        Assert.Equal("number 5", (await Read())!.Snapshot.Text());
    }

    [Fact]
    public async Task A_stream_of_saves_does_not_put_a_write_off_for_ever()
    {
        for (var number = 0; number < 30; number++)
        {
            store.Save(Kind, Grain, Subject, StorageBench.Snapshot($"number {number}"));
            time.Advance(Delay / 10);
            await StorageBench.Until(() => number < 10 || rows.Writes > 0, "Nothing is written.");
        }
    }

    [Fact]
    public async Task Merges_what_another_silo_has_stored()
    {
        await Save("theirs", StorageBench.Snapshot("theirs"));
        await Save("older", StorageBench.Snapshot("older", age: TimeSpan.FromMinutes(1)));

        Assert.Equal("theirs", (await Read())!.Snapshot.Text());
        Assert.Equal(1, counts["storage.writes:unchanged"]);

        await Save("newer", StorageBench.Snapshot("newer", age: TimeSpan.FromMinutes(-1)));
        Assert.Equal("newer", (await Read())!.Snapshot.Text());
        Assert.Equal(1, counts["storage.writes:merged"]);
    }

    [Fact]
    public async Task A_write_that_another_precedes_reads_again_and_merges()
    {
        var first = true;
        rows.Before = call =>
        {
            if (call is "write" && first)
            {
                first = false;
                rows[Kind, Grain] = Envelope.Seal(keys, Kind.State, Subject, StorageBench.Snapshot("theirs", age: TimeSpan.FromMinutes(-5)));
            }

            return Task.CompletedTask;
        };

        await Save("mine", StorageBench.Snapshot("mine"));

        Assert.Equal("theirs", (await Read())!.Snapshot.Text());
        Assert.Equal(1, counts["storage.writes:conflicted"]);
        Assert.Equal(0, counts["storage.writes:failed"]);
    }

    [Fact]
    public async Task Conflicts_without_end_are_failures_and_tried_later()
    {
        rows.Before = call => call is "write" ? throw new InconsistentStateException("again") : Task.CompletedTask;
        await Save("mine", StorageBench.Snapshot("mine"));
        Assert.Equal(1, counts["storage.writes:failed"]);

        rows.Before = _ => Task.CompletedTask;
        time.Advance(TimeSpan.FromSeconds(1));
        await Idle();
        Assert.Equal("mine", (await Read())!.Snapshot.Text());
    }

    [Fact]
    public async Task Nothing_is_written_or_read_that_has_expired()
    {
        store.Save(Kind, Grain, Subject, StorageBench.Snapshot("short", life: TimeSpan.FromSeconds(1)));
        time.Advance(Delay);
        await Idle();
        Assert.Equal(0, rows.Count);
        Assert.Equal(1, counts["storage.writes:expired"]);

        await Save("longer", StorageBench.Snapshot("longer", life: TimeSpan.FromSeconds(10)));
        Assert.NotNull(await Read());
        time.Advance(TimeSpan.FromSeconds(8));
        Assert.Null(await Read());
        Assert.Equal(1, counts["storage.reads:not_stored"]);
    }

    [Fact]
    public async Task What_is_forgotten_is_neither_written_nor_merged_afterwards()
    {
        await Save("old", StorageBench.Snapshot("old", age: TimeSpan.FromMinutes(-9)));
        store.Save(Kind, Grain, Subject, StorageBench.Snapshot("waits"));
        store.Forget(Kind, Grain);
        await Idle();
        Assert.Equal(0, rows.Count);
        Assert.Null(await Read());

        await Save("old", StorageBench.Snapshot("old", age: TimeSpan.FromMinutes(-9)));
        var hold = new TaskCompletionSource();
        rows.Before = call => call is "clear" ? hold.Task : Task.CompletedTask;
        store.Forget(Kind, Grain);
        store.Save(Kind, Grain, Subject, StorageBench.Snapshot("new"));
        hold.SetResult();
        time.Advance(Delay);
        await Idle();
        Assert.Equal("new", (await Read())!.Snapshot.Text());
        Assert.Equal(2, counts["storage.writes:forgotten"]);
    }

    [Theory]
    [InlineData(OrdreKind.Quarantine)]
    [InlineData(OrdreKind.Forget)]
    public async Task What_an_order_forgets_while_it_waits_is_not_written(OrdreKind kind)
    {
        var ordres = Obey();
        var grain = GrainId.Create("famille", FamilleKey.Of(Subject));
        rows.Before = _ => throw new TimeoutException();
        store.Save(Kind, grain, Subject, StorageBench.Snapshot("wrong"));
        time.Advance(Delay);
        await StorageBench.Until(() => counts["storage.writes:failed"] == 1, "Nothing was tried.");

        ordres.Add(OrderOf(kind));
        rows.Before = _ => Task.CompletedTask;
        time.Advance(TimeSpan.FromSeconds(1));
        await Idle();
        Assert.Equal((0, 0), (rows.Count, rows.Writes));

        store.Save(Kind, grain, Subject, StorageBench.Snapshot("right", age: TimeSpan.FromMinutes(-1)));
        time.Advance(Delay);
        await Idle();
        Assert.Equal((1, 1), (rows.Count, rows.Writes));
    }

    [Fact]
    public async Task What_an_order_forgets_while_it_is_being_written_is_removed_again()
    {
        var ordres = Obey();
        rows.Before = call =>
        {
            if (call is "write")
                ordres.Add(OrderOf(OrdreKind.Quarantine));
            return Task.CompletedTask;
        };
        await Save("wrong", StorageBench.Snapshot("wrong"));

        Assert.Equal((1, 0), (rows.Writes, rows.Count));
    }

    [Fact]
    public async Task What_an_order_forgets_does_not_survive_in_the_row_that_follows()
    {
        var ordres = Obey();
        await Save("wrong", StorageBench.Snapshot("wrong"));
        ordres.Add(OrderOf(OrdreKind.Quarantine));
        await Save("right", StorageBench.Snapshot("right", age: TimeSpan.FromMinutes(1)));

        Assert.Equal("right", (await Read())!.Snapshot.Text());
    }

    [Fact]
    public async Task What_is_saved_after_a_removal_that_failed_is_written_once_the_old_row_is_gone()
    {
        await Save("old", StorageBench.Snapshot("old", age: TimeSpan.FromMinutes(-9)));
        var hold = new TaskCompletionSource();
        rows.Before = call => call is "clear" ? hold.Task : Task.CompletedTask;
        store.Forget(Kind, Grain);
        store.Save(Kind, Grain, Subject, StorageBench.Snapshot("new"));
        hold.SetException(new TimeoutException());
        await StorageBench.Until(() => counts["storage.writes:failed"] == 1, "The removal did not fail.");

        rows.Before = _ => Task.CompletedTask;
        time.Advance(Delay);
        await Idle();
        Assert.Equal("new", (await Read())!.Snapshot.Text());
    }

    [Fact]
    public async Task A_removal_that_fails_hides_the_row_and_is_tried_until_it_is_done()
    {
        await Save("old", StorageBench.Snapshot("old"));
        var away = true;
        rows.Before = call => call is "clear" && away ? throw new TimeoutException() : Task.CompletedTask;
        store.Forget(Kind, Grain);

        await StorageBench.Until(() => counts["storage.writes:failed"] >= 1, "Nothing was tried.");
        Assert.Null(await Read());
        await StorageBench.Until(
            () =>
            {
                time.Advance(TimeSpan.FromSeconds(30));
                return counts["storage.writes:failed"] >= WriteBehind.MostAttempts + 2;
            },
            $"It was given up: {counts}");

        away = false;
        await StorageBench.Until(
            () =>
            {
                time.Advance(TimeSpan.FromSeconds(30));
                return store.Pending == 0;
            },
            "It was not tried again.");
        Assert.Equal(0, rows.Count);
    }

    [Fact]
    public async Task While_the_database_is_away_one_tries_at_growing_intervals_and_nothing_is_lost()
    {
        const int families = 200;
        rows.Before = _ => throw new TimeoutException();
        for (var number = 0; number < families; number++)
            store.Save(Kind, StorageBench.Grain($"n{number}"), Subject, StorageBench.Snapshot($"{number}"));
        time.Advance(Delay);
        await StorageBench.Until(() => counts["storage.writes:failed"] >= 3, "Nothing was tried.");

        var before = counts["storage.writes:failed"];
        for (var second = 0; second < 60; second++)
        {
            time.Advance(TimeSpan.FromSeconds(1));
            await Task.Yield();
        }

        Assert.InRange(counts["storage.writes:failed"] - before, 0, WriteBehind.Concurrency + 10);
        await StorageBench.Until(
            () =>
            {
                time.Advance(TimeSpan.FromSeconds(30));
                return counts["storage.writes:failed"] > before;
            },
            "Nothing is tried any more.");
        Assert.Equal(families, store.Pending);
        Assert.Single(lines.All, line => line.Level is LogLevel.Warning);

        rows.Before = _ => Task.CompletedTask;
        await StorageBench.Until(
            () =>
            {
                time.Advance(TimeSpan.FromSeconds(30));
                return store.Pending == 0;
            },
            $"{store.Pending} were not written.");
        Assert.Equal(families, rows.Count);
        Assert.Contains(lines.All, line => line.Text.Contains("written again", StringComparison.Ordinal));
        Assert.InRange(rows.MostAtOnce, 1, WriteBehind.Concurrency);
    }

    [Fact]
    public async Task A_few_rows_are_written_at_once_and_the_others_wait()
    {
        var hold = new TaskCompletionSource();
        rows.Before = _ => hold.Task;
        for (var number = 0; number < 50; number++)
            store.Save(Kind, StorageBench.Grain($"n{number}"), Subject, StorageBench.Snapshot($"{number}"));
        time.Advance(Delay);
        await StorageBench.Until(() => rows.MostAtOnce == WriteBehind.Concurrency, $"{rows.MostAtOnce} at once");

        hold.SetResult();
        await Idle();
        Assert.Equal(50, rows.Count);
        Assert.Equal(WriteBehind.Concurrency, rows.MostAtOnce);
    }

    [Fact]
    public async Task What_fails_too_often_is_dropped()
    {
        rows.Before = call => call is "write" ? throw new TimeoutException() : Task.CompletedTask;
        store.Save(Kind, Grain, Subject, StorageBench.Snapshot("mine"));

        await StorageBench.Until(
            () =>
            {
                time.Advance(TimeSpan.FromSeconds(30));
                return store.Pending == 0;
            },
            "It is tried for ever.");

        Assert.Equal(WriteBehind.MostAttempts, counts["storage.writes:failed"]);
        Assert.Equal(1, counts["storage.writes:dropped"]);
    }

    [Fact]
    public async Task When_too_many_wait_the_oldest_are_dropped()
    {
        store.Dispose();
        store = Open(waiting: 10);
        for (var number = 0; number < 25; number++)
            store.Save(Kind, StorageBench.Grain($"n{number}"), Subject, StorageBench.Snapshot($"{number}"));

        Assert.Equal(10, store.Pending);
        Assert.Equal(15, counts["storage.writes:dropped"]);
        Assert.Equal(10, counts["storage.pending"]);
        time.Advance(Delay);
        await Idle();
        Assert.Null(rows[Kind, StorageBench.Grain("n14")]);
        Assert.NotNull(rows[Kind, StorageBench.Grain("n15")]);
    }

    [Fact]
    public async Task Settling_writes_at_once_and_waits_for_what_is_being_written()
    {
        var hold = new TaskCompletionSource();
        rows.Before = call => call is "write" ? hold.Task : Task.CompletedTask;
        store.Save(Kind, Grain, Subject, StorageBench.Snapshot("mine"));
        store.Save(Kind, StorageBench.Grain("other"), Subject, StorageBench.Snapshot("other"));

        var settled = store.Settle([Grain, StorageBench.Grain("unknown")], CancellationToken.None);
        await StorageBench.Until(() => rows.Reads == 1, "Nothing is written.");
        Assert.False(settled.IsCompleted);

        hold.SetResult();
        var (waited, failed) = await settled.WaitAsync(TimeSpan.FromSeconds(30), TestContext.Current.CancellationToken);
        Assert.Equal([Grain], waited);
        Assert.Empty(failed);
        Assert.NotNull(rows[Kind, Grain]);
        Assert.Null(rows[Kind, StorageBench.Grain("other")]);
    }

    [Fact]
    public async Task What_could_not_be_settled_is_told_and_not_written_afterwards()
    {
        rows.Before = _ => throw new TimeoutException();
        store.Save(Kind, Grain, Subject, StorageBench.Snapshot("mine"));
        var settled = await store.Settle([Grain], CancellationToken.None).WaitAsync(TimeSpan.FromSeconds(30), TestContext.Current.CancellationToken);
        Assert.Equal([Grain], settled.Failed);
        Assert.Equal(1, counts["storage.writes:dropped"]);

        rows.Before = _ => Task.CompletedTask;
        time.Advance(TimeSpan.FromMinutes(5));
        await Idle();
        Assert.Equal(0, rows.Count);
    }

    [Fact]
    public async Task A_flush_gives_up_at_its_limit_and_says_so()
    {
        rows.Before = _ => new TaskCompletionSource().Task;
        store.Save(Kind, Grain, Subject, StorageBench.Snapshot("mine"));

        var flush = store.Flush(TimeSpan.FromSeconds(3));
        Assert.False(flush.IsCompleted);
        time.Advance(TimeSpan.FromSeconds(3));

        await flush.WaitAsync(TimeSpan.FromSeconds(30), TestContext.Current.CancellationToken);
        Assert.Contains(lines.All, line => line.Text.Contains("1 snapshots were not written", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_row_that_a_later_version_wrote_is_not_stored_and_not_overwritten_until_it_expires()
    {
        var newer = Envelope.Seal(keys, Kind.State, Subject, StorageBench.Snapshot("newer", life: TimeSpan.FromHours(1)));
        newer[1] = 2;
        rows[Kind, Grain] = newer;

        Assert.Null(await Read());
        await Save("mine", StorageBench.Snapshot("mine"));
        Assert.Equal(newer, rows[Kind, Grain]);
        Assert.Equal(1, counts["storage.reads:refused:newer"]);
        Assert.Equal(1, counts["storage.writes:newer_kept"]);
        Assert.Equal(0, counts["alarms:snapshot_newer"]);

        time.Advance(TimeSpan.FromHours(1));
        await Save("mine", StorageBench.Snapshot("mine"));
        Assert.Equal("mine", (await Read())!.Snapshot.Text());
    }

    [Fact]
    public async Task A_key_that_is_gone_means_not_stored_and_an_alarm_without_ids()
    {
        await Save("mine", StorageBench.Snapshot("mine"));
        keys = StorageBench.Keys("2026-12", "2026-12");

        Assert.Null(await Read());
        Assert.Null(await Read());

        Assert.Equal(2, counts["storage.reads:refused:unknown_key"]);
        Assert.Equal(2, counts["alarms:snapshot_unknown_key"]);
        var warning = Assert.Single(lines.All);
        Assert.Equal(LogLevel.Warning, warning.Level);
        Assert.DoesNotContain(Subject, warning.Text, StringComparison.Ordinal);
        Assert.DoesNotContain("f-one", warning.Text, StringComparison.Ordinal);

        await Save("again", StorageBench.Snapshot("again"));
        Assert.Equal("again", (await Read())!.Snapshot.Text());
    }

    [Fact]
    public async Task A_row_of_another_subject_is_not_stored_and_an_alarm()
    {
        await Save("mine", StorageBench.Snapshot("mine"));

        Assert.Null((await store.Read(Kind, Grain, "another", CancellationToken.None)).Found);
        Assert.Equal(1, counts["alarms:snapshot_not_authentic"]);
    }

    [Fact]
    public async Task A_database_that_fails_costs_nothing_after_a_few_failures()
    {
        await Save("mine", StorageBench.Snapshot("mine"));
        rows.Before = _ => throw new TimeoutException();
        var before = rows.Calls;
        for (var read = 0; read < 100; read++)
            Assert.Null(await Read());

        Assert.False((await store.Read(Kind, Grain, Subject, TestContext.Current.CancellationToken)).IsKnown);
        Assert.Equal(StorageCircuit.FailuresToOpen, counts["storage.reads:timed_out"]);
        Assert.Equal(101 - StorageCircuit.FailuresToOpen, counts["storage.reads:circuit_open"]);
        Assert.Equal(before, rows.Calls);
        Assert.Single(lines.All);

        rows.Before = _ => Task.CompletedTask;
        time.Advance(StorageCircuit.BreakDuration);
        Assert.NotNull(await Read());
        Assert.NotNull(await Read());
        Assert.Equal(2, lines.All.Count);
    }

    [Fact]
    public async Task A_read_that_takes_too_long_is_not_stored()
    {
        await Save("mine", StorageBench.Snapshot("mine"));
        var hold = new TaskCompletionSource();
        rows.Before = _ => hold.Task;

        var reading = Read();
        Assert.False(reading.IsCompleted);
        time.Advance(TimeSpan.FromSeconds(1));

        Assert.Null(await reading.WaitAsync(TimeSpan.FromSeconds(30), TestContext.Current.CancellationToken));
        Assert.Equal(1, counts["storage.reads:timed_out"]);
        hold.SetResult();
    }

    [Fact]
    public async Task A_read_waits_longer_while_the_database_answers_others()
    {
        await Save("mine", StorageBench.Snapshot("mine"));
        var (reading, hold) = await HeldRead();
        for (var waited = TimeSpan.Zero; waited < TimeSpan.FromSeconds(1) * (SnapshotStore.Patience - 1); waited += Step)
        {
            await store.Read(Kind, StorageBench.Grain("other"), Subject, TestContext.Current.CancellationToken);
            time.Advance(Step);
            Assert.False(reading.IsCompleted);
        }

        hold.SetResult();
        Assert.Equal("mine", (await reading.WaitAsync(TimeSpan.FromSeconds(30), TestContext.Current.CancellationToken))!.Snapshot.Text());
    }

    [Fact]
    public async Task A_read_does_not_wait_for_ever_though_the_database_answers_others()
    {
        await Save("mine", StorageBench.Snapshot("mine"));
        var (reading, hold) = await HeldRead();
        for (var waited = TimeSpan.Zero; waited < TimeSpan.FromSeconds(1) * SnapshotStore.Patience; waited += Step)
        {
            await store.Read(Kind, StorageBench.Grain("other"), Subject, TestContext.Current.CancellationToken);
            time.Advance(Step);
        }

        Assert.Null(await reading.WaitAsync(TimeSpan.FromSeconds(30), TestContext.Current.CancellationToken));
        Assert.Equal(1, counts["storage.reads:timed_out"]);
        hold.SetResult();
    }

    [Fact]
    public async Task The_first_reads_after_a_start_wait_longer_for_a_database_that_has_answered()
    {
        await Save("mine", StorageBench.Snapshot("mine"));
        await store.Prepare(Kind, StorageBench.Grain("nobody"), TestContext.Current.CancellationToken);
        time.Advance(TimeSpan.FromMinutes(1));

        var (reading, hold) = await HeldRead();
        time.Advance(TimeSpan.FromSeconds(1) * (SnapshotStore.Patience - 1));
        Assert.False(reading.IsCompleted);
        hold.SetResult();
        Assert.Equal("mine", (await reading.WaitAsync(TimeSpan.FromSeconds(30), TestContext.Current.CancellationToken))!.Snapshot.Text());

        (reading, hold) = await HeldRead();
        time.Advance(TimeSpan.FromSeconds(1));
        time.Advance(TimeSpan.FromSeconds(1));
        Assert.Null(await reading.WaitAsync(TimeSpan.FromSeconds(30), TestContext.Current.CancellationToken));
        hold.SetResult();
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_start_goes_on_without_a_database_that_does_not_answer(bool fails)
    {
        var hold = new TaskCompletionSource();
        rows.Before = _ => fails ? throw new TimeoutException() : hold.Task;
        var preparing = store.Prepare(Kind, StorageBench.Grain("nobody"), TestContext.Current.CancellationToken);
        time.Advance(TimeSpan.FromSeconds(1) * SnapshotStore.Patience);
        await preparing.WaitAsync(TimeSpan.FromSeconds(30), TestContext.Current.CancellationToken);

        var warning = Assert.Single(lines.All);
        Assert.Contains("did not answer at start", warning.Text, StringComparison.Ordinal);
        Assert.Equal(0, counts["storage.reads:not_stored"]);
        hold.SetResult();
    }

    [Fact]
    public async Task A_caller_that_goes_away_is_told_so_and_fails_nobody()
    {
        var hold = new TaskCompletionSource();
        rows.Before = _ => hold.Task;
        for (var read = 0; read < StorageCircuit.FailuresToOpen * 2; read++)
        {
            using var caller = new CancellationTokenSource();
            var reading = store.Read(Kind, Grain, Subject, caller.Token);
            await caller.CancelAsync();
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => reading);
        }

        hold.SetResult();
        Assert.Null(await Read());
        Assert.Equal(1, counts["storage.reads:not_stored"]);
        Assert.Equal(0, counts["storage.reads:circuit_open"]);
    }

    [Fact]
    public async Task Ten_thousand_first_reads_at_once_ask_a_few_at_a_time()
    {
        rows.Before = async _ => await Task.Yield();

        var reads = await Task.WhenAll(Enumerable.Range(0, 10_000).Select(number =>
            store.Read(Kind, StorageBench.Grain($"n{number}"), Subject, CancellationToken.None)));

        Assert.All(reads, read => Assert.Equal(new(null, IsKnown: true), read));
        Assert.Equal(10_000, counts["storage.reads:not_stored"]);
        Assert.InRange(rows.MostAtOnce, 1, new StorageLimits().Reads);
    }

    [Fact]
    public async Task A_read_sees_what_waits_to_be_written()
    {
        store.Save(Kind, Grain, Subject, StorageBench.Snapshot("mine"));

        Assert.Equal("mine", (await Read())!.Snapshot.Text());
    }

    /// <summary>A read that the database does not answer, which answers every other.</summary>
    private async Task<(Task<StoredSnapshot?> Reading, TaskCompletionSource Hold)> HeldRead()
    {
        var (asked, hold) = (new TaskCompletionSource(), new TaskCompletionSource());
        rows.Before = _ => asked.TrySetResult() ? hold.Task : Task.CompletedTask;
        var reading = Read();
        await asked.Task.WaitAsync(TimeSpan.FromSeconds(30), TestContext.Current.CancellationToken);
        return (reading, hold);
    }

    private SnapshotStore Open(int waiting = WriteBehind.MostWaiting, Ordres? ordres = null) => new(
        rows,
        () => keys,
        new() { WriteDelaySeconds = Delay.TotalSeconds, ReadTimeoutSeconds = 1 },
        new() { Waiting = waiting },
        time,
        lines,
        ordres is null ? null : ordres.IsForgotten);

    private Ordres Obey()
    {
        var ordres = new Ordres();
        store.Dispose();
        store = Open(ordres: ordres);
        return ordres;
    }

    private static Ordre OrderOf(OrdreKind kind) =>
        new() { Id = Guid.NewGuid(), Kind = kind, From = StorageBench.Start, Instant = StorageBench.Start, Famille = Subject };

    private async Task<StoredSnapshot?> Read() => (await store.Read(Kind, Grain, Subject, TestContext.Current.CancellationToken)).Found;

    private async Task Save(string what, Snapshot snapshot)
    {
        store.Save(Kind, Grain, Subject, snapshot);
        await store.Flush(TimeSpan.FromSeconds(30)).WaitAsync(TimeSpan.FromSeconds(30), TestContext.Current.CancellationToken);
        Assert.True(store.Pending <= 1, what);
    }

    private Task Idle() => StorageBench.Until(() => store.Pending == 0, "Something waits for ever.");
}
