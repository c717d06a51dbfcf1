using DroitsAmeli.Load.Processes;
using DroitsAmeli.Load.Reads;
using DroitsAmeli.Load.Visits;

namespace DroitsAmeli.Tests.Chaos;

/// <summary>T8: everything goes wrong, one thing after the other, and nobody notices.</summary>
public sealed class MixedChaosTests(Database database)
{
    private const string SeedVariable = "DROITS_CHAOS_SEED";
    private const string JsonVariable = "DROITS_CHAOS_JSON";
    private const double WantedFailureRate = 25 / 1_800_000.0;
    private const double UnseenShare = 0.02;
    private const double HospitalShare = 0.7;

    // Nobody asks about the families from there on but the visits that are to be by unseen ones; each partner has its own.
    private const long UnseenByHospital = 100_000;
    private const long UnseenByInsurer = 500_000;

    [Fact]
    public async Task Visits_are_answered_whatever_goes_wrong()
    {
        Assert.SkipWhen(Deployment.BalancerUnavailable is not null, Deployment.BalancerUnavailable ?? "");
        var seed = int.Parse(Environment.GetEnvironmentVariable(SeedVariable) ?? "8", System.Globalization.CultureInfo.InvariantCulture);
        var (duration, distance, familles, perSecond) = Scale.Of(
            (TimeSpan.FromMinutes(5), TimeSpan.FromSeconds(30), 3_000, 100.0), (TimeSpan.FromHours(1), TimeSpan.FromSeconds(75), 20_000, 500.0));
        var options = new DeploymentOptions
        {
            Silos = 3,
            SpareSilos = 1,
            FrontEnds = 2,
            Balancer = true,
            Families = 1_000_000,

            // The copies age while the SI fails, as they do in a day.
            SiloSettings = new Dictionary<string, string> { ["Freshness:FreshMinutes"] = "1", ["Freshness:BehindMinutes"] = "3" },
        };
        var server = await database.Server();
        await Scenario.Run(server, options, async (deployment, stop) =>
        {
            await deployment.RegimeSi.Set(new(), stop);
            await deployment.RegimeSi.FeedIsFollowed(stop);
            var (hospital, insurer) = (new AnswerBook(deployment.RegimeSi), new AnswerBook(deployment.RegimeSi, Partner.Mutuelle));
            var filled = await new ClosedLoopReader(deployment, hospital).Sweep(0, familles, workers: 16, Deployments.Both, insist: true, stop);
            Assert.True(filled.Good == filled.Total, filled.Failures());

            var run = new ChaosRun(deployment, server, familles);
            await run.RunVisits(
                [(Load(Partner.Hopital, HospitalShare, UnseenByHospital, seed), hospital), (Load(Partner.Mutuelle, 1 - HospitalShare, UnseenByInsurer, seed + 1), insurer)],
                Schedule.Of(seed, TimeSpan.FromSeconds(15), distance, duration),
                stop);

            var report = run.Report;
            Console.WriteLine($"seed {seed}\n{report}");
            if (Environment.GetEnvironmentVariable(JsonVariable) is { Length: > 0 } file)
                await File.WriteAllTextAsync(file, report.ToJson(), stop);
            Figures.Add(
                "T8", $"{duration} of chaos at {perSecond:0} calls/s in visits, seed {seed}: {report.Calls} calls",
                $"{report.Failed} failed, {100 * report.Availability:0.0000} % answered, with 95 % confidence >= {100 * (1 - report.FailureRateAtMost):0.0000} %; {report.Wrong} wrong, {report.Excused} excused",
                "<= 25 in 1.8 M",
                ("calls", report.Calls), ("failed", report.Failed), ("wrong", report.Wrong), ("excused", report.Excused), ("sent_late", report.SentLate));
            Figures.Add(
                "T8", $"the same by visit: {report.Visits.Begun} visits, {report.Visits.Unseen} by unseen families",
                $"{report.Visits.Finished} finished, {report.Visits.Refused} refused, {report.Visits.Broken} broken; with 95 % confidence <= {100 * report.BrokenRateAtMost:0.0000} % broken",
                "",
                ("visits", report.Visits.Begun), ("finished", report.Visits.Finished), ("refused", report.Visits.Refused), ("broken", report.Visits.Broken));
            Assert.True(report.Calls >= 0.95 * perSecond * duration.TotalSeconds, $"Only {report.Calls} calls were sent.");
            Assert.True(report.Wrong == 0, report.ToString());
            Assert.True((double)report.Failed / report.Calls <= Scale.Of(0.002, WantedFailureRate), report.ToString());
        });

        VisitLoad Load(Partner partner, double share, long firstUnseen, int drawnFrom) => new()
        {
            Partner = partner,
            PerSecond = share * perSecond / VisitGenerator.Calls.Count,
            Duration = duration,
            UnseenShare = UnseenShare,
            FirstUnseen = firstUnseen,
            NextSeen = ReadLoad.ZipfOver(familles, drawnFrom + 1000),
            Seed = drawnFrom,
        };
    }
}
