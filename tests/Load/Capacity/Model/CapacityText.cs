using System.Globalization;
using System.Text;

namespace DroitsAmeli.Load.Capacity;

/// <summary>The model's figures as text, the same in the program's output and in the operator's guide.</summary>
public static class CapacityText
{
    private const double KiB = 1024;
    private const double MiB = KiB * 1024;
    private const double GiB = MiB * 1024;

    /// <summary>The measured costs, what the model says of more than two silos beside what was measured, and target T15.</summary>
    public static string Of(MeasuredCosts costs)
    {
        var text = new StringBuilder();
        Line(text, $"measured {costs.Measured}: {costs.How}");
        Line(text, $"");
        Line(text, $"silos  what                      front ends     silos  PostgreSQL       all");
        foreach (var at in costs.Clusters)
        {
            Row(text, at, "CPU ms per warm visit", role => role.WarmVisitMs);
            Row(text, at, "CPU ms per cold visit", role => role.ColdVisitMs);
            Row(text, at, "cores at rest", role => role.FixedCores);
        }

        Line(text, $"");
        foreach (var at in costs.Clusters)
        {
            Line(text, $"{at.Silos,5}  hold {at.EmptyManagedBytes / MiB:0.0} MiB of live objects ({at.EmptyResidentBytes / MiB:0} MiB resident) at first, {at.ManagedBytes / MiB:0.0} ({at.ResidentBytes / MiB:0}) with {at.Families} families more");
        }

        Line(text, $"a family at rest {costs.FamilyBytes:0} B live, x {costs.ResidentPerManaged:0.0} resident; stored {costs.StoredFamilyBytes / KiB:0.0} KiB; the answers of a visit {costs.VisitAnswerBytes / KiB:0.0} KiB");
        if (Checked(costs) is { Count: > 0 } checks)
        {
            Line(text, $"");
            Line(text, $"silos  predicted from 1 and 2             predicted    measured   deviation");
            foreach (var check in checks)
                Line(text, $"{check.Silos,5}  {check.What,-34}  {check.Predicted,10:0.0000}  {check.Measured,10:0.0000}  {check.Deviation,10:+0.0%;-0.0%}");
        }

        foreach (var ratio in Ratios(costs))
            Line(text, $"T15: {ratio.What}, 4 silos : 1 = {ratio.Value:0.000} (wanted: <= 1.15)");
        return text.ToString().TrimEnd('\n');
    }

    /// <summary>A plan, with the demand it is for.</summary>
    public static string Of(Demand demand, Site site, CapacityPlan plan)
    {
        var text = new StringBuilder();
        Line(text, $"{demand.VisitsPerSecond:0.##} visits/s, {demand.ColdShare:P0} cold, {demand.StaleShare:P0} stale; {demand.Families:#,0} families held");
        Line(text, $"{plan.Silos} silos of {site.SiloCores:0.#} cores and {site.SiloGiB:0.#} GiB: with one away {plan.SiloBusy:P1} of the cores, {plan.SiloBytes / GiB:0.0} GiB");
        Line(text, $"{plan.FrontEnds} front ends of {site.FrontEndCores:0.#} cores: with one away {plan.FrontEndBusy:P1}; answers {plan.AnswerBytesPerSecond / MiB:0.00} MiB/s");
        Line(text, $"PostgreSQL {plan.PostgresCores:0.00} cores, {plan.StoredBytes / GiB:0.0} GiB stored");
        Line(text, $"FranceConnect {plan.ChecktokensPerSecond:0.#} checktokens/s, and as many times our public keys");
        Line(text, $"régime SI {plan.SiCallsPerSecond:0.#} calls/s of {plan.SiCapacity:0.#} ({site.SiShare:P0} of {site.SiCalls:0} at once of {site.SiCallSeconds:0.###} s){(plan.SiCallsPerSecond > plan.SiCapacity ? ": TOO MANY" : "")}; at most {plan.LargestColdShare:P1} of the visits may be cold");
        Line(text, $"what breaks first: {string.Join(", ", plan.Limits.Where(limit => double.IsFinite(limit.VisitsPerSecond)).Select(limit => $"{limit.Part} at {limit.VisitsPerSecond.ToString("#,0", CultureInfo.InvariantCulture)}"))} visits/s");
        return text.ToString().TrimEnd('\n');
    }

    private static List<(int Silos, string What, double Predicted, double Measured, double Deviation)> Checked(MeasuredCosts costs)
    {
        var checks = new List<(int, string, double, double, double)>();
        if (new[] { 1, 2 }.Except(costs.Clusters.Select(cluster => cluster.Silos)).Any())
            return checks;
        var model = new CapacityModel(costs);
        foreach (var at in costs.Clusters.Where(cluster => cluster.Silos > 2))
        {
            var (silos, all) = (model.Silos(at.Silos), model.Silos(at.Silos) + model.FrontEnds(at.FrontEnds) + model.Postgres(at.Silos));
            Add("silos, CPU ms per warm visit", silos.WarmVisitMs, at.Silo.WarmVisitMs);
            Add("silos, CPU ms per cold visit", silos.ColdVisitMs, at.Silo.ColdVisitMs);
            Add("all, CPU ms per warm visit", all.WarmVisitMs, at.All.WarmVisitMs);
            Add("all, CPU ms per cold visit", all.ColdVisitMs, at.All.ColdVisitMs);
            Add("all, cores at rest", all.FixedCores, at.All.FixedCores);
            Add("silos, MiB of live objects", model.ManagedBytes(at.Silos, at.Families) / MiB, at.ManagedBytes / MiB);
            Add("silos, MiB resident", model.ResidentBytes(at.Silos, at.Families) / MiB, at.ResidentBytes / MiB);

            void Add(string what, double predicted, double measured) =>
                checks.Add((at.Silos, what, predicted, measured, measured == 0 ? 0 : predicted / measured - 1));
        }

        return checks;
    }

    private static IEnumerable<(string What, double Value)> Ratios(MeasuredCosts costs)
    {
        if (costs.Clusters.FirstOrDefault(cluster => cluster.Silos == 1) is not { } one || costs.Clusters.FirstOrDefault(cluster => cluster.Silos == 4) is not { } four)
            yield break;
        yield return ("what a warm visit adds", four.All.WarmVisitMs / one.All.WarmVisitMs);
        yield return ("what a cold visit adds", four.All.ColdVisitMs / one.All.ColdVisitMs);
        yield return ("all CPU by warm visits at the highest rate, what costs time included", four.AllInMs / one.AllInMs);
    }

    private static void Row(StringBuilder text, ClusterCosts at, string what, Func<RoleCosts, double> cost) =>
        Line(text, $"{at.Silos,5}  {what,-24}  {cost(at.FrontEnd),10:0.0000}  {cost(at.Silo),8:0.0000}  {cost(at.Postgres),10:0.0000}  {cost(at.All),8:0.0000}");

    private static void Line(StringBuilder text, FormattableString line) => text.Append(line.ToString(CultureInfo.InvariantCulture)).Append('\n');
}
