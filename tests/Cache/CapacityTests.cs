using DroitsAmeli.Load.Capacity;
using DroitsAmeli.Tests.Postgres;

namespace DroitsAmeli.Tests.Cache;

/// <summary>T15, and what the model of the operator's guide takes for granted; the guide's figures come from the program's own longer run.</summary>
public sealed class CapacityTests
{
    private static readonly CapacityOptions Options = Scale.Of<CapacityOptions>(
        new()
        {
            Silos = [1, 2, 3], Rates = [5, 15], Duration = TimeSpan.FromSeconds(4), WarmUp = TimeSpan.FromSeconds(4), Families = 2_000, Rest = TimeSpan.Zero,
        },
        new() { Rounds = 5 });

    private static readonly double MemoryDeviationAllowed = Scale.Of(0.4, 0.15);

    [Fact]
    public async Task What_one_and_two_silos_cost_tells_what_more_of_them_do()
    {
        Assert.SkipWhen(PostgresServer.Unavailable is not null, PostgresServer.Unavailable ?? "");
        var stop = TestContext.Current.CancellationToken;
        var said = new StringWriter();
        var run = new CapacityRun(Options, said);
        MeasuredCosts costs;
        try
        {
            costs = await run.Measure(stop);
        }
        finally
        {
            TestContext.Current.TestOutputHelper?.WriteLine(said.ToString());
        }

        TestContext.Current.TestOutputHelper?.WriteLine(CapacityText.Of(costs));
        var model = new CapacityModel(costs);
        foreach (var measured in costs.Clusters)
        {
            var predicted = model.Silos(measured.Silos) + model.FrontEnds(measured.FrontEnds) + model.Postgres(measured.Silos);
            Figures.Add(
                "T15", $"{measured.Silos} silos, {costs.How}",
                $"{measured.All.WarmVisitMs:0.00} CPU ms a warm visit ({predicted.WarmVisitMs:0.00} predicted), {measured.All.ColdVisitMs:0.00} a cold one ({predicted.ColdVisitMs:0.00}); {measured.All.FixedCores:0.000} cores at rest ({predicted.FixedCores:0.000})",
                "4 silos : 1 <= 1.15",
                ("silos", measured.Silos), ("warm_visit_ms", measured.All.WarmVisitMs), ("cold_visit_ms", measured.All.ColdVisitMs), ("cores_at_rest", measured.All.FixedCores),
                ("predicted_warm_visit_ms", predicted.WarmVisitMs), ("predicted_cold_visit_ms", predicted.ColdVisitMs), ("predicted_cores_at_rest", predicted.FixedCores));
        }

        Assert.Equal(Options.Silos.Count * Options.Rounds * (1 + 2 * Options.Rates.Count), run.Samples.Count);
        Assert.All(run.Samples, sample => Assert.Equal(0, sample.Unfinished));
        Assert.All(run.Samples, sample => Assert.Equal(sample.Visits, sample.Checktokens));
        Assert.All(run.Samples, sample => Assert.Equal(CapacityModel.CallsPerColdVisit * sample.ColdVisits, sample.SiCalls));
        Assert.All(run.Samples, sample => Assert.Equal(sample.Rate > 0 && sample.ColdShare > 0, sample.ColdVisits > 0));
        Assert.True(run.Samples.Sum(sample => sample.FrontEndSeconds) > 0);
        Assert.True(run.Samples.Sum(sample => sample.SiloSeconds) > 0);
        Assert.True(run.Samples.Sum(sample => sample.PostgresSeconds) > 0);
        Assert.All(
            costs.Clusters,
            cluster => Assert.InRange(model.ManagedBytes(cluster.Silos, cluster.Families) / cluster.ManagedBytes, 1 - MemoryDeviationAllowed, 1 + MemoryDeviationAllowed));
        if (!Scale.IsFull)
            return;
        Assert.All(costs.Clusters, cluster => Assert.True(cluster.FrontEnd.WarmVisitMs > 0 && cluster.Silo.WarmVisitMs > 0));
        Assert.All(costs.Clusters, cluster => Assert.True(cluster.Silo.ColdVisitMs > cluster.Silo.WarmVisitMs));
        Assert.InRange(costs.Clusters[^1].All.WarmVisitMs / costs.Clusters[0].All.WarmVisitMs, 0, 1.15);
    }
}
