using System.Diagnostics;
using System.Globalization;
using DroitsAmeli.Grains.RegimeSi;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace DroitsAmeli.Tests.Rules.RegimeSi;

/// <summary>
/// Forty silos' slots as they are, each with its own loop that asks the keeper, on a clock that only the test moves. The keeper is lost with its
/// silo, and the next one begins with a copy of the ledger and what the others say they hold. Answers take their time, and some are lost.
/// Calls are counted by the instants at which they begin and end, whenever a thread comes to learn of them.
/// </summary>
public sealed class SiSlotsOfManySilosTests : IDisposable
{
    private const int Silos = 40;
    private const int CallersOfASilo = 3;
    private const int Cap = 32;

    // Its calls go on for longer than it takes to find another keeper.
    private const int Lost = 0;
    private static readonly TimeSpan Step = TimeSpan.FromMilliseconds(10);
    private static readonly TimeSpan BetweenCopies = TimeSpan.FromMilliseconds(250);
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private readonly Lock gate = new();
    private readonly FakeTimeProvider time = new();
    private readonly Random random = new(11);
    private readonly IOptions<RegimeSiOptions> options = Options.Create(new RegimeSiOptions { BaseUrl = "http://127.0.0.1", MaxConcurrentCalls = Cap });
    private readonly SiSlots[] silos;
    private readonly List<Call> calls = [];
    private readonly CancellationTokenSource over = new();
    private SlotLedger? ledger;
    private (SlotLedgerState State, long SavedAt) copy;
    private int dead = -1;

    private readonly record struct Call(int Silo, long From, long To);

    public SiSlotsOfManySilosTests()
    {
        ledger = NewLedger();
        copy = (ledger.Save(), time.GetTimestamp());
        silos = [.. Enumerable.Range(0, Silos).Select(at => new SiSlots(Name(at), request => Renew(at, request), options, time, NullLogger<SiSlots>.Instance))];
    }

    public void Dispose() => over.Dispose();

    [Fact]
    public async Task Never_more_than_the_cap_at_any_instant_when_the_keeper_is_lost_and_found_again()
    {
        var callers = Enumerable.Range(0, Silos * CallersOfASilo).Select(at => Task.Run(() => GoOnCalling(at % Silos))).ToList();
        await Pass(TimeSpan.FromSeconds(5), until: () => MostAtOnce(since: 0) >= Cap && InUse(Lost) > 0);
        Assert.Equal(Cap, MostAtOnce(since: 0));

        var unseen = LoseKeeper(with: Lost);
        await Pass(TimeSpan.FromSeconds(2));
        FindKeeper();
        var found = time.GetTimestamp();
        await Pass(TimeSpan.FromSeconds(15), until: () => MostAtOnce(found) >= Cap && ServedSince(found) == Silos - 1);
        await over.CancelAsync();
        await Pass(TimeSpan.Zero, until: () => callers.TrueForAll(caller => caller.IsCompleted));
        await Task.WhenAll(callers);

        // What its silo had begun on slots that no copy shows is the one thing beyond the cap.
        Assert.InRange(MostAtOnce(since: 0), Cap, Cap + unseen);
    }

    private static string Name(int silo) => $"silo {silo}";

    private SlotLedger NewLedger() => new(Cap, options.Value.Lease, time);

    private async Task GoOnCalling(int silo)
    {
        while (!over.IsCancellationRequested && Volatile.Read(ref dead) != silo)
        {
            var asked = time.GetTimestamp();
            var slot = await silos[silo].Acquire(SiPriority.Present, SiStage.Droits, CancellationToken.None).ConfigureAwait(false);
            if (slot is null)
                await Task.Delay(TimeSpan.FromMilliseconds(100), time).ConfigureAwait(false);
            else
                await Use(slot, silo, asked).ConfigureAwait(false);
        }
    }

