namespace DroitsAmeli.Grains.Clustering;

/// <summary>What grains ask about the silos.</summary>
public static class SiloStatuses
{
    /// <summary>True when there is somewhere to migrate to; migrating without is an error that the runtime logs with the grain's key.</summary>
    public static bool HasOtherActiveSilo(this ISiloStatusOracle silos) =>
        silos.GetActiveSilos().Any(silo => !silo.Equals(silos.SiloAddress));

    /// <summary>Those that may be at work, as far as this silo knows: active, or on their way out but not dead.</summary>
    public static IReadOnlyCollection<SiloAddress> GetSilosAtWork(this ISiloStatusOracle silos) =>
        [.. silos.GetApproximateSiloStatuses().Where(silo => silo.Value.IsAtWork()).Select(silo => silo.Key)];

    /// <summary>True for a silo that answers calls and has calls under way: one that stops does until its last grain has moved.</summary>
    public static bool IsAtWork(this SiloStatus status) => status is SiloStatus.Active or SiloStatus.ShuttingDown or SiloStatus.Stopping;
}
