using System.Diagnostics;
using DroitsAmeli.Load.Fill;
using DroitsAmeli.Load.Processes;
using DroitsAmeli.Simulators.RegimeSi;

namespace DroitsAmeli.Tests.Cache;

/// <summary>T9: what a cached family costs in memory, and that it stays so.</summary>
public sealed class MemoryTests
{
    private const double WantedBytes = 3000;
    private const double GrowthAllowed = 1.05;

    // The system gives pages back late: 470 became 511 MiB while the heap shrank.
    private const double ResidentGrowthAllowed = 1.25;
    private const double StillShrinking = 0.98;
    private const int Parts = 6;
    private const int AtOnce = 50;
    private const double ChangesPerSecond = 200;
    private const int OneLeavesOf = 10;
    private static readonly TimeSpan BetweenReports = TimeSpan.FromSeconds(10);

    // A family rests a minute after it was read, or a minute later.
    private static readonly TimeSpan RestBegins = TimeSpan.FromSeconds(65);

    private static readonly DeploymentOptions OneSilo = new()
    {
        Families = 1_000_000,
        MaxConcurrentCalls = 64,
        ReportsMemory = true,
        SiloSettings = new Dictionary<string, string> { ["Freshness:FreshMinutes"] = "1200", ["Freshness:BehindMinutes"] = "1300" },
    };

    [Fact]
    public async Task A_cached_family_costs_three_kilobytes_at_most()
    {
        await Scenario.Run(OneSilo, async (deployment, stop) =>
        {
            await deployment.RegimeSi.Set(new(), stop);
            await using var filler = await FamilleFiller.Connect(deployment, stop);

            // What the first families bring along (code, pools, connections) is theirs alone.
            var warm = Scale.Of(100, 1000);
            await filler.Load(0, warm, stop);
            var empty = await AtRestInFull(deployment, stop);
            var held = warm;
            var costs = new List<double>();
            foreach (var familles in Scale.Of<int[]>([10_000], [100_000, 500_000, 999_000]))
            {
                var clock = Stopwatch.StartNew();
                await filler.Load(held, familles - held, stop);
                var (loaded, seconds) = (familles - held, clock.Elapsed.TotalSeconds);
                held = familles;
                var full = await AtRest(deployment, stop);
                var managed = (double)(full.ManagedBytes - empty.ManagedBytes) / (held - warm);
                var resident = (double)(full.ResidentBytes - empty.ResidentBytes) / (held - warm);
                Figures.Add(
                    "T9", $"{held} families (composition and the user's rights), loaded at {loaded / seconds:0}/s",
                    $"{managed:0} B managed, {resident:0} B resident a family; {full.ResidentBytes / 1048576.0:0} MiB", "<= 3000 B",
                    ("families", held), ("managed_bytes", managed), ("resident_bytes", resident), ("loaded_per_second", loaded / seconds));
                costs.Add(managed);
            }

            Assert.All(costs, cost => Assert.InRange(cost, 1, WantedBytes));
        });
    }

    [Fact]
    public async Task Memory_does_not_grow_while_families_change()
    {
        var (familles, duration) = Scale.Of((2_000, TimeSpan.FromSeconds(10)), (100_000, TimeSpan.FromMinutes(30)));
        await Scenario.Run(OneSilo, async (deployment, stop) =>
        {
            await deployment.RegimeSi.Set(new(), stop);
            await using var filler = await FamilleFiller.Connect(deployment, stop);
            await filler.Load(0, familles, stop);

            var draw = new Random(9);

            // Once round, so that what is kept to be used again is there. How many families are awake depends on how fast the machine is just now:
            // they are compared at rest.
            var changes = await Churn(deployment, filler, draw, familles, duration / 4, stop);
            var before = await AtRestInFull(deployment, stop);
            var busy = new List<double>();
            for (var part = 0; part < Parts; part++)
            {
                changes += await Churn(deployment, filler, draw, familles, duration / Parts, stop);
                busy.Add((await MemoryReport.Of(deployment.Silos[0], stop)).ManagedBytes / 1048576.0);
            }

            var after = await AtRestInFull(deployment, stop);

            Figures.Add(
                "T9", $"{familles} families, {changes} of them changed and read again in {duration * 1.25}, one of {OneLeavesOf} gone in between",
                $"at rest managed {before.ManagedBytes / 1048576.0:0.0} -> {after.ManagedBytes / 1048576.0:0.0} MiB (in between {string.Join(", ", busy.Select(mebibytes => $"{mebibytes:0}"))}), resident {before.ResidentBytes / 1048576.0:0} -> {after.ResidentBytes / 1048576.0:0} MiB", "no growth",
                ("changes", changes), ("managed_before", before.ManagedBytes), ("managed_after", after.ManagedBytes),
                ("resident_before", before.ResidentBytes), ("resident_after", after.ResidentBytes));
            Assert.InRange(changes, familles / 20, int.MaxValue);
            Assert.InRange((double)after.ManagedBytes / before.ManagedBytes, 0, GrowthAllowed);
            Assert.InRange((double)after.ResidentBytes / before.ResidentBytes, 0, ResidentGrowthAllowed);
        });
    }

    /// <summary>What the silo holds once its families, read by nobody, have gone to rest: when it no longer shrinks.</summary>
    private static async Task<MemoryReport> AtRest(Deployment deployment, CancellationToken stop)
    {
        var clock = Stopwatch.StartNew();
        var last = await MemoryReport.Of(deployment.Silos[0], stop);
        while (true)
        {
            await Task.Delay(BetweenReports, TimeProvider.System, stop);
            var now = await MemoryReport.Of(deployment.Silos[0], stop);
            if (clock.Elapsed > RestBegins && now.ManagedBytes > last.ManagedBytes * StillShrinking)
                return now;
            last = now;
        }
    }

    /// <summary>The same in the long form, and in the short one what it holds now: that a minute passes is too long.</summary>
    private static Task<MemoryReport> AtRestInFull(Deployment deployment, CancellationToken stop) =>
        Scale.IsFull ? AtRest(deployment, stop) : MemoryReport.Of(deployment.Silos[0], stop);

    private static async Task<int> Churn(
        Deployment deployment, FamilleFiller filler, Random draw, int familles, TimeSpan duration, CancellationToken stop)
    {
        var clock = Stopwatch.StartNew();
        var changes = 0;
        while (clock.Elapsed < duration)
        {
            var batch = Enumerable.Range(0, AtOnce).Select(_ => (long)draw.Next(familles)).Distinct().ToList();
            foreach (var famille in batch)
                await deployment.RegimeSi.Change(famille, ChangeKind.Touch, stop);
            foreach (var famille in batch.Where((_, place) => place % OneLeavesOf == 0))
                await filler.Drop(famille, stop);
            foreach (var famille in batch)
                await filler.Load(famille, 1, stop);
            changes += batch.Count;
            if (TimeSpan.FromSeconds(changes / ChangesPerSecond) - clock.Elapsed is { Ticks: > 0 } rest)
                await Task.Delay(rest, TimeProvider.System, stop);
        }

        return changes;
    }
}
