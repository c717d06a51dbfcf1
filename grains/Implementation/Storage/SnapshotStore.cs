using System.Collections.Concurrent;
using DroitsAmeli.Grains.Droits;
using Microsoft.Extensions.Logging;
using Orleans.Storage;

namespace DroitsAmeli.Grains.Storage;

/// <summary>A kind of snapshot: the state name under which Orleans stores it, which is never used again for anything else.</summary>
/// <param name="State">The state name.</param>
/// <param name="Merge">Of two snapshots of one subject (stored, mine), what both know: an older part never replaces a newer one. The stored one itself when mine adds nothing.</param>
public sealed record SnapshotKind(string State, Func<Snapshot, Snapshot, Snapshot> Merge)
{
    /// <summary>The instants the SI gave, or last confirmed, what a snapshot holds: an order that forgets one of them forgets the snapshot.</summary>
    public Func<Snapshot, IEnumerable<DateTimeOffset>> Instants { get; init; } = snapshot => [snapshot.OldestLoad, snapshot.NewestLoad];
}

/// <summary>What is stored of one subject.</summary>
/// <param name="Content">The bytes, readable without the envelope; encrypted by the store.</param>
/// <param name="OldestLoad">When the SI gave the oldest part.</param>
/// <param name="NewestLoad">When the SI gave, or last confirmed, the newest part.</param>
/// <param name="ExpiresAt">From when on it may not be served.</param>
public sealed record Snapshot(ReadOnlyMemory<byte> Content, DateTimeOffset OldestLoad, DateTimeOffset NewestLoad, DateTimeOffset ExpiresAt);

/// <summary>A snapshot that was read.</summary>
/// <param name="Snapshot">What was stored.</param>
/// <param name="LeastVersion">The least version the change feed has announced since; 0 when none.</param>
public sealed record StoredSnapshot(Snapshot Snapshot, long LeastVersion);

/// <summary>What came of a read.</summary>
/// <param name="Found">The snapshot; null when there is none that this build may show, or none that could be read.</param>
/// <param name="IsKnown">False when the database could not say: it is worth asking again.</param>
public readonly record struct StoredRead(StoredSnapshot? Found, bool IsKnown);

/// <summary>
/// The stored snapshots. A store that is missing, slow, full or broken never makes a read fail: the snapshot is "not stored", counted.
/// Writes go behind the answers and are coalesced by subject.
/// </summary>
public sealed partial class SnapshotStore : IDisposable
{
    /// <summary>The name of the storage provider.</summary>
    public const string Provider = "snapshots";

    /// <summary>How many times <c>Storage:ReadTimeoutSeconds</c> a read waits for a database that answers others within it.</summary>
    internal const int Patience = 4;

    /// <summary>Patience ends here all the same, so that the régime SI can still be asked before an answer is due.</summary>
    internal static readonly TimeSpan LongestPatience = TimeSpan.FromSeconds(5);

    // Npgsql prepares a statement when it has run five times on its connection.
    private const int PreparedReads = 6;
    private const int PreparedConnections = 4;

    // Commands of others on a database that stands still: of the change feed and of the orders, 4 at once each, the membership, the purge.
    private const int OfOthers = 12;
    private const int MostConflicts = 5;
    private static readonly TimeSpan LogPeriod = TimeSpan.FromMinutes(1);

    private readonly IGrainStorage? rows;
    private readonly Func<StorageKeys> keys;
    private readonly TimeProvider time;
    private readonly ILogger logger;
    private readonly Func<IEnumerable<DateTimeOffset>, GrainId, bool> isForgotten;
    private readonly TimeSpan readTimeout;
    private readonly SemaphoreSlim reads;
    private readonly StorageCircuit circuit;
    private readonly BlockedThreads blocked;
    private readonly WriteBehind behind;
    private readonly ConcurrentDictionary<EnvelopeFault, DateTimeOffset> logged = new();
    private long answeredInTime;

    // The database answered at start, and no read has ended since.
    private volatile bool isPrepared;

    /// <param name="rows">The provider; null: nothing is ever stored.</param>
    /// <param name="keys">The keys in force.</param>
    /// <param name="options">How long to wait.</param>
    /// <param name="limits">How much at once.</param>
    /// <param name="time">Judges ages, paces writes.</param>
    /// <param name="logger">Is told what an operator must know, without ids.</param>
    /// <param name="isForgotten">Whether an order in force forgets what the SI gave that grain at one of those instants; null: there are no orders.</param>
    internal SnapshotStore(
        IGrainStorage? rows,
        Func<StorageKeys> keys,
        StorageOptions options,
        StorageLimits limits,
        TimeProvider time,
        ILogger<SnapshotStore> logger,
        Func<IEnumerable<DateTimeOffset>, GrainId, bool>? isForgotten = null)
    {
        (this.rows, this.keys, this.time, this.logger) = (rows, keys, time, logger);
        this.isForgotten = isForgotten ?? ((_, _) => false);
        readTimeout = TimeSpan.FromSeconds(options.ReadTimeoutSeconds);
        reads = new(limits.Reads, limits.Reads);
        circuit = new(time);
        blocked = new(limits.Reads + limits.Writes + OfOthers);
        behind = new(Carry, TimeSpan.FromSeconds(options.WriteDelaySeconds), time, logger, limits.Writes, limits.Waiting);
    }

