using System.Diagnostics;
using DroitsAmeli.Grains.RegimeSi;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace DroitsAmeli.Tests.Rules.RegimeSi;

/// <summary>
/// Forty silos' slots as they are, each with its own loop that asks the keeper, on a clock that only the test moves. The keeper is lost with its
/// silo, and the next one begins with a copy of the ledger and what the others say they hold. Answers take their time, and some are lost.
/// </summary>
public sealed class SiSlotsOfManySilosTests : IDisposable
{
    private const int Silos = 40;
    private const int CallersOfASilo = 3;
    private const int Cap = 32;
    private static readonly TimeSpan Step = TimeSpan.FromMilliseconds(10);
    private static readonly TimeSpan BetweenCopies = TimeSpan.FromMilliseconds(250);
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private readonly Lock gate = new();
    private readonly FakeTimeProvider time = new();
    private readonly Random random = new(11);
    private readonly IOptions<RegimeSiOptions> options = Options.Create(new RegimeSiOptions { BaseUrl = "http://127.0.0.1", MaxConcurrentCalls = Cap });
    private readonly SiSlots[] silos;
    private readonly int[] inUse = new int[Silos];
    private readonly int[] served = new int[Silos];
    private readonly CancellationTokenSource over = new();
    private SlotLedger? ledger;
    private (SlotLedgerState State, long SavedAt) copy;
    private int most;
    private int dead = -1;

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
        var callers = Enumerable.Range(0, Silos * CallersOfASilo).Select(at => Task.Run(() => Call(at % Silos))).ToList();
        await Pass(TimeSpan.FromSeconds(5), until: () => most == Cap && inUse[0] > 0);
        Assert.Equal(Cap, most);

        var unseen = LoseKeeper(with: 0);
        await Pass(TimeSpan.FromSeconds(2));
        FindKeeper();
        await Pass(TimeSpan.FromSeconds(15), until: () => most >= Cap && served.Skip(1).All(calls => calls > 0));
        await over.CancelAsync();
        await Pass(TimeSpan.Zero, until: () => callers.TrueForAll(caller => caller.IsCompleted));
        await Task.WhenAll(callers);

        // What its silo had begun on slots that no copy shows is the one thing beyond the cap.
        Assert.InRange(most, Cap, Cap + unseen);
        Assert.All(served.Skip(1), calls => Assert.InRange(calls, 1, int.MaxValue));
        Assert.Equal(0, inUse.Sum());
    }

    private static string Name(int silo) => $"silo {silo}";

    private SlotLedger NewLedger() => new(Cap, options.Value.Lease, time);

    private async Task Call(int silo)
    {
        while (!over.IsCancellationRequested && Volatile.Read(ref dead) != silo)
        {
            var begun = time.GetTimestamp();
            var slot = await silos[silo].Acquire(SiPriority.Present, SiStage.Droits, CancellationToken.None).ConfigureAwait(false);
            await (slot is null ? Task.Delay(TimeSpan.FromMilliseconds(100), time) : Use(slot, silo, begun)).ConfigureAwait(false);
        }
    }

    // Time stands still meanwhile: no call lasts longer than the longest, however late this thread learns that it has its slot.
    private Task Use(SiSlot slot, int silo, long begun)
    {
        lock (gate)
        {
            var left = options.Value.LongestCall - time.GetElapsedTime(begun);
            if (dead == silo || left <= TimeSpan.Zero)
            {
                slot.Dispose();
                return Task.CompletedTask;
            }

            served[silo]++;
            inUse[silo]++;
            most = Math.Max(most, inUse.Sum());
            var latency = TimeSpan.FromMilliseconds(random.Next(100, 3_900));
            return Task.Delay(latency < left ? latency : left, time).ContinueWith(
                _ =>
                {
                    lock (gate)
                        inUse[silo]--;
                    slot.Dispose();
                },
                CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
        }
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
                    silos[int.Parse(holder.AsSpan("silo ".Length), System.Globalization.CultureInfo.InvariantCulture)].RenewNow();
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
            return Math.Max(0, inUse[with] - shown);
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
            Array.Clear(served);
            most = inUse.Sum();
        }
    }

    /// <summary>Lets time pass in steps between which the silos have a moment to do what has become due, and on until that holds.</summary>
    private async Task Pass(TimeSpan length, Func<bool>? until = null)
    {
        var watched = Stopwatch.StartNew();
        for (var end = time.GetUtcNow() + length; time.GetUtcNow() < end || until?.Invoke() == false;)
        {
            Assert.True(watched.Elapsed < Patience, $"It does not come to pass: most {most}, in use {inUse.Sum()}, served {string.Join(' ', served)}.");
            lock (gate)
                time.Advance(Step);
            await Task.Yield();
            SpinWait.SpinUntil(() => ThreadPool.PendingWorkItemCount == 0, TimeSpan.FromMilliseconds(2));
        }
    }
}
