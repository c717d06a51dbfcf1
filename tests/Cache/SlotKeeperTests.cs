using System.Diagnostics;
using DroitsAmeli.Load.Processes;
using DroitsAmeli.Load.Reads;

namespace DroitsAmeli.Tests.Cache;

/// <summary>T13, the cap: the keeper of the SI's slots dies while all of them are in use.</summary>
public sealed class SlotKeeperTests(Database database)
{
    // Far more unknown families than the SI can take: 32 calls at once of 0.8 s are 40 a second, and each family costs three.
    private const double PerSecond = 40;
    private static readonly TimeSpan Saturation = TimeSpan.FromSeconds(4);
    private static readonly TimeSpan SaturationLimit = TimeSpan.FromMinutes(1);

    // Long enough for the death to be noticed, and for a lease (the time-out and a second) to end.
    private static readonly TimeSpan WatchedAfter = TimeSpan.FromSeconds(15);

    // An SI that works on what its caller has given up, as one that does not notice: the dead silo's calls stay until they are done.
    private static readonly DeploymentOptions ThreeSilos = new() { Silos = 3, FrontEnds = 2, Families = 1_000_000 };

    [Fact]
    public async Task The_si_sees_no_more_than_the_cap_and_what_the_keepers_silo_had_in_flight()
    {
        var repeats = Scale.Of(1, 20);
        await Scenario.Run(await database.Server(), ThreeSilos, async (deployment, stop) =>
        {
            var (si, cap) = (deployment.RegimeSi, ThreeSilos.MaxConcurrentCalls);
            await si.Set(new() { Latency = new(MedianMs: 800), Concurrency = new(Persist: true) }, stop);
            using var over = CancellationTokenSource.CreateLinkedTokenSource(stop);
            var report = new ReadReport();
            var reading = new OpenLoopReader(deployment, new AnswerBook(si)).Run(
                new() { PerSecond = PerSecond, Duration = TimeSpan.FromDays(1), NextFamille = ReadLoad.EachFrom(0), Resources = [Resource.Me] }, report, over.Token);
            var (most, orphans) = (0, 0L);
            for (var repeat = 0; repeat < repeats; repeat++)
            {
                await Saturated(si, cap, stop);
                await si.ResetCounters(stop);
                await Task.Delay(Saturation, TimeProvider.System, stop);
                var before = await si.Counters(stop);
                Assert.InRange(before.ConcurrenceMax, cap * 9 / 10, cap);

                var victim = await KeeperOf(deployment, stop);
                Assert.NotNull(victim);
                await si.ResetCounters(stop);
                await victim.Kill();
                await Task.Delay(WatchedAfter, TimeProvider.System, stop);
                var after = await si.Counters(stop);
                Assert.InRange(after.Abandons, 1, cap);
                Assert.InRange(after.ConcurrenceMax, 1, cap + (int)after.Abandons);
                (most, orphans) = (Math.Max(most, after.ConcurrenceMax), Math.Max(orphans, after.Abandons));

                Assert.NotEqual(victim, await KeeperOf(deployment, stop));
                await victim.Launch();
                await victim.Ready(Deployment.StartLimit, stop);
            }

            await si.ResetCounters(stop);
            await Saturated(si, cap, stop);
            await over.CancelAsync();
            await reading;
            Figures.Add(
                "T13", $"the silo of the slots' keeper killed (-9) under saturation, {repeats} repeats, 3 silos",
                $"at the SI at once {most}, of the dead silo {orphans} at most", $"<= {cap} + those",
                ("at_once", most), ("of_the_dead", orphans), ("repeats", repeats));
            Assert.Equal(0, report.Wrong);
        });
    }

    /// <summary>The silo that keeps the slots; null while none does.</summary>
    internal static Task<Node?> KeeperOf(Deployment deployment, CancellationToken stop) =>
        ClusterView.HostOf(deployment, "si-slots", "si-emplacements", stop);

    /// <summary>All slots are in use again, within a minute.</summary>
    private static async Task Saturated(SimulatedSi si, int cap, CancellationToken stop)
    {
        var last = await si.Counters(stop);
        var clock = Stopwatch.StartNew();
        await Waiting.Until(
            async () =>
            {
                var now = await si.Counters(stop);
                var (occupied, elapsed) = (now.OccupationMs - last.OccupationMs, clock.Elapsed);
                (last, clock) = (now, Stopwatch.StartNew());
                return elapsed > TimeSpan.Zero && occupied >= 0.9 * cap * elapsed.TotalMilliseconds;
            },
            SaturationLimit,
            () => "The slots are not all in use.");
    }
}
