using System.Diagnostics;
using DroitsAmeli.Load.Processes;
using DroitsAmeli.Load.Reads;
using DroitsAmeli.Simulators.RegimeSi;
using DroitsAmeli.Tests.Postgres;

namespace DroitsAmeli.Tests.Cache;

/// <summary>T10: every process is killed and started again over what is stored.</summary>
public sealed class RestartTests(Database database)
{
    private static readonly TimeSpan ReadyWanted = TimeSpan.FromSeconds(15);
    private static readonly TimeSpan ReadyLimit = TimeSpan.FromMinutes(2);
    private static readonly TimeSpan StoredLimit = TimeSpan.FromMinutes(2);

    // Processes that have just started serve less than they will: until then what they cannot serve is refused, and nothing afterwards.
    private static readonly TimeSpan YoungFor = TimeSpan.FromSeconds(30);
    private static readonly Resource[] Both = [Resource.Me, Resource.Exonerations];

    [Fact]
    public async Task Fresh_families_come_back_from_the_store_and_the_si_is_spared()
    {
        var familles = Scale.Of(5_000, 100_000);
        var options = new DeploymentOptions
        {
            Silos = Scale.Of(2, 3),
            FrontEnds = 2,
            Families = 1_000_000,
            SiloSettings = new Dictionary<string, string>
            {
                ["Freshness:FreshMinutes"] = "240",
                ["Freshness:BehindMinutes"] = "300",

                // On a machine that does other things too, a slow read of the store is not what is measured.
                ["Storage:ReadTimeoutSeconds"] = Scale.Of("5", "1"),
            },
        };
        await Scenario.Run(await database.Server(), options, async (deployment, stop) =>
        {
            var book = new AnswerBook(deployment.RegimeSi);
            await deployment.RegimeSi.Set(new(), stop);
            var filled = await new ClosedLoopReader(deployment, book).Sweep(0, familles, workers: 24, Both, insist: true, stop);
            Assert.True(filled.Good == filled.Total, filled.Failures());
            await Waiting.Until(
                async () => await Stored.Families(deployment.ConnectionString!) >= familles,
                StoredLimit,
                () => $"Not all of {familles} families were stored.");
            await Waiting.Settled(() => Stored.Rows(deployment.ConnectionString!), TimeSpan.FromSeconds(5), StoredLimit);

            var nodes = deployment.Silos.Concat(deployment.FrontEnds).ToList();
            await Task.WhenAll(nodes.Select(node => node.Kill()));
            await deployment.RegimeSi.Set(new() { Latency = new(MedianMs: 300, P99Ms: 2000) }, stop);
            await deployment.RegimeSi.ResetCounters(stop);

            var clock = Stopwatch.StartNew();
            foreach (var node in nodes)
                await node.Launch();
            await Task.WhenAll(nodes.Select(node => node.Ready(ReadyLimit, stop)));
            var ready = clock.Elapsed;
            var perSecond = Scale.Of(200, 500);
            var (judging, lastBad) = (new Lock(), TimeSpan.Zero);
            var report = await new OpenLoopReader(deployment, book).Run(
                new() { PerSecond = perSecond, Duration = Scale.Of(TimeSpan.FromSeconds(20), TimeSpan.FromMinutes(2)), NextFamille = ReadLoad.ZipfOver(familles), Resources = Both, Judged = KeepLastBad },
                new(),
                stop);
            var counters = await deployment.RegimeSi.Counters(stop);

            Figures.Add(
                "T10", $"{familles} stored families, {nodes.Count} processes killed -9: ready after",
                $"{ready.TotalSeconds:0.0} s", "<= 15 s",
                ("families", familles), ("ready_seconds", ready.TotalSeconds));
            Figures.Add(
                "T10", $"then {perSecond} reads/s (Zipf) at once: {report.Total} reads, {report.Refusals()}, the last of them due after {lastBad.TotalSeconds:0.0} s, p99 {report.Latency(99):0} ms",
                $"SI calls: {counters.Identifications} identifications, {counters.Familles} compositions, {counters.Droits} rights; at once {counters.ConcurrenceMax}",
                "0 for fresh ones, <= cap",
                ("reads", report.Total), ("good", report.Good), ("last_bad_seconds", lastBad.TotalSeconds), ("p99_ms", report.Latency(99)), ("si_calls", counters.Loads), ("at_once", counters.ConcurrenceMax));
            Assert.Equal(0, report.Wrong);
            Assert.True(report.GoodShare >= Scale.Of(0.95, 0.999), $"{report}\n{report.Failures()}");
            Assert.InRange(lastBad, TimeSpan.Zero, YoungFor);
            AssertRefusals(report);
            Assert.InRange(counters.ConcurrenceMax, 0, options.MaxConcurrentCalls);
            Assert.Equal(0, counters.Loads);
            Assert.InRange(ready, TimeSpan.Zero, Scale.Of(ReadyLimit, ReadyWanted));

            void KeepLastBad(JudgedRead read)
            {
                if (read is { Reading.Status: 200, Right: true, Declared: true })
                    return;
                lock (judging)
                    lastBad = read.Due > lastBad ? read.Due : lastBad;
            }
        });
    }

