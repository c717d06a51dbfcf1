namespace DroitsAmeli.Load.Capacity;

/// <summary>What is asked of a site.</summary>
/// <param name="VisitsPerSecond">Admission visits: a token and seven calls each.</param>
/// <param name="Families">Families held: those that visited within 24 hours, or all that are to be held.</param>
/// <param name="ColdShare">The share of visits by families of which nothing is held, from 0 to 1.</param>
/// <param name="StaleShare">The share of visits by families whose copies are held and no longer fresh, from 0 to 1.</param>
public sealed record Demand(double VisitsPerSecond, double Families, double ColdShare, double StaleShare);

/// <summary>The machines of a site, and how far they may be used.</summary>
public sealed record Site
{
    public double SiloCores { get; init; } = 2;

    public double SiloGiB { get; init; } = 4;

    public double FrontEndCores { get; init; } = 1;

    public double PostgresCores { get; init; } = 4;

    /// <summary>The share of processors and memory that a peak may use, one silo and one front end being away.</summary>
    public double BusyShare { get; init; } = 0.6;

    /// <summary><c>RegimeSi:MaxConcurrentCalls</c>.</summary>
    public double SiCalls { get; init; } = 32;

    /// <summary>Mean time that the SI takes for a call, in seconds; by default that of a log-normal one of 300 ms, p99 2 s.</summary>
    public double SiCallSeconds { get; init; } = 0.418;

    /// <summary>The share of the SI's capacity up to which nobody waits for long (target T13).</summary>
    public double SiShare { get; init; } = 0.7;
}

/// <summary>How many visits each second a part of a site bears, everything else as demanded.</summary>
/// <param name="Part">The part.</param>
/// <param name="VisitsPerSecond">Infinite when visits do not use it.</param>
public readonly record struct Limit(string Part, double VisitsPerSecond);

/// <summary>A site that bears a demand.</summary>
/// <param name="Silos">How many, the one that may be away included.</param>
/// <param name="FrontEnds">How many, the one that may be away included.</param>
/// <param name="SiloBusy">The share of a silo's processors that is used, one of them being away.</param>
/// <param name="SiloBytes">Physical memory of a silo, one of them being away.</param>
/// <param name="FrontEndBusy">The share of a front end's processors that is used, one of them being away.</param>
/// <param name="PostgresCores">Cores that PostgreSQL uses.</param>
/// <param name="StoredBytes">Growth of the database for the families held.</param>
/// <param name="SiCallsPerSecond">Calls to the SI.</param>
/// <param name="SiCapacity">Calls that the SI bears before users wait, each second.</param>
/// <param name="LargestColdShare">The share of visits that may be cold before users wait, the stale ones as demanded.</param>
/// <param name="ChecktokensPerSecond">Calls to FranceConnect; as many times it asks for our public keys.</param>
/// <param name="AnswerBytesPerSecond">Bodies sent to partners.</param>
/// <param name="Limits">What the parts of this very site bear; what breaks first comes first.</param>
public sealed record CapacityPlan(
    int Silos,
    int FrontEnds,
    double SiloBusy,
    double SiloBytes,
    double FrontEndBusy,
    double PostgresCores,
    double StoredBytes,
    double SiCallsPerSecond,
    double SiCapacity,
    double LargestColdShare,
    double ChecktokensPerSecond,
    double AnswerBytesPerSecond,
    IReadOnlyList<Limit> Limits);

/// <summary>
/// What any number of silos costs, from what one and two cost. A call reaches its grain's silo by way of any silo in turn: (n - 1) of n calls make
/// one hop more. A silo looks after the others, ten at most. Nothing else depends on their number.
/// </summary>
public sealed class CapacityModel
{
    /// <summary>SI calls of a cold visit: identification, composition, the user's rights.</summary>
    public const double CallsPerColdVisit = 3;

    /// <summary>SI calls of a stale visit: composition and the user's rights, asked again.</summary>
    public const double CallsPerStaleVisit = 2;

    private const int LeastSilos = 3;
    private const int LeastFrontEnds = 3;
    private const int MostProcesses = 10_000;
    private const int ProbedSilos = 10;
    private const double MsPerSecond = 1000;
    private const double GiB = 1024.0 * 1024 * 1024;

    private readonly MeasuredCosts costs;
    private readonly ClusterCosts one;
    private readonly ClusterCosts two;

    /// <exception cref="ArgumentException">It was not measured with one silo and with two.</exception>
    public CapacityModel(MeasuredCosts costs)
    {
        this.costs = costs;
        one = Measured(1);
        two = Measured(2);

        ClusterCosts Measured(int silos) =>
            costs.Clusters.FirstOrDefault(cluster => cluster.Silos == silos) ?? throw new ArgumentException($"It was not measured with {silos} silos.");
    }

    /// <summary>All silos of a cluster together.</summary>
    public RoleCosts Silos(int silos) => new(
        silos * Grown(one.Silo.FixedCores, two.Silo.FixedCores / 2, Math.Min(silos - 1, ProbedSilos)),
        Grown(one.Silo.WarmVisitMs, two.Silo.WarmVisitMs, Hops(silos)),
        Grown(one.Silo.ColdVisitMs, two.Silo.ColdVisitMs, Hops(silos)));

    /// <summary>That many front ends together.</summary>
    public RoleCosts FrontEnds(int frontEnds)
    {
        var both = Mean(one.FrontEnd, two.FrontEnd);
        return both with { FixedCores = both.FixedCores * frontEnds / one.FrontEnds };
    }

