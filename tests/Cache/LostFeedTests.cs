using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using DroitsAmeli.Load.Processes;
using DroitsAmeli.Load.Reads;
using DroitsAmeli.Simulators.RegimeSi;
using DroitsAmeli.Tests.Postgres;

namespace DroitsAmeli.Tests.Cache;

/// <summary>T14, a lost feed: nobody knows what changed, so all that is held is asked again, each family at its own moment.</summary>
public sealed class LostFeedTests(Database database)
{
    private const int Changed = 20;
    private const int SiTimeoutSeconds = 3;
    private const string Reported = "Events of the régime SI were missed";

    // A quarter of the families is due in a quarter of the time.
    private const double WindowShare = 0.25;
    private const double MostInWindow = 0.4;

    private static readonly int PerSecond = Scale.Of(150, 500);
    private static readonly TimeSpan Spread = Scale.Of(TimeSpan.FromSeconds(10), TimeSpan.FromMinutes(1));
    private static readonly TimeSpan OrderLimit = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan SampleEvery = TimeSpan.FromMilliseconds(200);
    private static readonly TimeSpan Slack = TimeSpan.FromSeconds(2);
    private static readonly Resource[] Both = [Resource.Me, Resource.Exonerations];

    private static readonly Reglages Usual = new() { Latency = new(MedianMs: 30, P99Ms: 200) };