    /// <summary>False when nothing is ever stored.</summary>
    public bool IsConfigured => rows is not null;

    /// <summary>Rows that are not written yet.</summary>
    public int Pending => behind.Pending;

    /// <summary>
    /// Opens a few connections and reads nothing through them, so that the first families do not wait for that. Ends after
    /// four times <c>Storage:ReadTimeoutSeconds</c> at the latest; never throws but for the caller's cancellation.
    /// </summary>
    /// <param name="kind">Whose statement is run.</param>
    /// <param name="grain">One that is never stored.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    public async Task Prepare(SnapshotKind kind, GrainId grain, CancellationToken cancellationToken)
    {
        if (rows is null)
            return;
        var reading = Task.WhenAll(Enumerable.Range(0, PreparedConnections).Select(_ => ReadAgain()));
        reading.Ignore();
        try
        {
            await reading.WaitAsync(Patient, time, cancellationToken);
            isPrepared = true;
        }
        catch (Exception exception) when (!cancellationToken.IsCancellationRequested)
        {
            LogUnprepared(StorageFailure.Describe(exception));
        }

        async Task ReadAgain()
        {
            for (var read = 0; read < PreparedReads; read++)
            {
                await reads.WaitAsync(cancellationToken);
                await ReadRow(kind, grain);
            }
        }
    }

    /// <summary>Reads a snapshot, if that can be done in time. Never throws but for the caller's cancellation.</summary>
    /// <param name="kind">What is read.</param>
    /// <param name="grain">Whose.</param>
    /// <param name="subject">The full id the snapshot must be of (associated data of the encryption).</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    public async Task<StoredRead> Read(SnapshotKind kind, GrainId grain, string subject, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        if (rows is null)
            return new(null, IsKnown: true);

        if (!circuit.TryEnter())
            return Unknown("circuit_open");

        // Half of the time to get a turn, so that a database that answers is not judged by the length of the queue.
        var begun = time.GetTimestamp();
        if (behind.Hasten(kind, grain) is { } ended)
        {
            // The row is about to change: what is read before that is of the past.
            if (!await EndsInTime(ended, readTimeout / 2, cancellationToken) || behind.IsBeingForgotten(kind, grain))
                return Unknown("timed_out");
        }

        if (!await TakesTurn(begun, cancellationToken))
            return Unknown("timed_out");

