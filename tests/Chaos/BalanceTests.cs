using System.Diagnostics;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
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

    [Fact]
    public async Task What_a_silo_that_is_drained_held_is_spread_over_the_others()
    {
        var familles = Scale.Of(2_000, 20_000);

        // Evened out by nobody afterwards.
        var options = Deployments.ThreeSilos with { SiloSettings = new Dictionary<string, string>(Deployments.ThreeSilos.SiloSettings) { ["Cluster:RebalanceSeconds"] = "0" } };
        await Scenario.Run(await database.Server(), options, async (deployment, stop) =>
        {
            await deployment.RegimeSi.Set(new(), stop);
            await deployment.RegimeSi.FeedIsFollowed(stop);
            await using (var filler = await FamilleFiller.Connect(deployment, stop))
                await filler.Load(0, familles, stop);

            Assert.Equal(0, await deployment.Silos[0].Terminate(TimeSpan.FromMinutes(2), stop));
            List<int?> held = [];
            await Waiting.Until(
                async () => (held = await Familles(deployment, deployment.Silos[1], stop)).Count == 2 && !held.Contains(null), Limit, () => $"Told: {string.Join(" / ", held)}.");

            var busiest = held.Max()!.Value / held.Average()!.Value;
            Figures.Add("T11", $"1 of 3 silos with {familles} families told to stop: families {string.Join(" / ", held)}", $"busiest {busiest:0.00} x mean", "<= 1.15");
            Assert.InRange(held.Sum()!.Value, 0.95 * familles, familles);
            Assert.InRange(busiest, 1, Wanted);
        });
    }

    /// <summary>How many families each silo that is at work holds, as one of them is told; null for one that did not say in time.</summary>
    private static async Task<List<int?>> Familles(Deployment deployment, Node asked, CancellationToken stop)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, new Uri(asked.Address, "/admin/silos"));
        request.Headers.Add("X-Admin-Key", Deployment.OperatorKey);
        using var answer = await deployment.Http.SendAsync(request, stop);
        answer.EnsureSuccessStatusCode();
        return [.. (await answer.Content.ReadFromJsonAsync<JsonNode>(stop))!["silos"]!.AsArray().Select(silo => (int?)silo!["familles"])];
    }
}
