using System.Diagnostics;
using DroitsAmeli.Load.Fill;
using DroitsAmeli.Load.Processes;
using DroitsAmeli.Load.Reads;

namespace DroitsAmeli.Tests.Cache;

/// <summary>T14: a flood of changes of families that silos hold and the database stores.</summary>
public sealed class EvenementsRateTests(Database database)
{
    private static readonly int Wanted = Scale.Of(1_000, 10_000);
    private static readonly int Seconds = Scale.Of(5, 10);
    private static readonly int ReadsPerSecond = Scale.Of(20, 100);
    private static readonly TimeSpan StoredLimit = TimeSpan.FromMinutes(2);
    private static readonly TimeSpan ToldLimit = TimeSpan.FromMinutes(2);
    private static readonly TimeSpan ReadFor = TimeSpan.FromSeconds(3);

    // The stream lasts for seconds: what is told so long after its end has kept up with it.
    private static readonly TimeSpan ToldWithin = TimeSpan.FromSeconds(2);

    // What two cores have to do at once takes longer than a call may where they have other things to do too.
    private static readonly double LeastGood = Scale.Of(0.5, 1.0);

    [Fact]
    public async Task A_flood_of_changes_is_told_to_silos_that_hold_the_families_while_these_are_read()
    {
        var familles = Scale.Of(2_000, 20_000);
        var count = Wanted * Seconds;
        var options = new DeploymentOptions
        {
            Silos = 2,
            FrontEnds = 2,
            Families = familles,
            SiloSettings = new Dictionary<string, string> { ["Freshness:FreshMinutes"] = "240", ["Freshness:BehindMinutes"] = "300" },
        };
        await Scenario.Run(await database.Server(), options, async (deployment, stop) =>
        {
            var database = deployment.ConnectionString!;
            await deployment.RegimeSi.Set(new(), stop);
            await deployment.RegimeSi.FeedIsFollowed(stop);
            await using (var filler = await FamilleFiller.Connect(deployment, stop))
                await filler.Load(0, familles, stop);
            await Waiting.Until(async () => await Stored.Families(database) >= familles, StoredLimit, () => "Not all families were stored.");
            await Waiting.Until(async () => await Stored.EvenementsTold(database) >= 0, StoredLimit, () => "No cursor was stored.");
            var book = new AnswerBook(deployment.RegimeSi);
            using var over = CancellationTokenSource.CreateLinkedTokenSource(stop);
            var report = new ReadReport();
            var reading = new OpenLoopReader(deployment, book).Run(
                new() { PerSecond = ReadsPerSecond, Duration = TimeSpan.FromDays(1), NextFamille = ReadLoad.ZipfOver(familles) }, report, over.Token);
            await Waiting.Until(() => Task.FromResult(report.Total > ReadsPerSecond), StoredLimit, () => $"Only {report.Total} reads came.");
            await deployment.RegimeSi.ResetCounters(stop);

            var before = await Stored.EvenementsTold(database);
            var cpu = deployment.Silos.Sum(silo => silo.Process.CpuTime.TotalMilliseconds);
            var began = Stopwatch.StartNew();
            var published = await deployment.RegimeSi.Touch(count, Wanted, stop);
            await Waiting.Until(
                async () => await Stored.EvenementsTold(database) >= before + count, ToldLimit, () => "Not all events were told.");
            var told = began.Elapsed;
            cpu = (deployment.Silos.Sum(silo => silo.Process.CpuTime.TotalMilliseconds) - cpu) / count;
            await Task.Delay(ReadFor, TimeProvider.System, stop);
            await over.CancelAsync();
            await reading;
            var counters = await deployment.RegimeSi.Counters(stop);
            var raised = await Stored.Superseded(database);

            var (perSecond, digested, late) = (count / published.TotalSeconds, count / told.TotalSeconds, told - published);
            Figures.Add(
                "T14", $"{count} events at {perSecond:0}/s over {familles} families held by 2 silos and stored",
                $"cursor stored {late.TotalSeconds:0.0} s after the last ({digested:0} events/s, {cpu:0.00} CPU ms of silos each), {raised} rows raised; {counters.Loads} SI calls meanwhile, {counters.ConcurrenceMax} at once", $">= {0.8 * Wanted:0} events/s",
                ("per_second", perSecond), ("digested_per_second", digested), ("late_seconds", late.TotalSeconds), ("silo_cpu_ms", cpu), ("si_calls", counters.Loads), ("at_once", counters.ConcurrenceMax));
            Figures.Add(
                "T14", $"meanwhile {ReadsPerSecond} reads/s of the same families",
                $"{report}", "0 not good",
                ("reads", report.Total), ("not_good", report.Total - report.Good), ("p99_ms", report.Latency(99)));
            Assert.Equal(0, report.Wrong);
            Assert.All(report.Outcomes.Keys, outcome => Assert.Contains(outcome, (string[])["200", "503 si_indisponible", "504 delai_depasse"]));
            Assert.True(report.GoodShare >= LeastGood, $"{report}\n{report.Failures()}");
            Assert.InRange(counters.ConcurrenceMax, 1, options.MaxConcurrentCalls);
            Assert.InRange(raised, 1, long.MaxValue);
            if (!Scale.IsFull)
                return;
            Assert.InRange(perSecond, 0.99 * Wanted, double.MaxValue);
            Assert.InRange(digested, 0.8 * Wanted, double.MaxValue);
            Assert.InRange(late, TimeSpan.MinValue, ToldWithin);
        });
    }
}
