using DroitsAmeli.Grains.Clustering;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Orleans.Placement;

namespace DroitsAmeli.Grains.RegimeSi;

/// <summary>
/// Hosts the <see cref="SlotLedger"/>. It moves with its ledger; where the ledger was lost, it first asks the silos at work what they hold, and
/// keeps the rest back for one lease if a silo died meanwhile, does not answer, or may not be known here.
/// </summary>
[KeepAlive, GrainType("si-slots"), Immovable(ImmovableKind.Rebalancer)]
public sealed partial class SlotsGrain(
    IOptions<RegimeSiOptions> options,
    TimeProvider time,
    ISiloStatusOracle silos,
    IClusterMembershipService membership,
    SlotsServiceClient services,
    ILogger<SlotsGrain> logger) : Grain, ISlotsGrain, IGrainMigrationParticipant
{
    private const string StateName = "ledger";

    private static readonly TimeSpan RefreshPatience = TimeSpan.FromSeconds(1);

    private readonly SlotLedger ledger = new(options.Value.MaxConcurrentCalls, options.Value.Lease, time);
    private bool migrated;

    /// <inheritdoc/>
    public override async Task OnActivateAsync(CancellationToken cancellationToken)
    {
        if (migrated)
            return;

        // Slots were lent to silos that were in the membership table by then: those at work are asked, and the others have died.
        var allKnown = await KnowsAllSilos();
        var reports = await Task.WhenAll(silos.GetSilosAtWork().Select(AskSilo));
        foreach (var report in reports.OfType<SlotReport>())
            ledger.Adopt(report.Silo, report.Sequence, report.Held);

        if (!allKnown || reports.Any(report => report is null || report.SinceLastDeath < options.Value.Lease))
        {
            ledger.WithholdRest();
            LogWithheld(logger, options.Value.Lease.TotalSeconds);
        }
    }

    /// <inheritdoc/>
    public override Task OnDeactivateAsync(DeactivationReason reason, CancellationToken cancellationToken)
    {
        if (reason.ReasonCode == DeactivationReasonCode.ShuttingDown && silos.HasOtherActiveSilo())
            this.MigrateOnIdle();
        return Task.CompletedTask;
    }

    /// <inheritdoc/>
    public Task<SlotGrant> Renew(SlotRequest request)
    {
        var grant = ledger.Renew(request.Silo, request.Sequence, request.Held, request.Wanted, request.Needed);
        if (grant.Allowance < (request.Needed ?? request.Wanted))
        {
            foreach (var holder in ledger.Recall())
                services.Recall(SiloAddress.FromParsableString(holder));
        }
        return Task.FromResult(grant);
    }

    /// <inheritdoc/>
    public void OnDehydrate(IDehydrationContext dehydrationContext) => dehydrationContext.TryAddValue(StateName, ledger.Save());

    /// <inheritdoc/>
    public void OnRehydrate(IRehydrationContext rehydrationContext)
    {
        if (rehydrationContext.TryGetValue<SlotLedgerState>(StateName, out var state) && state is not null)
        {
            ledger.Load(state);
            migrated = true;
        }
    }

    private async Task<bool> KnowsAllSilos()
    {
        using var patience = new CancellationTokenSource(RefreshPatience);
        try
        {
            await membership.Refresh(cancellationToken: patience.Token).AsTask().WaitAsync(patience.Token);
            return true;
        }
        catch (Exception)
        {
            // Without the table there may be silos that this one has not heard of.
            return false;
        }
    }

    private async Task<SlotReport?> AskSilo(SiloAddress silo)
    {
        try
        {
            return await services.Report(silo);
        }
        catch (Exception)
        {
            // For whatever reason it does not answer, it may hold slots.
            return null;
        }
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "The slots' ledger was lost: what no silo at work holds is kept back for {Seconds} s.")]
    private static partial void LogWithheld(ILogger logger, double seconds);
}
