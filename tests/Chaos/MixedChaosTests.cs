using DroitsAmeli.Load.Processes;
using DroitsAmeli.Load.Reads;

namespace DroitsAmeli.Tests.Chaos;

/// <summary>T8: everything goes wrong, one thing after the other, and nobody notices.</summary>
public sealed class MixedChaosTests(Database database)
{
    private const string SeedVariable = "DROITS_CHAOS_SEED";
    private const string JsonVariable = "DROITS_CHAOS_JSON";
    private const double WantedFailureRate = 25 / 1_800_000.0;
    private static readonly Resource[] All = [Resource.Me, Resource.Caisse, Resource.Contrats, Resource.Exonerations];

    [Fact]
    public async Task Known_families_are_answered_whatever_goes_wrong()
    {
        var seed = int.Parse(Environment.GetEnvironmentVariable(SeedVariable) ?? "8", System.Globalization.CultureInfo.InvariantCulture);
        var (duration, distance, familles, perSecond) = Scale.Of(
            (TimeSpan.FromMinutes(5), TimeSpan.FromSeconds(30), 3_000, 100.0), (TimeSpan.FromHours(1), TimeSpan.FromSeconds(75), 20_000, 500.0));
        var options = new DeploymentOptions
        {
            Silos = 3,
            SpareSilos = 1,
            FrontEnds = 2,
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
            var filled = await new ClosedLoopReader(deployment, hospital).Sweep(0, familles, workers: 16, All, insist: true, stop);
            Assert.True(filled.Good == filled.Total, filled.Failures());

            var run = new ChaosRun(deployment, server);
            var load = new ReadLoad { PerSecond = 0.7 * perSecond, Duration = duration, NextFamille = ReadLoad.ZipfOver(familles, seed), Resources = All };
            await run.Run(
                [(load, hospital), (load with { PerSecond = 0.3 * perSecond, NextFamille = ReadLoad.ZipfOver(familles, seed + 1), Partner = Partner.Mutuelle }, insurer)],
                Schedule.Of(seed, TimeSpan.FromSeconds(15), distance, duration),
                stop);

            var report = run.Report;
            Console.WriteLine($"seed {seed}\n{report}");
            if (Environment.GetEnvironmentVariable(JsonVariable) is { Length: > 0 } file)
                await File.WriteAllTextAsync(file, report.ToJson(), stop);
            Figures.Add(
                "T8", $"{duration} of chaos at {perSecond:0} reads/s, seed {seed}: {report.Calls} calls",
                $"{report.Failed} failed, {100 * report.Availability:0.0000} % answered, with 95 % confidence >= {100 * (1 - report.FailureRateAtMost):0.0000} %",
                "<= 25 in 1.8 M");
            Assert.True(report.Calls >= 0.95 * perSecond * duration.TotalSeconds, $"Only {report.Calls} calls were sent.");
            Assert.DoesNotContain(report.Phases, phase => phase.Failures.ContainsKey("wrong answer"));
            Assert.True((double)report.Failed / report.Calls <= Scale.Of(0.002, WantedFailureRate), report.ToString());
        });
    }
}
