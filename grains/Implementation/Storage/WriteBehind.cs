using Microsoft.Extensions.Logging;

namespace DroitsAmeli.Grains.Storage;

/// <summary>What is to be done to one row.</summary>
/// <param name="Kind">Of what kind it is.</param>
/// <param name="Grain">Whose it is.</param>
/// <param name="Subject">The full id; null when nothing is to be written.</param>
/// <param name="Snapshot">What is to be written; null: nothing.</param>
/// <param name="Forget">Whether what is stored is removed first.</param>
internal sealed record RowChange(SnapshotKind Kind, GrainId Grain, string? Subject, Snapshot? Snapshot, bool Forget);

/// <summary>What came of settling grains.</summary>
/// <param name="Waited">Those of which something was unwritten.</param>
/// <param name="Failed">Those of them of which something could not be written.</param>
public sealed record Settled(IReadOnlySet<GrainId> Waited, IReadOnlySet<GrainId> Failed);

/// <summary>
/// The changes that wait to be written: one for each row, each after a delay, some at a time. While writes fail, one tries, at growing
/// intervals; what has failed too often is dropped, and when too many wait the oldest are.
/// </summary>
internal sealed partial class WriteBehind : IDisposable
{
    public const int Concurrency = 8;
    public const int MostAttempts = 8;
    public const int MostWaiting = 50_000;
    private const int FailuresToPause = 3;
    private static readonly TimeSpan ShortestPause = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(30);

    private readonly Func<RowChange, Task> write;
    private readonly TimeSpan delay;
    private readonly TimeProvider time;
    private readonly ILogger logger;
    private readonly int concurrency;
    private readonly int mostWaiting;
    private readonly ITimer timer;
    private readonly Lock gate = new();
    private readonly Dictionary<(string State, GrainId Grain), Entry> entries = [];
    private readonly HashSet<string> states = [];
    private readonly LinkedList<Entry> removals = [];
    private readonly LinkedList<Entry> writes = [];
    private DateTimeOffset pausedUntil;
    private int failuresInARow;
    private int running;
    private bool disposed;

