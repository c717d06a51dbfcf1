using DroitsAmeli.Load.Processes;
using DroitsAmeli.Load.Visits;

namespace DroitsAmeli.Tests.Cache;

/// <summary>T13: the morning's peak, four visits in five by families that nobody has asked about.</summary>
public sealed class ColdPeakTests(Database database)
{
    private const double Share = 0.7;
    private const double Flood = 10;
    private const double Modest = 0.3;

    // Visits that are cut by the ends of the count belong to neither side.
    private const double Edge = 1.05;

    private static readonly TimeSpan WarmUp = Scale.Of(TimeSpan.FromSeconds(4), TimeSpan.FromSeconds(15));
    private static readonly TimeSpan Counted = Scale.Of(TimeSpan.FromSeconds(15), TimeSpan.FromSeconds(120));

    [Fact]
    public async Task A_visit_costs_three_calls_and_a_flood_takes_nothing_from_those_who_are_modest()
    {
        var options = new DeploymentOptions { Silos = Scale.Of(1, 3), FrontEnds = 2, Families = 1_000_000 };
        if (Scale.IsFull)
            await Scenario.Run(await database.Server(), options, Measure);
        else
            await Scenario.Run(options, Measure);
    }

    private static async Task Measure(Deployment deployment, CancellationToken stop)
    {
        var peak = new Peak(deployment);
        await peak.Prepare(stop);
        var (one, other) = (Partner.All[0], Partner.All[1]);
        var alone = await peak.Run("at 70 % of the SI's capacity", WarmUp, Counted, stop, (one, Peak.VisitsPerSecond(Share)));
        var modest = await peak.Run("one partner alone at 30 %", WarmUp, Counted, stop, (other, Peak.VisitsPerSecond(Modest)));
        var flood = await peak.Run(
            "10 × 70 %, and another partner at 30 %", WarmUp, Counted, stop,
            (one, Peak.VisitsPerSecond(Share * Flood)), (other, Peak.VisitsPerSecond(Modest)));
        var lost = 1 - (double)flood.Partners[1].Finished / modest.Partners[0].Finished;
        foreach (var part in (PeakPart[])[alone, modest, flood])
            TestContext.Current.TestOutputHelper?.WriteLine(part.ToString());

        Figures.Add(
            "T13", $"70 % of the SI's capacity, 80 % unseen families: {alone.Partners[0].Visits} visits",
            $"{alone.CallsPerVisit:0.00} calls/visit, /me p50 {alone.Partners[0].Me(50):0} p99 {alone.Partners[0].Me(99):0} ms, {alone.Partners[0].FinishedShare:P1} finished",
            "<= 3, p50 <= 1 s, p99 <= 4 s");
        Figures.Add(
            "T13", $"ten times that: {flood.Partners[0].Visits} visits",
            $"{flood.Used:P0} of capacity used, {flood.Useful:P1} useful, refused p99 {flood.Partners[0].Refusal(99):0} ms", ">= 95 % useful, <= 1 s");
        Figures.Add(
            "T13", $"another partner at 30 % beside it: {flood.Partners[1].Finished} visits finished, {modest.Partners[0].Finished} alone",
            $"{lost:P1} lost; /me p99 {flood.Partners[1].Me(99):0} ms; at the SI at once {flood.Si.ConcurrenceMax}", "<= 5 %, <= 32");
        Assert.InRange(alone.CallsPerVisit, 1, 3 * Edge);
        Assert.InRange(flood.Si.ConcurrenceMax, 1, 32);
        Assert.InRange(alone.Partners[0].FinishedShare, Scale.Of(0.9, 0.99), 1);
        Assert.InRange(alone.Partners[0].Me(50), 0, Scale.Of(2000, 1000));
        Assert.InRange(alone.Partners[0].Me(99), 0, Scale.Of(8000, 4000));
        Assert.InRange(flood.Useful, Scale.Of(0.8, 0.95), 1);
        Assert.InRange(flood.Partners[0].Refusal(99), 0, Scale.Of(4000, 1000));
        Assert.InRange(lost, -1, Scale.Of(0.25, 0.05));
    }
}
