using DroitsAmeli.Grains.Clustering;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Orleans.Placement;

namespace DroitsAmeli.Grains.RegimeSi;

/// <summary>
/// Hosts the <see cref="SlotLedger"/>. It moves with its ledger, and gives the other silos copies of it. Where the ledger was lost, it first asks
/// the silos at work what they hold; what the others held by the newest copy is kept back until their leases end. Seen at the SI: no more than
/// the cap, and what a silo that died had in flight of slots lent after that copy. Where nobody has a copy, all the rest is kept back for one
/// lease if a silo died meanwhile, does not answer, or may not be known here.
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

    /// <summary>Slots are lent more often than a message to each silo is worth it; a lease that was renewed since is short by no more than this.</summary>
    private static readonly TimeSpan BetweenCopies = TimeSpan.FromMilliseconds(250);

    private readonly SlotLedger ledger = new(options.Value.MaxConcurrentCalls, options.Value.Lease, time);
    private bool migrated;
    private long? copiedAt;
    private bool copyIsDue;

    /// <inheritdoc/>
    public override async Task OnActivateAsync(CancellationToken cancellationToken)
    {
        this.RegisterGrainTimer(
            _ =>
            {
                CopyIfDue();
                return Task.CompletedTask;
            },
            new() { DueTime = BetweenCopies, Period = BetweenCopies });
        if (!migrated)
            await Recover();
        Copy();
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
        copyIsDue |= grant.Allowance > 0;
        CopyIfDue();
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

    private async Task Recover()
    {
        // Slots were lent to silos that were in the membership table by then: those at work are asked, and the others have died.
        var allKnown = await KnowsAllSilos();
        var reports = await Task.WhenAll(silos.GetSilosAtWork().Select(AskSilo));
        var answered = reports.OfType<SlotReport>().ToList();
        var newest = answered.Where(report => report.Copy is not null).MinBy(report => report.CopyAge);
        if (newest is { Copy: { } copy })
            ledger.Recover(copy, newest.CopyAge);
        foreach (var report in answered)
            ledger.Adopt(report.Silo, report.Sequence, report.Held);

        if (newest is null && (!allKnown || reports.Any(report => report is null || report.SinceLastDeath < options.Value.Lease)))
        {
            ledger.WithholdRest();
            LogWithheld(logger, options.Value.Lease.TotalSeconds);
        }
    }

    private void CopyIfDue()
    {
        if (copyIsDue && (copiedAt is not { } last || time.GetElapsedTime(last) >= BetweenCopies))
            Copy();
    }

    private void Copy()
    {
        (copyIsDue, copiedAt) = (false, time.GetTimestamp());
        var state = ledger.Save();
        foreach (var silo in silos.GetSilosAtWork())
            services.KeepCopy(silo, state);
    }

    private async Task<bool> KnowsAllSilos()
    {
        using var patience = new CancellationTokenSource(SlotTiming.MaxMembership);
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

    [LoggerMessage(Level = LogLevel.Warning, Message = "The ledger of the régime SI's slots was lost and no silo has a copy: what no silo at work holds is kept back for {Seconds} s, and cold families may be refused meanwhile. Nothing has to be done.")]
    private static partial void LogWithheld(ILogger logger, double seconds);
}
