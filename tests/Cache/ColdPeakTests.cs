using DroitsAmeli.Load.Processes;
using DroitsAmeli.Load.Visits;

namespace DroitsAmeli.Tests.Cache;

/// <summary>T13: the morning's peak, four visits in five by families that nobody has asked about.</summary>
public sealed class ColdPeakTests(Database database)
{
    private const double Share = 0.7;
    private const double Flood = 10;
    private const double Modest = 0.3;

    private const int Slots = 32;
    private const string Refused = "503 si_indisponible";
    private const string TooSlow = "504 delai_depasse";

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
        var (calm, flooding, beside) = (alone.Partners[0], flood.Partners[0], flood.Partners[1]);
        var lost = 1 - beside.FinishedShare / modest.Partners[0].FinishedShare;
        var slow = (double)flooding.EndedWith(TooSlow) / (flooding.Visits - flooding.EndedWith(Refused));
        PeakPart[] parts = [alone, modest, flood];
        foreach (var part in parts)
            TestContext.Current.TestOutputHelper?.WriteLine(part.ToString());

        Figures.Add(
            "T13", $"70 % of the SI's capacity, 80 % unseen families: {calm.Visits} visits",
            $"{alone.CallsPerVisit:0.000} calls/visit ({alone.CallsPerFinishedVisit:0.000} a finished one), /me p50 {calm.Me(50):0} p99 {calm.Me(99):0} ms, {calm.FinishedShare:P1} finished",
            "<= 3, p50 <= 1 s, p99 <= 4 s",
            ("visits", calm.Visits), ("calls_per_visit", alone.CallsPerVisit), ("calls_per_finished_visit", alone.CallsPerFinishedVisit),
            ("me_p50_ms", calm.Me(50)), ("me_p99_ms", calm.Me(99)), ("finished_share", calm.FinishedShare));
        Figures.Add(
            "T13", $"ten times that: {flooding.Visits} visits, {flooding.Finished} finished",
            $"{flood.Used:P1} of the slot-time used x {flood.Useful:P1} useful = {flood.Delivered:P1}; {slow:P2} of those let in too slow; refused p99 {flooding.Refusal(99):0} ms",
            ">= 95 %, 503 in <= 1 s",
            ("visits", flooding.Visits), ("finished", flooding.Finished), ("used", flood.Used), ("useful", flood.Useful), ("delivered", flood.Delivered),
            ("too_slow_share", slow), ("refused_p99_ms", flooding.Refusal(99)));
        Figures.Add(
            "T13", $"another partner at 30 % beside it: {beside.Finished} of {beside.Visits} visits finished, {modest.Partners[0].Finished} of {modest.Partners[0].Visits} alone",
            $"{lost:P1} lost; /me p99 {beside.Me(99):0} ms; at the SI at once {flood.Si.ConcurrenceMax}", "<= 5 %, <= 32",
            ("lost", lost), ("me_p99_ms", beside.Me(99)), ("at_once", flood.Si.ConcurrenceMax));

        Assert.All(parts, part => Assert.InRange(part.Si.ConcurrenceMax, 1, Slots));
        Assert.All(
            parts.SelectMany(part => part.Partners).SelectMany(partner => partner.Ends.Keys),
            end => Assert.Contains(end[(end.IndexOf(' ', StringComparison.Ordinal) + 1)..], (string[])[Refused, TooSlow]));

        // Where next to nobody is refused, calls for visits that did not get far hide no call too many.
        Assert.InRange(calm.FinishedShare, Scale.Of(0.9, 0.99), 1);
        Assert.InRange(modest.Partners[0].FinishedShare, 0.98, 1);
        Assert.InRange(alone.CallsPerVisit, 1, 3);
        Assert.InRange(modest.CallsPerVisit, 1, 3);
        Assert.InRange(flooding.EndedWith(Refused), flooding.Visits / 2, flooding.Visits);
        Assert.InRange(flood.Delivered, Scale.Of(0.8, 0.95), 1.001);
        Assert.InRange(slow, 0, Scale.Of(0.05, 0.01));
        Assert.InRange(lost, -1, Scale.Of(0.15, 0.05));
        if (Scale.IsFull)
        {
            Assert.InRange(calm.Me(50), 0, 1000);
            Assert.InRange(calm.Me(99), 0, 4000);
            Assert.InRange(flooding.Refusal(99), 0, 1000);
        }
    }
}