    [Fact]
    public async Task Everything_is_asked_again_once_in_its_time_and_nothing_from_before_the_loss_is_shown_after()
    {
        var familles = Scale.Of(300, 3_000);
        var options = new DeploymentOptions
        {
            Silos = 2,
            FrontEnds = 2,
            MaxConcurrentCalls = 16,
            SiloSettings = new Dictionary<string, string>
            {
                ["Freshness:FreshMinutes"] = "240",
                ["Freshness:BehindMinutes"] = "300",
                ["RegimeSi:TimeoutSeconds"] = SiTimeoutSeconds.ToString(CultureInfo.InvariantCulture),
                ["Evenements:WaitSeconds"] = "1",
                ["Evenements:StaleSpreadMinutes"] = Spread.TotalMinutes.ToString(CultureInfo.InvariantCulture),
            },
        };
        await Scenario.Run(await database.Server(), options, async (deployment, stop) =>
        {
            var si = deployment.RegimeSi;
            var book = new AnswerBook(si);
            var closed = new ClosedLoopReader(deployment, book);
            await si.Set(Usual, stop);
            await si.FeedIsFollowed(stop);

            // What is loaded while the feed begins is asked again as well.
            await Task.Delay(TimeSpan.FromSeconds(SiTimeoutSeconds), TimeProvider.System, stop);
            var filled = await closed.Sweep(0, familles + Changed, workers: 16, Both, insist: true, stop);
            Assert.True(filled.Good == filled.Total, filled.Failures());
            using var http = Deployment.NewHttp(OrderLimit);
            var tokens = await deployment.FranceConnect.Mint([.. Enumerable.Range(familles, Changed).Select(famille => (long)famille)], Partner.Hopital, TimeSpan.FromMinutes(20), stop);
            var before = await Exonerations();

            var seen = new ConcurrentQueue<(DateTimeOffset Sent, DateTimeOffset Situation)>();
            using var over = CancellationTokenSource.CreateLinkedTokenSource(stop);
            var (next, report) = (0L, new ReadReport());
            var reading = new OpenLoopReader(deployment, book).Run(
                new()
                {
                    PerSecond = PerSecond,
                    Duration = TimeSpan.FromDays(1),
                    NextFamille = () => next++ / Both.Length % familles,
                    Resources = Both,
                    Seen = (_, answer) => seen.Enqueue((answer.ReceivedAt - answer.Took, answer.Situation ?? default)),
                },
                report,
                over.Token);
            await Waiting.Until(() => Task.FromResult(report.Total > PerSecond), TimeSpan.FromMinutes(1), () => $"Only {report.Total} reads came.");

            // Whoever follows the feed hears neither of the changes nor of the loss before both are there.
            await si.Set(Usual with { Faults = [new() { Kind = FaultKind.Status503, Target = SiCall.Evenements }] }, stop);
            await si.ResetCounters(stop);
            await Waiting.Until(async () => (await si.Counters(stop)).Evenements > 0, OrderLimit, () => "The feed is not followed.");
            for (var famille = familles; famille < familles + Changed; famille++)
                await si.Change(famille, ChangeKind.AddAld, stop);
            await si.LoseFeed(stop);
            var lostAt = TimeProvider.System.GetUtcNow();
            await si.Set(Usual, stop);
            await Waiting.Until(async () => await Stored.StaleOrders(deployment.ConnectionString!) > 0, OrderLimit, () => "The loss has led to no order.");
            var begins = await Stored.StaleFrom(deployment.ConnectionString!);

            var cycle = TimeSpan.FromSeconds(familles * Both.Length / (double)PerSecond);
            var samples = new List<(TimeSpan At, long Familles)>();
            for (var clock = Stopwatch.StartNew(); TimeProvider.System.GetUtcNow() < begins + Spread + cycle + Slack;)
            {
                samples.Add((clock.Elapsed, (await si.Counters(stop)).Familles));
                await Task.Delay(SampleEvery, TimeProvider.System, stop);
            }

            await over.CancelAsync();
            await reading;
            var counters = await si.Counters(stop);
            var most = samples.Max(from => samples.Where(to => to.At >= from.At && to.At - from.At <= Spread * WindowShare).Max(to => to.Familles) - from.Familles);

            // Everything in one sweep, so that no family goes unasked; then what changed unheard.
            var after = new ConcurrentBag<DateTimeOffset>();
            var swept = await closed.Sweep(0, familles, workers: 16, Both, insist: false, stop, (_, answer) => after.Add(answer.Situation ?? default));
            var again = (await si.Counters(stop)).Loads - counters.Loads;
            var oldest = new DateTimeOffset(lostAt.Ticks - lostAt.Ticks % TimeSpan.TicksPerSecond, TimeSpan.Zero);
            var old = seen.Count(entry => entry.Sent > begins + Spread && entry.Situation < oldest) + after.Count(situation => situation < oldest);
            var shown = (await Exonerations()).Zip(before).Count(counts => counts.First == counts.Second + 1);
            var orders = await Stored.StaleOrders(deployment.ConnectionString!);
            var told = deployment.Silos.Sum(silo => File.ReadLines(silo.Log).Count(line => line.Contains(Reported, StringComparison.Ordinal)));

            Figures.Add(
                "T14", $"the feed is lost, {familles} families read at {PerSecond}/s, spread over {Spread.TotalSeconds:0} s",
                $"{orders} order, told {told} times; asked again {counters.Familles} compositions, {counters.Droits} rights, {again} later; {(double)most / familles:P0} of them within {WindowShare:P0} of the time, {counters.ConcurrenceMax} at once",
                $"1; each once, spread, <= {options.MaxConcurrentCalls} at once",
                ("orders", orders), ("compositions", counters.Familles), ("rights", counters.Droits), ("later", again), ("most_in_window", (double)most / familles), ("at_once", counters.ConcurrenceMax));
            Figures.Add(
                "T14", $"meanwhile {report.Total} reads, {report.Refusals()}; {shown} of {Changed} changes that nobody heard of shown",
                $"{old} answers from before the loss after the spread", "0 not good, all, 0",
                ("reads", report.Total), ("not_good", report.Total - report.Good), ("changes_shown", shown), ("old_after", old));
            Assert.True(report.Good == report.Total, $"{report}\n{report.Failures()}");
            Assert.True(swept.Good == swept.Total, $"{swept}\n{swept.Failures()}");
            Assert.Equal((1, 1), (orders, told));
            Assert.Equal((0, familles, familles), counters.Calls);
            Assert.Equal(0, again);
            Assert.InRange(counters.ConcurrenceMax, 1, options.MaxConcurrentCalls);
            Assert.InRange((double)most / familles, 0, MostInWindow);
            Assert.Equal(0, old);
            Assert.Equal(Changed, shown);

            Task<int[]> Exonerations() => Task.WhenAll(tokens.Select((token, index) => ChangeTests.Count(
                http, deployment, new(familles + index, Resource.Exonerations), deployment.FrontEnds[index % deployment.FrontEnds.Count], token, stop)));
        });
    }
}
