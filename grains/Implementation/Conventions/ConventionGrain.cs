using DroitsAmeli.Grains.Clustering;
using Orleans.Placement;

namespace DroitsAmeli.Grains.Conventions;

/// <inheritdoc cref="IConventionGrain"/>
[AnyGateway, RandomPlacement, GrainType("convention"), Immovable(ImmovableKind.Rebalancer)]
public sealed class ConventionGrain(TimeProvider time, ISiloStatusOracle silos) : Grain, IConventionGrain, IGrainMigrationParticipant
{
    private const string StateName = "quota";

    private readonly Quota quota = new();

    /// <inheritdoc/>
    public Task<QuotaLease> Lease(QuotaLeaseRequest request, CancellationToken cancellationToken = default)
    {
        var now = time.GetUtcNow();

        // An idle grain is collected; the day's count must not go with it.
        if (request.Day is not null)
            DelayDeactivation(QuotaWindow.DayOf(now).End - now + TimeSpan.FromMinutes(1));

        return Task.FromResult(quota.Lease(request, now));
    }

    /// <inheritdoc/>
    public override Task OnDeactivateAsync(DeactivationReason reason, CancellationToken cancellationToken)
    {
        if (reason.ReasonCode == DeactivationReasonCode.ShuttingDown && silos.HasOtherActiveSilo())
            MigrateOnIdle();
        return Task.CompletedTask;
    }

    /// <inheritdoc/>
    public void OnDehydrate(IDehydrationContext dehydrationContext) => dehydrationContext.TryAddValue(StateName, quota.Save());

    /// <inheritdoc/>
    public void OnRehydrate(IRehydrationContext rehydrationContext)
    {
        if (rehydrationContext.TryGetValue(StateName, out QuotaState? state) && state is not null)
            quota.Restore(state);
    }
}
