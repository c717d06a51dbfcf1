using DroitsAmeli.Load.Capacity;
using Xunit;

namespace DroitsAmeli.Tests.Rules.Capacity;

public sealed class LinearFitTests
{
    private static readonly (double Seconds, double Warm, double Cold)[] Loads = [(33, 0, 0), (35, 600, 0), (34, 1500, 0), (35, 310, 290), (36, 740, 760)];

    [Fact]
    public void Finds_the_costs_that_made_the_samples()
    {
        var costs = LinearFit.Of([.. Loads.Select(load => Sample(load, new(0.03, 2.5, 9)))]);
        Assert.Equal(0.03, costs.FixedCores, 1e-9);
        Assert.Equal(2.5, costs.WarmVisitMs, 1e-6);
        Assert.Equal(9, costs.ColdVisitMs, 1e-6);
    }

    [Fact]
    public void Lies_between_samples_that_contradict_each_other()
    {
        var costs = LinearFit.Of([.. Loads.SelectMany(load => (CpuSample[])[Sample(load, new(0.02, 2, 8)), Sample(load, new(0.04, 3, 10))])]);
        Assert.Equal(0.03, costs.FixedCores, 1e-9);
        Assert.Equal(2.5, costs.WarmVisitMs, 1e-6);
        Assert.Equal(9, costs.ColdVisitMs, 1e-6);
    }

    [Fact]
    public void No_cost_is_below_zero() =>
        Assert.Equal(0, LinearFit.Of([.. Loads.Select(load => Sample(load, new(0.03, -0.001, 9)))]).WarmVisitMs);

    [Fact]
    public void Refuses_samples_without_cold_visits() =>
        Assert.Throws<ArgumentException>(() => LinearFit.Of([.. Loads.Where(load => load.Cold == 0).Select(load => Sample(load, new(0.03, 2.5, 9)))]));

    private static CpuSample Sample((double Seconds, double Warm, double Cold) load, RoleCosts costs) => new(
        load.Seconds, load.Warm, load.Cold, load.Seconds * costs.FixedCores + (load.Warm * costs.WarmVisitMs + load.Cold * costs.ColdVisitMs) / 1000);
}
