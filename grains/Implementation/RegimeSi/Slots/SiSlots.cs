using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace DroitsAmeli.Grains.RegimeSi;

/// <summary>The right to make one call to the SI; disposing of it gives it back.</summary>
public sealed class SiSlot : IDisposable
{
    private SiSlots? owner;

    internal SiSlot(SiSlots owner) => this.owner = owner;

    /// <inheritdoc/>
    public void Dispose() => Interlocked.Exchange(ref owner, null)?.Release();

    /// <summary>Gives it back later: the SI may not know yet that the call has ended. Nobody waits for that.</summary>
    public void DisposeAfter(TimeSpan delay) => Interlocked.Exchange(ref owner, null)?.ReleaseAfter(delay);
}

/// <summary>
/// This silo's part of the cluster's slots, lent by <see cref="ISlotsGrain"/> in batches and handed to calls by rank, then fairly between
/// conventions. A call that would wait too long is turned away at once, by what its line has been seen to do.
/// </summary>
public sealed partial class SiSlots
{
    /// <summary>What a call that got no slot is told.</summary>
    internal static readonly TimeSpan RetryAfter = TimeSpan.FromSeconds(5);

    /// <summary>How long a silo without calls keeps its slots.</summary>
    private static readonly TimeSpan KeepIdle = TimeSpan.FromSeconds(3);

    private readonly Lock gate = new();
    private readonly SlotQueue queue;
    private readonly SlotHolding holding;
    private readonly Func<SlotRequest, Task<SlotGrant>> renew;
    private readonly TimeProvider time;
    private readonly ILogger<SiSlots> logger;
    private readonly int cap;
    private readonly int maxQueued;

    // Its result: how long after the last question the next one may come.
    private TaskCompletionSource<TimeSpan> wake = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private bool running;
    private bool asking;
    private bool hungry;
    private bool unanswered;
    private bool failing;
    private long askedAt;
    private long idleSince;

    /// <param name="silo">The name under which this silo holds slots, unique to this run of it.</param>
    /// <param name="renew">Asks the cluster's keeper.</param>
    /// <param name="options">The cap and the time-out.</param>
    /// <param name="time">The clock of the leases.</param>
    /// <param name="logger">Gets the keeper's failures.</param>
    public SiSlots(
        string silo, Func<SlotRequest, Task<SlotGrant>> renew, IOptions<RegimeSiOptions> options, TimeProvider time, ILogger<SiSlots> logger)
    {
        this.renew = renew;
        this.time = time;
        this.logger = logger;
        queue = new SlotQueue(time);
        holding = new SlotHolding(silo, options.Value, time);
        cap = options.Value.MaxConcurrentCalls;
        maxQueued = 8 * cap + 8;
    }

    /// <summary>Calls that hold a slot or wait for one.</summary>
    public int Pending
    {
        get
        {
            lock (gate)
                return holding.InUse + queue.Count;
        }
    }

    /// <summary>
    /// Waits for a slot: 0.6 s at most for a visit's first call, 2 s for any other; 4 s while the keeper does not answer and no more calls wait
    /// here than the cap.
    /// </summary>
    /// <param name="demand">On whose behalf; readers who join it while the call waits move it forward.</param>
    /// <param name="stage">Which call of a visit it is.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <returns>Null when none will come free in time, when too many calls wait, or when the user's token has ended.</returns>
    public async ValueTask<SiSlot?> Acquire(SharedDemand demand, SiStage stage, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        var waiter = new SlotWaiter(demand, stage);
        lock (gate)
        {
            if (HasEnded(waiter))
                return TurnedAway("token_ended");
            if (queue.Count == 0 && holding.CanStart)
            {
                holding.Start();
                return new SiSlot(this);
            }

            waiter.Settle();
            if (queue.Wait(waiter) > MaxWaitOf(waiter))
                return TurnedAway("too_many");
            queue.Add(waiter);
            if (queue.Count > maxQueued)
                queue.RemoveLast().Complete(TurnedAway("too_many"));
            Wake();
        }

        var since = time.GetTimestamp();
        using var timer = time.CreateTimer(_ => GiveUpLate(waiter, since), null, MaxWaitOf(waiter), SlotTiming.AnswersWithin);
        using var registration = cancellationToken.UnsafeRegister((_, token) => GiveUp(waiter, token), null);
        demand.Tell(() => Move(waiter, timer));
        try
        {
            Move(waiter, timer);
            return await waiter.Task.ConfigureAwait(false);
        }
        finally
        {
            demand.Tell(null);
        }
    }

    /// <summary>What this silo holds; an answer of the keeper's that is under way is void from now on.</summary>
    public SlotReport Report()
    {
        lock (gate)
            return holding.Report();
    }

    /// <summary>Asks the keeper anew: others have calls for what is held here beyond its share.</summary>
    public void RenewNow()
    {
        lock (gate)
            wake.TrySetResult(TimeSpan.Zero);
    }

    internal void Release()
    {
        lock (gate)
        {
            holding.End();
            if (holding.InUse == 0)
                idleSince = time.GetTimestamp();
            Pump();
            if (holding.OwesFreeSlots || (queue.Count > 0 && HasRunOut))
                wake.TrySetResult(TimeSpan.Zero);
        }
    }

    internal void ReleaseAfter(TimeSpan delay) => Task.Delay(delay, time).ContinueWith(
        static (_, slots) => ((SiSlots)slots!).Release(), this, CancellationToken.None, TaskContinuationOptions.None, TaskScheduler.Default);

    private static TimeSpan MaxWaitOf(SlotWaiter waiter) => waiter.Rank == SlotRank.FirstOfVisit ? SlotTiming.MaxFirstWait : SlotTiming.MaxWait;

