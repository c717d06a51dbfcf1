using System.Diagnostics;
using DroitsAmeli.Load.Fill;
using DroitsAmeli.Load.Processes;
using DroitsAmeli.Load.Reads;

namespace DroitsAmeli.Tests.Chaos;

/// <summary>T11: a silo that is added soon bears its share.</summary>
public sealed class BalanceTests(Database database)
{
    private const double Wanted = 1.15;

    // Families of whom the persons too are known: the others are only held.
    private const int Known = 500;
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(120);

    [Fact]
    public async Task A_silo_that_is_added_bears_its_share_within_two_minutes()
    {
        var familles = Scale.Of(5_000, 50_000);
        await Scenario.Run(await database.Server(), Deployments.ThreeSilos with { Silos = 2, SpareSilos = 1 }, async (deployment, stop) =>
        {
            await deployment.RegimeSi.Set(new(), stop);
            await deployment.RegimeSi.FeedIsFollowed(stop);
            await using var filler = await FamilleFiller.Connect(deployment, stop);
            await filler.Load(0, familles, stop);
            var book = new AnswerBook(deployment.RegimeSi);
            var known = await new ClosedLoopReader(deployment, book).Sweep(0, Known, workers: 8, Deployments.Both, insist: true, stop);
            Assert.True(known.Good == known.Total, known.Failures());
            await deployment.RegimeSi.ResetCounters(stop);

            var spare = deployment.Silos[^1];
            await spare.Launch();
            await spare.Ready(Deployment.StartLimit, stop);
            var clock = Stopwatch.StartNew();
            using var end = CancellationTokenSource.CreateLinkedTokenSource(stop);
            var reading = new OpenLoopReader(deployment, book).Run(
                new() { PerSecond = 50, Duration = Limit, NextFamille = ReadLoad.ZipfOver(Known), Resources = Deployments.Both }, new(), end.Token);
            double busiest;
            IReadOnlyList<int> counts;
            do
            {
                await Task.Delay(TimeSpan.FromSeconds(1), TimeProvider.System, stop);
                counts = await filler.Activations();
                busiest = counts.Max() / counts.Average();
            }
            while ((busiest > Wanted || counts.Count < 3) && clock.Elapsed < Limit);
            var took = clock.Elapsed;
            await end.CancelAsync();
            var report = await reading;
            var si = await deployment.RegimeSi.Counters(stop);

            Figures.Add(
                "T11", $"a third silo beside two with {familles} families: activations {string.Join(" / ", counts)}",
                $"busiest {busiest:0.00} x mean after {took.TotalSeconds:0} s; {report.Total - report.Good} of {report.Total} reads failed; SI reloads {si.Familles + si.Droits}",
                "<= 1.15 within 120 s");
            Assert.Equal(3, counts.Count);
            Assert.InRange(busiest, 1, Wanted);
            Assert.Equal(0, si.Familles + si.Droits);
            Assert.True(report.Good == report.Total, report.Failures());
        });
    }
}