    /// <param name="write">Carries out a change; its exception is a failure.</param>
    /// <param name="delay">How long a change waits for another.</param>
    /// <param name="time">Paces everything.</param>
    /// <param name="logger">Is told when an outage begins and ends.</param>
    /// <param name="concurrency">Rows written at once.</param>
    /// <param name="mostWaiting">Rows that may wait.</param>
    public WriteBehind(
        Func<RowChange, Task> write,
        TimeSpan delay,
        TimeProvider time,
        ILogger logger,
        int concurrency = Concurrency,
        int mostWaiting = MostWaiting)
    {
        (this.write, this.delay, this.time, this.logger) = (write, delay, time, logger);
        (this.concurrency, this.mostWaiting) = (concurrency, mostWaiting);
        timer = time.CreateTimer(_ => Pump(), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    /// <summary>Rows of which something waits or is being written.</summary>
    public int Pending
    {
        get
        {
            lock (gate)
                return entries.Count;
        }
    }

    /// <summary>Gives up what waits; what is being written ends by itself.</summary>
    public void Dispose()
    {
        lock (gate)
        {
            disposed = true;
            Telemetry.StoragePending.Add(-entries.Count);
            foreach (var waiter in entries.Values.SelectMany(entry => entry.Waiters))
                waiter.Ended.TrySetResult(false);
            entries.Clear();
            removals.Clear();
            writes.Clear();
        }

        timer.Dispose();
    }

    /// <summary>Writes a snapshot after the delay, in place of one that waits.</summary>
    public void Save(SnapshotKind kind, GrainId grain, string subject, Snapshot snapshot) =>
        Change(kind, grain, entry => new(kind, grain, subject, snapshot, entry.Waiting?.Forget ?? false), delay);

    /// <summary>Removes a row at once; what waited to be written of it is not written.</summary>
    public void Forget(SnapshotKind kind, GrainId grain) =>
        Change(kind, grain, _ => new(kind, grain, null, null, Forget: true), TimeSpan.Zero);

    /// <summary>True while the removal of a row waits or runs.</summary>
    public bool IsBeingForgotten(SnapshotKind kind, GrainId grain)
    {
        lock (gate)
            return entries.TryGetValue((kind.State, grain), out var entry) && (entry.Waiting?.Forget == true || entry.Running?.Forget == true);
    }

    /// <summary>
    /// Tries at once what waits for that row, and completes when that has ended, well or not; null when nothing waits or runs.
    /// </summary>
    public Task? Hasten(SnapshotKind kind, GrainId grain)
    {
        Task? ended;
        lock (gate)
            ended = entries.TryGetValue((kind.State, grain), out var entry) ? HastenLocked(entry, dropWhenFailed: false) : null;
        Pump();
        return ended;
    }

    /// <summary>
    /// Tries at once what waits for these grains, and completes when that has ended. What fails is not tried again (a removal is), though it may
    /// come through all the same.
    /// </summary>
    public async Task<Settled> Settle(IReadOnlyCollection<GrainId> grains)
    {
        List<(GrainId Grain, Task<bool> Ended)> waited = [];
        lock (gate)
        {
            foreach (var grain in grains)
            {
                foreach (var state in states)
                {
                    if (entries.TryGetValue((state, grain), out var entry))
                    {
                        waited.Add((grain, HastenLocked(entry, dropWhenFailed: true)));
                    }
                }
            }
        }

        Pump();
        var outcomes = await Task.WhenAll(waited.Select(each => each.Ended));
        return new(
            waited.Select(each => each.Grain).ToHashSet(),
            waited.Where((_, at) => !outcomes[at]).Select(each => each.Grain).ToHashSet());
    }

    /// <summary>Tries at once everything that waits, and completes when that has ended.</summary>
    public Task Flush()
    {
        Task[] ended;
        lock (gate)
            ended = [.. entries.Values.Select(entry => HastenLocked(entry, dropWhenFailed: false))];
        Pump();
        return Task.WhenAll(ended);
    }

    private void Change(SnapshotKind kind, GrainId grain, Func<Entry, RowChange> make, TimeSpan wait)
    {
        lock (gate)
        {
            if (disposed)
                return;
            states.Add(kind.State);
            var key = (kind.State, grain);
            if (!entries.TryGetValue(key, out var entry))
            {
                entries.Add(key, entry = new() { Key = key });
                Telemetry.StoragePending.Add(1);
            }

            var waited = entry.Waiting is not null;
            var change = make(entry);
            if (!waited || change.Snapshot is null)
            {
                entry.DueAt = time.GetUtcNow() + wait;
                entry.Attempts = 0;
            }

            entry.Waiting = change;
            entry.Asked++;
            if (entry.Running is null)
                Line(entry);
            DropOldest();
        }

        Pump();
    }

    private Task<bool> HastenLocked(Entry entry, bool dropWhenFailed)
    {
        var waiter = new Waiter(entry.Asked, new(TaskCreationOptions.RunContinuationsAsynchronously));
        entry.Waiters.Add(waiter);
        entry.Urgent = true;
        entry.DropUpTo = dropWhenFailed ? entry.Asked : entry.DropUpTo;
        if (entry.Running is null)
            Line(entry);
        return waiter.Ended.Task;
    }

    private void Line(Entry entry)
    {
        entry.Node?.List!.Remove(entry.Node);
        var line = entry.Waiting!.Forget ? removals : writes;
        if (entry.Urgent)
        {
            entry.Node = line.AddFirst(entry);
            return;
        }

        var before = line.Last;
        while (before is not null && !before.Value.Urgent && before.Value.DueAt > entry.DueAt)
            before = before.Previous;
        entry.Node = before is null ? line.AddFirst(entry) : line.AddAfter(before, entry);
    }

    private void DropOldest()
    {
        foreach (var line in (ReadOnlySpan<LinkedList<Entry>>)[removals, writes])
        {
            while (line.Count > mostWaiting)
            {
                var oldest = line.First!.Value;
                TakeOut(oldest);
                Drop(oldest);
            }
        }
    }

    private static RowChange TakeOut(Entry entry)
    {
        var change = entry.Waiting!;
        entry.Node!.List!.Remove(entry.Node);
        (entry.Node, entry.Waiting, entry.Urgent) = (null, null, false);
        return change;
    }

    private void Drop(Entry entry)
    {
        Telemetry.StorageWrites.Add(1, new KeyValuePair<string, object?>("outcome", "dropped"));
        End(entry, entry.Asked, wasWritten: false);
    }

    private void End(Entry entry, long upTo, bool wasWritten)
    {
        if (entry.Waiting is null && entry.Running is null && entries.Remove(entry.Key))
            Telemetry.StoragePending.Add(-1);
        foreach (var waiter in entry.Waiters.Where(waiter => waiter.Asked <= upTo))
            waiter.Ended.TrySetResult(wasWritten);
        entry.Waiters.RemoveAll(waiter => waiter.Asked <= upTo);
    }

    private void Pump()
    {
        lock (gate)
        {
            if (disposed)
                return;
            var now = time.GetUtcNow();
            while (Next(now) is { } entry)
            {
                var asked = entry.Asked;
                var change = entry.Running = TakeOut(entry);
                running++;

                // Not in the context of whoever happened to be there: a write belongs to no request.
                ThreadPool.UnsafeQueueUserWorkItem(state => _ = state.Queue.Run(state.Entry, state.Change, state.Asked), (Queue: this, Entry: entry, Change: change, Asked: asked), preferLocal: false);
            }

            Schedule(now);
        }
    }

    private Entry? Next(DateTimeOffset now)
    {
        if (running >= concurrency)
            return null;
        var suspicious = failuresInARow >= FailuresToPause && (running > 0 || now < pausedUntil);
        foreach (var line in (ReadOnlySpan<LinkedList<Entry>>)[removals, writes])
        {
            if (line.First?.Value is { } first && (first.Urgent || (first.DueAt <= now && !suspicious)))
                return first;
        }

        return null;
    }

    private void Schedule(DateTimeOffset now)
    {
        if (running >= concurrency)
            return;
        DateTimeOffset? due = null;
        foreach (var line in (ReadOnlySpan<LinkedList<Entry>>)[removals, writes])
        {
            if (line.First?.Value is { } first && (due is null || first.DueAt < due))
                due = first.DueAt;
        }

        if (due is not { } at)
            return;
        if (failuresInARow >= FailuresToPause)
        {
            // While one tries, its end is what is waited for.
            if (running > 0)
                return;
            at = at > pausedUntil ? at : pausedUntil;
        }

        timer.Change(at > now ? at - now : TimeSpan.Zero, Timeout.InfiniteTimeSpan);
    }

    private async Task Run(Entry entry, RowChange change, long asked)
    {
        Exception? failure = null;
        try
        {
            await write(change);
        }
        catch (Exception exception)
        {
            failure = exception;
        }

        lock (gate)
        {
            running--;
            entry.Running = null;
            if (disposed)
                return;
            if (failure is null)
                Succeeded(entry);
            else
                Failed(entry, change, asked, failure);
            entry.Urgent = false;
            if (entry.Waiting is not null)
            {
                entry.Urgent = entry.Waiters.Exists(waiter => waiter.Asked > asked);
                Line(entry);
                DropOldest();
            }

            End(entry, asked, failure is null);
        }

        Pump();
    }

    private void Succeeded(Entry entry)
    {
        entry.Attempts = 0;
        if (failuresInARow >= FailuresToPause)
            LogBack(logger);
        failuresInARow = 0;
        pausedUntil = default;
    }

    private void Failed(Entry entry, RowChange change, long asked, Exception failure)
    {
        Telemetry.StorageWrites.Add(1, new KeyValuePair<string, object?>("outcome", "failed"));
        var now = time.GetUtcNow();
        failuresInARow++;
        if (failuresInARow >= FailuresToPause)
            pausedUntil = now + PauseAfter(failuresInARow - FailuresToPause);
        if (failuresInARow == FailuresToPause)
            LogAway(logger, StorageFailure.Describe(failure));

        if (entry.Waiting is { } newer)
        {
            // What was to be removed must still be, before anything newer is written.
            entry.Waiting = newer with { Forget = newer.Forget || change.Forget };
            return;
        }

        entry.Attempts++;
        if (!change.Forget && (asked <= entry.DropUpTo || entry.Attempts >= MostAttempts))
        {
            Telemetry.StorageWrites.Add(1, new KeyValuePair<string, object?>("outcome", "dropped"));
            return;
        }

        entry.Waiting = asked <= entry.DropUpTo ? change with { Subject = null, Snapshot = null } : change;
        entry.DueAt = now + PauseAfter(entry.Attempts - 1);
    }

    private static TimeSpan PauseAfter(int doublings)
    {
        var pause = ShortestPause * Math.Pow(2, Math.Min(doublings, 10));
        return pause < LongestPause ? pause : LongestPause;
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "Snapshots cannot be written, they wait and are tried at growing intervals: {Reason}. See that the database of Storage:ConnectionString runs, has room and takes writes; answers go on without it.")]
    private static partial void LogAway(ILogger logger, string reason);

    [LoggerMessage(Level = LogLevel.Information, Message = "Snapshots are written again.")]
    private static partial void LogBack(ILogger logger);

    /// <param name="Asked">For which change.</param>
    /// <param name="Ended">Its result: whether it was written.</param>
    private sealed record Waiter(long Asked, TaskCompletionSource<bool> Ended);

    private sealed class Entry
    {
        public required (string State, GrainId Grain) Key { get; init; }

        public RowChange? Waiting { get; set; }

        public RowChange? Running { get; set; }

        public LinkedListNode<Entry>? Node { get; set; }

        public DateTimeOffset DueAt { get; set; }

        public int Attempts { get; set; }

        /// <summary>Counts the changes that were asked for.</summary>
        public long Asked { get; set; }

        /// <summary>Up to which of them a failure is final.</summary>
        public long DropUpTo { get; set; }

        /// <summary>Somebody waits for what waits.</summary>
        public bool Urgent { get; set; }

        public List<Waiter> Waiters { get; } = [];
    }
}