        var asked = time.GetTimestamp();
        var reading = ReadRow(kind, grain);
        try
        {
            await WaitWhileOthersAreAnswered(reading, begun, readTimeout, cancellationToken);
            var row = await reading;
            if (time.GetElapsedTime(asked) <= readTimeout)
                Volatile.Write(ref answeredInTime, time.GetUtcNow().Ticks);
            isPrepared = false;
            if (circuit.Succeeded())
            {
                blocked.Allow(false);
                LogReadable();
            }

            return new(Open(kind, subject, row), IsKnown: true);
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            throw;
        }
        catch (Exception exception)
        {
            isPrepared = false;
            if (circuit.Failed())
            {
                blocked.Allow(true);
                LogUnreadable(StorageFailure.Describe(exception));
            }

            return Unknown(exception is TimeoutException ? "timed_out" : "failed");
        }
    }

    /// <summary>Stores a snapshot soon; a later one of the same subject takes its place. Returns at once.</summary>
    public void Save(SnapshotKind kind, GrainId grain, string subject, Snapshot snapshot)
    {
        if (rows is not null)
            behind.Save(kind, grain, subject, snapshot);
    }

    /// <summary>Removes a snapshot soon, and what waits to be written of it at once.</summary>
    public void Forget(SnapshotKind kind, GrainId grain)
    {
        if (rows is not null)
            behind.Forget(kind, grain);
    }

    /// <summary>
    /// Completes when what was given to <see cref="Save"/> or <see cref="Forget"/> before, for these grains, has been tried once more, at once. A
    /// save that fails then is given up, though it may come through all the same; a removal is tried again.
    /// </summary>
    public Task<Settled> Settle(IReadOnlyCollection<GrainId> grains, CancellationToken cancellationToken) => behind.Settle(grains).WaitAsync(cancellationToken);

    /// <summary>Writes everything that waits, within a limit.</summary>
    public async Task Flush(TimeSpan limit)
    {
        try
        {
            await behind.Flush().WaitAsync(limit, time);
        }
        catch (TimeoutException)
        {
            LogUnflushed(behind.Pending);
        }
    }

    /// <summary>Stops writing.</summary>
    public void Dispose()
    {
        behind.Dispose();
        blocked.Allow(false);
    }

    private async Task<bool> EndsInTime(Task ended, TimeSpan limit, CancellationToken cancellationToken)
    {
        try
        {
            await ended.WaitAsync(limit, time, cancellationToken);
            return true;
        }
        catch (TimeoutException)
        {
            return false;
        }
    }

    /// <summary>
    /// Waits until that work ends, until a limit. While others are answered in time the database is well and this process, which has just
    /// started for instance, is busy: whoever gave up now would ask the régime SI for what is stored, so it waits longer.
    /// </summary>
    /// <exception cref="TimeoutException">The limit has come.</exception>
    private async Task WaitWhileOthersAreAnswered(Task work, long begun, TimeSpan limit, CancellationToken cancellationToken)
    {
        for (var most = Patient; ; limit += readTimeout)
        {
            try
            {
                await work.WaitAsync(Positive(limit - time.GetElapsedTime(begun)), time, cancellationToken);
                return;
            }
            catch (TimeoutException) when (!work.IsCompleted && limit + readTimeout <= most && OthersAreAnswered())
            {
                // Waits on.
            }
        }
    }

    private TimeSpan Patient => readTimeout * Patience < LongestPatience ? readTimeout * Patience
        : readTimeout > LongestPatience ? readTimeout
        : LongestPatience;

    private bool OthersAreAnswered() => isPrepared || time.GetUtcNow().Ticks - Volatile.Read(ref answeredInTime) <= readTimeout.Ticks;

    private async Task<bool> TakesTurn(long begun, CancellationToken cancellationToken)
    {
        var turn = reads.WaitAsync(CancellationToken.None);
        try
        {
            await WaitWhileOthersAreAnswered(turn, begun, readTimeout / 2, cancellationToken);
            return true;
        }
        catch (Exception exception) when (exception is TimeoutException or OperationCanceledException)
        {
            _ = turn.ContinueWith(_ => reads.Release(), CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
            if (exception is OperationCanceledException)
                throw;
            return false;
        }
    }

    private static TimeSpan Positive(TimeSpan span) => span > TimeSpan.Zero ? span : TimeSpan.Zero;

    // The turn ends with the call itself, not with the wait for it: a database that hangs holds no more connections than there are turns.
    private Task<SnapshotRow?> ReadRow(SnapshotKind kind, GrainId grain)
    {
        var reading = Task.Run(async () =>
        {
            try
            {
                var state = new GrainState<SnapshotRow>();
                await rows!.ReadStateAsync(kind.State, grain, state);
                return state.RecordExists ? state.State : null;
            }
            finally
            {
                reads.Release();
            }
        });
        reading.Ignore();
        return reading;
    }

    private StoredSnapshot? Open(SnapshotKind kind, string subject, SnapshotRow? row)
    {
        if (row is null)
            return Count("not_stored");
        var opened = Envelope.Open(keys(), kind.State, subject, row.Payload.Span);
        if (opened.Snapshot is not { } snapshot)
        {
            Refuse(opened.Fault);
            return null;
        }

        if (snapshot.ExpiresAt <= time.GetUtcNow())
            return Count("not_stored");
        Count("found");
        return new(snapshot, row.LeastVersion);
    }

    private async Task Carry(RowChange change)
    {
        if (change.Forget)
            await Remove(change);
        if (change.Snapshot is { } snapshot)
            await Write(change, snapshot);
    }

    private async Task Remove(RowChange change)
    {
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                await rows!.ClearStateAsync(change.Kind.State, change.Grain, new GrainState<SnapshotRow>());
                CountWrite("forgotten");
                return;
            }
            catch (InconsistentStateException) when (attempt < MostConflicts)
            {
                CountWrite("conflicted");
            }
        }
    }

    private async Task Write(RowChange change, Snapshot mine)
    {
        for (var attempt = 1; ; attempt++)
        {
            var now = time.GetUtcNow();
            if (mine.ExpiresAt <= now)
            {
                CountWrite("expired");
                return;
            }

            var state = new GrainState<SnapshotRow>();
            await rows!.ReadStateAsync(change.Kind.State, change.Grain, state);
            if (IsForgotten(change, mine))
                break;
            var (snapshot, outcome) = state is { RecordExists: true, State: { } row } ? Combine(change, row, mine, now) : (mine, "written");
            if (snapshot is not null)
            {
                state.State = new() { Payload = Envelope.Seal(keys(), change.Kind.State, change.Subject!, snapshot) };
                try
                {
                    await rows.WriteStateAsync(change.Kind.State, change.Grain, state);
                }
                catch (InconsistentStateException) when (attempt < MostConflicts)
                {
                    CountWrite("conflicted");
                    continue;
                }
            }

            CountWrite(outcome);
            if (snapshot is null || !IsForgotten(change, snapshot))
                return;
            break;
        }

        // A write of it may have come through all the same: one that timed out, or that the order overtook.
        await Remove(change);
    }

    private bool IsForgotten(RowChange change, Snapshot snapshot) => isForgotten(change.Kind.Instants(snapshot), change.Grain);

    /// <summary>What replaces the row; null: it stays as it is.</summary>
    private (Snapshot? Snapshot, string Outcome) Combine(RowChange change, SnapshotRow row, Snapshot mine, DateTimeOffset now)
    {
        var opened = Envelope.Open(keys(), change.Kind.State, change.Subject!, row.Payload.Span);
        if (opened.Snapshot is { } stored)
        {
            if (stored.ExpiresAt <= now || IsForgotten(change, stored))
                return (mine, "written");
            var merged = change.Kind.Merge(stored, mine);
            return ReferenceEquals(merged, stored) ? (null, "unchanged")
                : merged.ExpiresAt <= now ? (null, "expired")
                : (merged, "merged");
        }

        Refuse(opened.Fault, isRead: false);

        // While silos of two versions run side by side, the older one must not destroy what the newer one wrote.
        return opened.Fault is EnvelopeFault.Newer && opened.StatedExpiry > now ? (null, "newer_kept") : (mine, "written");
    }

    private void Refuse(EnvelopeFault fault, bool isRead = true)
    {
        var reason = fault switch
        {
            EnvelopeFault.Newer => "newer",
            EnvelopeFault.UnknownKey => "unknown_key",
            EnvelopeFault.NotAuthentic => "not_authentic",
            _ => "malformed",
        };
        if (isRead)
            Telemetry.StorageReads.Add(1, new("outcome", "refused"), new("reason", reason));
        if (fault is not EnvelopeFault.Newer)
            Telemetry.Alarms.Add(1, new KeyValuePair<string, object?>("alarm", "snapshot_" + reason));

        var now = time.GetUtcNow();
        var last = logged.GetValueOrDefault(fault);
        if (now - last >= LogPeriod && (last == default ? logged.TryAdd(fault, now) : logged.TryUpdate(fault, now, last)))
            LogRefused(reason, Remedy(fault));
    }

    private static string Remedy(EnvelopeFault fault) => fault switch
    {
        EnvelopeFault.Newer => "Nothing has to be done: a newer silo wrote it.",
        EnvelopeFault.UnknownKey => $"See that Storage:KeysFile holds on every silo the keys of the last {LongestAge.Hours} hours; what was written under a key that is gone is loaded again.",
        _ => "It was altered, moved or cut short in the database: see who writes to the table orleansstorage besides the silos, and restore nothing into it.",
    };

    private static StoredRead Unknown(string outcome) => new(Count(outcome), IsKnown: false);

    private static StoredSnapshot? Count(string outcome)
    {
        Telemetry.StorageReads.Add(1, new KeyValuePair<string, object?>("outcome", outcome));
        return null;
    }

    private static void CountWrite(string outcome) =>
        Telemetry.StorageWrites.Add(1, new KeyValuePair<string, object?>("outcome", outcome));

    [LoggerMessage(Level = LogLevel.Warning, Message = "Snapshots cannot be read and count as not stored: {Reason}. See that the database of Storage:ConnectionString runs and answers within Storage:ReadTimeoutSeconds; until then the régime SI is asked instead.")]
    private partial void LogUnreadable(string reason);

    [LoggerMessage(Level = LogLevel.Warning, Message = "The database of Storage:ConnectionString did not answer at start, the silo goes on without: {Reason}. See that it runs.")]
    private partial void LogUnprepared(string reason);

    [LoggerMessage(Level = LogLevel.Information, Message = "Snapshots can be read again.")]
    private partial void LogReadable();

    [LoggerMessage(Level = LogLevel.Warning, Message = "A stored snapshot was refused and counts as not stored: {Reason}. {Remedy} Said once a minute at most.")]
    private partial void LogRefused(string reason, string remedy);

    [LoggerMessage(Level = LogLevel.Warning, Message = "{Count} snapshots were not written in time. Nothing has to be done: the régime SI is asked for them again.")]
    private partial void LogUnflushed(int count);
}

/// <summary>How much the store does at once.</summary>
/// <param name="Reads">Rows read at once.</param>
/// <param name="Writes">Rows written at once.</param>
/// <param name="Waiting">Rows that may wait to be written.</param>
internal sealed record StorageLimits(int Reads = 24, int Writes = WriteBehind.Concurrency, int Waiting = WriteBehind.MostWaiting);