    [Fact]
    public async Task A_cluster_that_starts_with_nothing_stored_stays_below_the_cap()
    {
        var options = new DeploymentOptions { Silos = Scale.Of(2, 3), FrontEnds = 2, Families = 1_000_000 };
        await Scenario.Run(await database.Server(), options, async (deployment, stop) =>
        {
            var book = new AnswerBook(deployment.RegimeSi);
            await deployment.RegimeSi.Set(new() { Latency = new(MedianMs: 300, P99Ms: 2000) }, stop);
            // Nothing is stored: the herd is as large as it can be.
            var report = await new OpenLoopReader(deployment, book).Run(
                new() { PerSecond = Scale.Of(200, 500), Duration = Scale.Of(TimeSpan.FromSeconds(10), TimeSpan.FromSeconds(60)), NextFamille = ReadLoad.ZipfOver(100_000), Resources = Both },
                new(),
                stop);
            var counters = await deployment.RegimeSi.Counters(stop);

            Figures.Add(
                "T10", $"nothing stored, {report.Total} reads (Zipf) at once: {report.Outcomes.GetValueOrDefault("200")} answered 200, {report.Refusals()}",
                $"{counters.Loads} SI calls, at once {counters.ConcurrenceMax}", $"<= {options.MaxConcurrentCalls} at once",
                ("reads", report.Total), ("si_calls", counters.Loads), ("at_once", counters.ConcurrenceMax));
            Assert.InRange(counters.ConcurrenceMax, 1, options.MaxConcurrentCalls);
            Assert.Equal(0, report.Wrong);
            AssertRefusals(report);
        });
    }

    private static void AssertRefusals(ReadReport report) =>
        Assert.All(report.Outcomes.Keys, outcome => Assert.Contains(outcome, (string[])["200", "503 si_indisponible", "504 delai_depasse"]));
}

/// <summary>What stands in the database of a deployment.</summary>
internal static class Stored
{
    /// <summary>Families whose snapshot is stored.</summary>
    public static Task<long> Families(string connectionString) => PostgresServer.Scalar<long>(
        connectionString, "SELECT count(*) FROM orleansstorage WHERE payloadbinary IS NOT NULL AND grainidextensionstring LIKE 'f-%'");

    /// <summary>Stored families of which the SI may have given something in that interval, both ends included.</summary>
    public static Task<long> FamiliesGivenBetween(string connectionString, DateTimeOffset from, DateTimeOffset to) =>
        GivenBetween(connectionString, from, to, "LIKE 'f-%'");

    /// <summary>The same of identities.</summary>
    public static Task<long> IdentitiesGivenBetween(string connectionString, DateTimeOffset from, DateTimeOffset to) =>
        GivenBetween(connectionString, from, to, "NOT LIKE 'f-%'");

    /// <summary>Everything that is stored.</summary>
    public static Task<long> Rows(string connectionString) => PostgresServer.Scalar<long>(
        connectionString, "SELECT count(*) FROM orleansstorage WHERE payloadbinary IS NOT NULL");

    /// <summary>Families whose stored snapshot may not be read before the SI is asked, since the feed has told a version.</summary>
    public static Task<long> Superseded(string connectionString) => PostgresServer.Scalar<long>(connectionString, "SELECT count(*) FROM orleansstorage WHERE least_version > 0");

    /// <summary>Orders by which everything that was loaded before them is asked again.</summary>
    public static Task<long> StaleOrders(string connectionString) => PostgresServer.Scalar<long>(connectionString, "SELECT count(*) FROM ordres WHERE kind = 0");

    /// <summary>The instant of the last of them.</summary>
    public static async Task<DateTimeOffset> StaleFrom(string connectionString) =>
        new(await PostgresServer.Scalar<DateTime>(connectionString, "SELECT max(instant) FROM ordres WHERE kind = 0"));

    /// <summary>Events of the simulated SI up to which everybody was told.</summary>
    public static Task<long> EvenementsTold(string connectionString) => PostgresServer.Scalar<long>(
        connectionString, "SELECT coalesce(max(split_part(curseur, '-', 2)::bigint), -1) FROM evenements_curseur");

    private static Task<long> GivenBetween(string connectionString, DateTimeOffset from, DateTimeOffset to, string key) => PostgresServer.Scalar<long>(
        connectionString,
        $"SELECT count(*) FROM orleansstorage WHERE grainidextensionstring {key} AND newest_load >= '{from:O}' AND oldest_load <= '{to:O}'");
}
