using DroitsAmeli.Load.Capacity;
using Xunit;

namespace DroitsAmeli.Tests.Rules.Capacity;

public sealed class CapacityModelTests
{
    private static readonly CapacityModel Model = new(World.Measured(1, 2));
    private static readonly Demand Usual = new(VisitsPerSecond: 15, Families: 360_000, ColdShare: 0.8, StaleShare: 0.2);
    private static readonly Site Site = new();

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    [InlineData(11)]
    public void Predicts_any_number_of_silos_from_one_and_two(int silos)
    {
        var cluster = World.Cluster(silos);
        AssertEqual(cluster.Silo, Model.Silos(silos));
        AssertEqual(cluster.FrontEnd, Model.FrontEnds(2));
        AssertEqual(cluster.Postgres, Model.Postgres(silos));
        Assert.Equal(cluster.ManagedBytes, Model.ManagedBytes(silos, cluster.Families), 1.0);
        Assert.Equal(cluster.ResidentBytes, Model.ResidentBytes(silos, cluster.Families), 1.0);
    }

    [Fact]
    public void A_silo_looks_after_ten_others_at_most()
    {
        Assert.Equal(40 * (World.SiloAtRest + 10 * World.EachOther), Model.Silos(40).FixedCores, 1e-9);
        Assert.Equal(World.SiloWarm + World.HopWarm * 39 / 40, Model.Silos(40).WarmVisitMs, 1e-9);
    }

    [Fact]
    public void Two_silos_that_seem_cheaper_than_one_make_no_number_of_silos_cheaper()
    {
        var two = World.Cluster(2);
        var costs = World.Measured(1) with
        {
            Clusters = [World.Cluster(1), two with { Silo = new(two.Silo.FixedCores / 2, World.SiloWarm / 2, World.SiloCold / 2), Postgres = new(0, 0, 0) }],
        };
        var model = new CapacityModel(costs);
        AssertEqual(World.Cluster(1).Silo with { FixedCores = 40 * World.SiloAtRest }, model.Silos(40));
        Assert.Equal(World.Cluster(1).Postgres.FixedCores, model.Postgres(40).FixedCores, 1e-9);
    }

    [Theory]
    [InlineData(15, 360_000)]
    [InlineData(1500, 360_000)]
    [InlineData(15, 47_000_000)]
    public void Plans_the_smallest_site_that_bears_the_demand_while_one_of_each_is_away(double visits, double families)
    {
        var demand = Usual with { VisitsPerSecond = visits, Families = families };
        var plan = Model.Plan(demand, Site);

        Assert.True(Suffices(plan.Silos));
        Assert.True(plan.Silos == 3 || !Suffices(plan.Silos - 1));
        Assert.Equal(demand.VisitsPerSecond > 100 || demand.Families > 10_000_000, plan.Silos > 3);
        Assert.Equal(plan.SiloBusy * Site.SiloCores * (plan.Silos - 1), Used(Model.Silos(plan.Silos - 1)), 1e-9);
        Assert.Equal(plan.FrontEndBusy * Site.FrontEndCores * (plan.FrontEnds - 1), Used(Model.FrontEnds(plan.FrontEnds - 1)), 1e-9);
        Assert.InRange(plan.FrontEndBusy, 0, Site.BusyShare);
        Assert.True(plan.FrontEnds == 3 || Used(Model.FrontEnds(plan.FrontEnds - 2)) > Site.BusyShare * Site.FrontEndCores * (plan.FrontEnds - 2));

        // A stale visit is taken for a cold one: all of these are.
        double Used(RoleCosts role) => role.FixedCores + visits * role.ColdVisitMs / 1000;

        bool Suffices(int silos) =>
            Used(Model.Silos(silos - 1)) <= Site.BusyShare * Site.SiloCores * (silos - 1)
            && World.EmptySilo * 3 + families * 2480 * 2.1 / (silos - 1) <= Site.BusyShare * Site.SiloGiB * 1024 * 1024 * 1024;
    }

    [Fact]
    public void The_si_is_asked_three_times_for_a_cold_visit_and_twice_for_a_stale_one()
    {
        var plan = Model.Plan(Usual, Site);
        Assert.Equal(15 * (0.8 * 3 + 0.2 * 2), plan.SiCallsPerSecond, 1e-9);
        Assert.Equal(0.7 * 32 / 0.418, plan.SiCapacity, 1e-9);
        Assert.Equal(15, plan.ChecktokensPerSecond);
    }

    [Fact]
    public void The_largest_cold_share_uses_up_what_the_si_bears()
    {
        var demand = Usual with { VisitsPerSecond = 25 };
        var share = Model.Plan(demand, Site).LargestColdShare;
        var plan = Model.Plan(demand with { ColdShare = share }, Site);
        Assert.InRange(share, 0.01, 0.79);
        Assert.Equal(plan.SiCapacity, plan.SiCallsPerSecond, 1e-9);
        Assert.Equal(1 - demand.StaleShare, Model.Plan(demand with { VisitsPerSecond = 1 }, Site).LargestColdShare, 1e-9);
        Assert.Equal(0, Model.Plan(demand with { VisitsPerSecond = 1000 }, Site).LargestColdShare);
    }

    [Fact]
    public void The_si_breaks_first_and_nothing_else_does_where_all_is_warm()
    {
        var cold = Model.Plan(Usual, Site);
        Assert.Equal("régime SI", cold.Limits[0].Part);
        Assert.Equal(0.7 * 32 / 0.418 / 2.8, cold.Limits[0].VisitsPerSecond, 1e-9);

        var warm = Model.Plan(Usual with { ColdShare = 0, StaleShare = 0 }, Site);
        Assert.Equal(new Limit("régime SI", double.PositiveInfinity), warm.Limits[^1]);
        Assert.Equal(1, warm.LargestColdShare);
    }

    [Fact]
    public void A_limit_is_where_the_part_is_as_busy_as_it_may_be()
    {
        foreach (var limit in Model.Plan(Usual, Site).Limits.Where(limit => limit.Part != "régime SI"))
        {
            var (role, cores) = limit.Part switch
            {
                "silos" => (Model.Silos(2), 2 * Site.SiloCores),
                "front ends" => (Model.FrontEnds(2), 2 * Site.FrontEndCores),
                _ => (Model.Postgres(3), Site.PostgresCores),
            };
            Assert.Equal(Site.BusyShare * cores, role.FixedCores + limit.VisitsPerSecond * role.ColdVisitMs / 1000, 1e-9);
        }
    }

    [Theory]
    [InlineData(0, 0.5, 0)]
    [InlineData(-1, 0.5, 0)]
    [InlineData(double.NaN, 0.5, 0)]
    [InlineData(10, -0.1, 0)]
    [InlineData(10, 0.8, 0.3)]
    public void Refuses_what_is_no_demand(double visits, double cold, double stale) =>
        Assert.Throws<ArgumentException>(() => Model.Plan(new(visits, 1000, cold, stale), Site));

    [Fact]
    public void Needs_one_silo_and_two_measured() => Assert.Throws<ArgumentException>(() => new CapacityModel(World.Measured(1, 3)));

    private static void AssertEqual(RoleCosts expected, RoleCosts actual)
    {
        Assert.Equal(expected.FixedCores, actual.FixedCores, 1e-9);
        Assert.Equal(expected.WarmVisitMs, actual.WarmVisitMs, 1e-9);
        Assert.Equal(expected.ColdVisitMs, actual.ColdVisitMs, 1e-9);
    }
}
