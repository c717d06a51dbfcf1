using DroitsAmeli.Grains.Clustering;
using DroitsAmeli.Grains.Familles;

namespace DroitsAmeli.Silo.Admin;

/// <summary>What one silo holds.</summary>
/// <param name="Silo">Which one.</param>
/// <param name="Status">Active, or on its way out.</param>
/// <param name="Activations">Grains that are active there; null when it did not answer in time.</param>
/// <param name="Familles">Families among them.</param>
public sealed record SiloLoad(SiloAddress Silo, SiloStatus Status, int? Activations, int? Familles);

/// <summary>How the grains are spread over the silos.</summary>
public sealed class SiloLoads(ISiloStatusOracle silos, IGrainFactory grains, TimeProvider time)
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(1);

    /// <summary>Asks every silo that is at work.</summary>
    public async Task<IReadOnlyList<SiloLoad>> Read(CancellationToken cancellationToken) =>
        await Task.WhenAll(silos.GetApproximateSiloStatuses()
            .Where(silo => silo.Value.IsAtWork())
            .OrderBy(silo => silo.Key)
            .Select(silo => Read(silo.Key, silo.Value, cancellationToken)));

    private async Task<SiloLoad> Read(SiloAddress silo, SiloStatus status, CancellationToken cancellationToken)
    {
        try
        {
            var held = await grains.GetGrain<IManagementGrain>(0).GetSimpleGrainStatistics([silo], cancellationToken).WaitAsync(Limit, time, cancellationToken);
            return new(
                silo,
                status,
                held.Sum(type => type.ActivationCount),
                held.Where(type => type.GrainType.Contains(FamilleRegistration.GrainClass, StringComparison.Ordinal)).Sum(type => type.ActivationCount));
        }
        catch (Exception exception) when (exception is TimeoutException or OrleansException)
        {
            return new(silo, status, null, null);
        }
    }
}