    /// <summary>PostgreSQL under so many silos.</summary>
    public RoleCosts Postgres(int silos) =>
        Mean(one.Postgres, two.Postgres) with { FixedCores = Grown(one.Postgres.FixedCores, two.Postgres.FixedCores, silos - 1) };

    /// <summary>Live objects of all silos together, in bytes, from the very families that were loaded while measuring.</summary>
    public double ManagedBytes(int silos, int families) => Memory(silos, families, cluster => cluster.EmptyManagedBytes, cluster => cluster.ManagedBytes);

    /// <summary>Physical memory of all silos together after a full collection, in bytes.</summary>
    public double ResidentBytes(int silos, int families) => Memory(silos, families, cluster => cluster.EmptyResidentBytes, cluster => cluster.ResidentBytes);

    /// <summary>The smallest site that bears the demand while one silo and one front end are away; no site makes the SI faster.</summary>
    /// <exception cref="ArgumentException">The demand is no demand: shares that add up to more than 1, or a number below zero.</exception>
    public CapacityPlan Plan(Demand demand, Site site)
    {
        if (!(demand.VisitsPerSecond > 0 && demand.Families >= 0 && demand.ColdShare >= 0 && demand.StaleShare >= 0 && demand.ColdShare + demand.StaleShare <= 1))
            throw new ArgumentException("Visits are above zero, families not below it, and the shares of cold and stale visits between 0 and 1 together.", nameof(demand));

        // What a stale visit costs was not measured: no more than a cold one.
        var loading = demand.ColdShare + demand.StaleShare;
        var silos = Smallest(LeastSilos, count => SiloBusy(count, demand, loading, site) <= site.BusyShare && SiloBytes(count, demand) <= site.BusyShare * site.SiloGiB * GiB);
        var frontEnds = Smallest(LeastFrontEnds, count => FrontEndBusy(count, demand, loading, site) <= site.BusyShare);
        var postgres = Postgres(silos);
        var callsPerVisit = CallsPerColdVisit * demand.ColdShare + CallsPerStaleVisit * demand.StaleShare;
        var capacity = site.SiShare * site.SiCalls / site.SiCallSeconds;
        return new(
            silos,
            frontEnds,
            SiloBusy(silos, demand, loading, site),
            SiloBytes(silos, demand),
            FrontEndBusy(frontEnds, demand, loading, site),
            Cores(postgres, demand, loading),
            costs.StoredFamilyBytes * demand.Families,
            callsPerVisit * demand.VisitsPerSecond,
            capacity,
            Math.Clamp((capacity / demand.VisitsPerSecond - CallsPerStaleVisit * demand.StaleShare) / CallsPerColdVisit, 0, 1 - demand.StaleShare),
            demand.VisitsPerSecond,
            costs.VisitAnswerBytes * demand.VisitsPerSecond,
            [
                .. new Limit[]
                {
                    new("régime SI", capacity / callsPerVisit),
                    new("silos", Borne(Silos(silos - 1), site.BusyShare * site.SiloCores * (silos - 1), loading)),
                    new("front ends", Borne(FrontEnds(frontEnds - 1), site.BusyShare * site.FrontEndCores * (frontEnds - 1), loading)),
                    new("PostgreSQL", Borne(postgres, site.BusyShare * site.PostgresCores, loading)),
                }.OrderBy(limit => limit.VisitsPerSecond),
            ]);
    }

    private static double Grown(double alone, double withOther, double others) => alone + Math.Max(0, withOther - alone) * others;

    // With two silos every second call makes the hop.
    private static double Hops(int silos) => 2.0 * (silos - 1) / silos;

    private static RoleCosts Mean(RoleCosts one, RoleCosts two) =>
        new((one.FixedCores + two.FixedCores) / 2, (one.WarmVisitMs + two.WarmVisitMs) / 2, (one.ColdVisitMs + two.ColdVisitMs) / 2);

    private static double Cores(RoleCosts role, Demand demand, double coldShare) =>
        role.FixedCores + demand.VisitsPerSecond * role.VisitMs(coldShare) / MsPerSecond;

    private static double Borne(RoleCosts role, double cores, double coldShare) => Math.Max(0, cores - role.FixedCores) * MsPerSecond / role.VisitMs(coldShare);

    private static int Smallest(int least, Predicate<int> suffices)
    {
        for (var count = least; count <= MostProcesses; count++)
        {
            if (suffices(count))
                return count;
        }

        throw new ArgumentException($"Not even {MostProcesses} of these machines bear that.");
    }

    private double SiloBusy(int silos, Demand demand, double coldShare, Site site) =>
        Cores(Silos(silos - 1), demand, coldShare) / ((silos - 1) * site.SiloCores);

    private double FrontEndBusy(int frontEnds, Demand demand, double coldShare, Site site) =>
        Cores(FrontEnds(frontEnds - 1), demand, coldShare) / ((frontEnds - 1) * site.FrontEndCores);

    private double SiloBytes(int silos, Demand demand) =>
        (one.EmptyResidentBytes + two.EmptyResidentBytes / 2) / 2 + costs.FamilyBytes * costs.ResidentPerManaged * demand.Families / (silos - 1);

    private double Memory(int silos, int families, Func<ClusterCosts, double> empty, Func<ClusterCosts, double> full)
    {
        var each = (empty(one) + empty(two) / 2) / 2;
        var family = (Family(one) + Family(two)) / 2;
        return silos * each + families * family;

        double Family(ClusterCosts cluster) => (full(cluster) - empty(cluster)) / cluster.Families;
    }
}
