using DroitsAmeli.Load.Capacity;

namespace DroitsAmeli.Tests.Rules.Capacity;

/// <summary>Clusters whose costs follow the model's assumptions to the letter.</summary>
internal static class World
{
    public const double SiloWarm = 1;
    public const double HopWarm = 0.4;
    public const double SiloCold = 5;
    public const double HopCold = 1;
    public const double SiloAtRest = 0.02;
    public const double EachOther = 0.001;
    public const double EmptySilo = 50e6;
    public const double FamilyLoaded = 3000;

    public static MeasuredCosts Measured(params int[] silos) => new()
    {
        Measured = "2026-11-23",
        How = "invented",
        StoredFamilyBytes = 2000,
        VisitAnswerBytes = 4000,
        Clusters = [.. silos.Select(Cluster)],
    };

    public static ClusterCosts Cluster(int silos)
    {
        var hops = (silos - 1.0) / silos;
        const int families = 1000;
        return new()
        {
            Silos = silos,
            FrontEnds = 2,
            FrontEnd = new(0.01, 2, 2.5),
            Silo = new(silos * (SiloAtRest + EachOther * (silos - 1)), SiloWarm + HopWarm * hops, SiloCold + HopCold * hops),
            Postgres = new(0.005 + 0.002 * silos, 0.1, 1.5),
            AllInMs = 3.1 + HopWarm * hops + silos,
            EmptyManagedBytes = silos * EmptySilo,
            EmptyResidentBytes = silos * EmptySilo * 3,
            Families = families,
            ManagedBytes = silos * EmptySilo + families * FamilyLoaded,
            ResidentBytes = silos * EmptySilo * 3 + families * FamilyLoaded * 2,
        };
    }
}