    // Time goes on meanwhile: no call lasts longer than the longest since its slot was asked for, however late this thread learns that it has it.
    private async Task Use(SiSlot slot, int silo, long asked)
    {
        var lasts = TimeSpan.Zero;
        lock (gate)
        {
            var left = options.Value.LongestCall - time.GetElapsedTime(asked);
            if (dead != silo && left > TimeSpan.Zero)
            {
                lasts = TimeSpan.FromMilliseconds(silo == Lost ? 3_900 : random.Next(100, 3_900));
                lasts = lasts < left ? lasts : left;
                var from = time.GetTimestamp();
                calls.Add(new(silo, from, from + (long)(lasts.TotalSeconds * time.TimestampFrequency)));
            }
        }

        if (lasts > TimeSpan.Zero)
            await Task.Delay(lasts, time).ConfigureAwait(false);
        slot.Dispose();
    }

    private async Task<SlotGrant> Renew(int silo, SlotRequest request)
    {
        SlotGrant grant;
        TimeSpan onTheWay;
        lock (gate)
        {
            if (ledger is null || silo == dead)
                throw new TimeoutException();
            grant = ledger.Renew(request.Silo, request.Sequence, request.Held, request.Wanted, request.Needed);
            if (grant.Allowance < request.Needed)
            {
                foreach (var holder in ledger.Recall())
                    silos[int.Parse(holder.AsSpan("silo ".Length), CultureInfo.InvariantCulture)].RenewNow();
            }

            if (time.GetElapsedTime(copy.SavedAt) >= BetweenCopies)
                copy = (ledger.Save(), time.GetTimestamp());
            onTheWay = random.Next(50) switch
            {
                0 => TimeSpan.FromSeconds(2),
                < 25 => TimeSpan.Zero,
                var some => TimeSpan.FromMilliseconds(some),
            };
        }

        if (onTheWay > TimeSpan.Zero)
            await Task.Delay(onTheWay, time).ConfigureAwait(false);
        return grant;
    }

    /// <summary>The keeper is lost, and a silo with it.</summary>
    /// <returns>What that silo has in flight beyond what the last copy shows.</returns>
    private int LoseKeeper(int with)
    {
        lock (gate)
        {
            (ledger, dead) = (null, with);
            var shown = copy.State.Holders.SingleOrDefault(holder => holder.Name == Name(with))?.Outstanding ?? 0;
            return Math.Max(0, InUse(with) - shown);
        }
    }

    /// <summary>As the keeper's grain does when it begins without its ledger.</summary>
    private void FindKeeper()
    {
        lock (gate)
        {
            var found = NewLedger();
            var reports = silos.Where((_, at) => at != dead).Select(silo => silo.Report()).ToList();
            found.Recover(copy.State, time.GetElapsedTime(copy.SavedAt));
            foreach (var report in reports)
                found.Adopt(report.Silo, report.Sequence, report.Held);
            ledger = found;
        }
    }

    private int InUse(int silo)
    {
        lock (gate)
        {
            var now = time.GetTimestamp();
            return calls.Count(call => call.Silo == silo && call.From <= now && now < call.To);
        }
    }

    private int ServedSince(long since)
    {
        lock (gate)
            return calls.Where(call => call.From >= since).DistinctBy(call => call.Silo).Count();
    }

    private int MostAtOnce(long since)
    {
        lock (gate)
        {
            var (most, now) = (0, 0);
            var changes = calls.Where(call => call.To > since).SelectMany(call => ((long At, int By)[])[(call.From, 1), (call.To, -1)]);
            foreach (var (_, by) in changes.OrderBy(change => change.At).ThenBy(change => change.By))
                most = Math.Max(most, now += by);
            return most;
        }
    }

    /// <summary>Lets time pass in steps between which the silos have a moment to do what has become due, and on until that holds.</summary>
    private async Task Pass(TimeSpan length, Func<bool>? until = null)
    {
        var watched = Stopwatch.StartNew();
        for (var end = time.GetUtcNow() + length; time.GetUtcNow() < end || until?.Invoke() == false;)
        {
            Assert.True(watched.Elapsed < Patience, $"It does not come to pass: at most {MostAtOnce(since: 0)} at once, {calls.Count} calls.");
            time.Advance(Step);
            await Task.Yield();
            SpinWait.SpinUntil(() => ThreadPool.PendingWorkItemCount == 0, TimeSpan.FromMilliseconds(2));
        }
    }
}