    private static SiSlot? TurnedAway(string reason)
    {
        Telemetry.SiNotAsked.Add(1, new KeyValuePair<string, object?>("reason", reason));
        return null;
    }

    private bool HasEnded(SlotWaiter waiter) => waiter.Demand.Until <= time.GetUtcNow();

    // The lease ended before it was renewed: this process stood still, or its clock leapt.
    private bool HasRunOut => !asking && !hungry && holding.StartsFor <= TimeSpan.Zero;

    private void Pump()
    {
        while (holding.CanStart && queue.TryPeek(out var next))
        {
            if (HasEnded(next))
            {
                queue.Remove(next);
                next.Complete(TurnedAway("token_ended"));
                continue;
            }

            queue.Start(next);
            holding.Start();
            next.Complete(new SiSlot(this));
        }
    }

    private void Move(SlotWaiter waiter, ITimer timer)
    {
        lock (gate)
        {
            if (!waiter.HasOutgrownPlace || !queue.Remove(waiter))
                return;
            waiter.Settle();
            queue.Add(waiter);
            timer.Change(MaxWaitOf(waiter), SlotTiming.AnswersWithin);
        }
    }

    private void GiveUp(SlotWaiter waiter, CancellationToken cancelled)
    {
        lock (gate)
        {
            if (!queue.Remove(waiter))
                return;
        }
        waiter.Cancel(cancelled);
    }

    private void GiveUpLate(SlotWaiter waiter, long since)
    {
        bool isKeeperSilent;
        lock (gate)
        {
            isKeeperSilent = unanswered || (asking && time.GetElapsedTime(askedAt) >= SlotTiming.AnswersWithin);
            if ((isKeeperSilent && queue.Count <= cap && time.GetElapsedTime(since) < SlotTiming.MaxWaitForKeeper) || !queue.Remove(waiter))
                return;
        }
        waiter.Complete(TurnedAway(isKeeperSilent ? "no_keeper" : "too_late"));
    }

    private void Wake()
    {
        if (running)
        {
            // More can be had if more is wanted than was asked for, if the keeper had less than that, or once the lease has run out; not between
            // two polls.
            if (hungry)
                return;
            if (holding.WantsMore(queue.Count))
                wake.TrySetResult(TimeSpan.Zero);
            else if (HasRunOut || (!asking && holding.WasGivenLess))
                wake.TrySetResult(SlotTiming.Poll);
            return;
        }

        running = true;
        idleSince = time.GetTimestamp();

        // Detached: neither the calling grain's scheduler nor its request context.
        using (ExecutionContext.SuppressFlow())
            _ = Task.Run(KeepLease);
    }

    private async Task KeepLease()
    {
        while (true)
        {
            SlotRequest request;
            long sentAt;
            bool last;
            lock (gate)
            {
                wake = new TaskCompletionSource<TimeSpan>(TaskCreationOptions.RunContinuationsAsynchronously);
                (asking, hungry) = (true, false);
                askedAt = sentAt = time.GetTimestamp();
                last = holding.InUse == 0 && queue.Count == 0 && time.GetElapsedTime(idleSince) >= KeepIdle;
                request = holding.Ask(queue.Count, last);
            }

            SlotGrant? grant = null;
            string? failure = null;
            try
            {
                grant = await renew(request).WaitAsync(SlotTiming.MaxRenewal, time).ConfigureAwait(false);
            }
            catch (Exception error)
            {
                // Whatever happens to the keeper, this loop is the only one who can ask again.
                failure = error.GetType().Name;
            }

            if (failure is null && failing)
            {
                failing = false;
                LogRenewed(logger);
            }

            TimeSpan pause;
            Task<TimeSpan> woken;
            lock (gate)
            {
                (asking, unanswered) = (false, grant is null);
                if (grant is not null)
                    holding.Take(request, grant, sentAt);
                Pump();
                if (holding.InUse == 0 && queue.Count == 0 && (last || grant is null))
                {
                    running = false;
                    return;
                }

                hungry = queue.Count > 0 && (grant is null || grant.Allowance < request.Wanted);
                pause = hungry ? SlotTiming.Poll : UntilRenewal();
                woken = wake.Task;
            }

            // Where nobody waits for a slot, as when the silo stops, nobody misses the answer.
            if (failure is not null && !failing)
            {
                failing = true;
                LogRenewalFailed(logger, failure);
            }

            await Wait(woken, pause, sentAt).ConfigureAwait(false);
        }
    }

    private TimeSpan UntilRenewal()
    {
        var left = holding.StartsFor - SlotTiming.RenewBeforeEnd;
        return left > SlotTiming.Poll ? left : SlotTiming.Poll;
    }

    private async Task Wait(Task<TimeSpan> woken, TimeSpan pause, long sentAt)
    {
        using var stop = new CancellationTokenSource();
        await Task.WhenAny(woken, Task.Delay(pause, time, stop.Token)).ConfigureAwait(false);
        await stop.CancelAsync().ConfigureAwait(false);
        if (woken.IsCompleted && await woken.ConfigureAwait(false) - time.GetElapsedTime(sentAt) is { Ticks: > 0 } rest)
            await Task.Delay(rest, time).ConfigureAwait(false);
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "The keeper of the régime SI's slots cannot be asked: {Error}. It is tried again. Nothing has to be done while a silo starts or goes; else look at GET /admin/silos, and restart a silo that it lists without counts.")]
    private static partial void LogRenewalFailed(ILogger logger, string error);

    [LoggerMessage(Level = LogLevel.Warning, Message = "The keeper of the régime SI's slots answers again. Nothing has to be done.")]
    private static partial void LogRenewed(ILogger logger);
}
