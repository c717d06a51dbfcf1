using DroitsAmeli.Grains.Clustering;
using DroitsAmeli.Grains.Familles;
using DroitsAmeli.Grains.RegimeSi;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Orleans.Placement;

namespace DroitsAmeli.Grains.Evenements;

/// <summary>Hosts the <see cref="EvenementsFollower"/>, and takes its cursor along when it moves.</summary>
[KeepAlive, GrainType("si-evenements"), Immovable(ImmovableKind.Rebalancer)]
internal sealed partial class EvenementsSiGrain(
    EvenementsClient client,
    EvenementsStore store,
    RecentEvenements recent,
    FamillesServiceClient services,
    ISiloStatusOracle silos,
    IOptions<EvenementsOptions> options,
    IOptions<RegimeSiOptions> si,
    TimeProvider time,
    ILogger<EvenementsSiGrain> logger,
    ILogger<EvenementsFollower> followerLogger) : Grain, IEvenementsSiGrain, IGrainMigrationParticipant, IDisposable
{
    private const string CurseurName = "curseur";
    private const string EpochName = "epoch";
    private static readonly TimeSpan FinishPatience = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan StopPatience = TimeSpan.FromSeconds(1);

    private readonly CancellationTokenSource stop = new();
    private EvenementsFollower? follower;
    private Task following = Task.CompletedTask;
    private Handover? handedOver;

    public override Task OnActivateAsync(CancellationToken cancellationToken)
    {
        follower = new EvenementsFollower(client, store, FamillesSilos.Of(silos, services), recent, options, si, time, followerLogger)
        {
            BeginsAll = !silos.HasOtherActiveSilo() && recent.BeginsFirst(),
        };
        following = Follow(follower);
        return Task.CompletedTask;
    }

    public override async Task OnDeactivateAsync(DeactivationReason reason, CancellationToken cancellationToken)
    {
        try
        {
            if (!following.IsCompleted)
                await follower!.Finish(FinishPatience);
            await stop.CancelAsync();
            await following.WaitAsync(StopPatience, TimeProvider.System, CancellationToken.None);
        }
        catch (TimeoutException)
        {
            // The cursor is the last that may be stored, whatever goes on.
        }
        if (reason.ReasonCode == DeactivationReasonCode.ShuttingDown && silos.HasOtherActiveSilo())
            this.MigrateOnIdle();
    }

    public Task Follow() => Task.CompletedTask;

    public void OnDehydrate(IDehydrationContext dehydrationContext)
    {
        if (follower?.Handover is not { } leaves)
            return;
        dehydrationContext.TryAddValue(CurseurName, leaves.Curseur);
        if (leaves.Epoch is { } epoch)
            dehydrationContext.TryAddValue(EpochName, epoch);
    }

    public void OnRehydrate(IRehydrationContext rehydrationContext)
    {
        if (rehydrationContext.TryGetValue<string>(CurseurName, out var curseur) && curseur is not null)
            handedOver = new(curseur, rehydrationContext.TryGetValue<long>(EpochName, out var epoch) ? epoch : null);
    }

    public void Dispose()
    {
        follower?.Dispose();
        stop.Dispose();
    }

    private async Task Follow(EvenementsFollower by)
    {
        await Task.Yield();
        try
        {
            await by.Run(handedOver, stop.Token);
        }
        catch (Exception) when (stop.IsCancellationRequested)
        {
            return;
        }
        catch (CurseurTakenOverException)
        {
            LogTakenOver(logger);
        }
        catch (Exception error)
        {
            LogEnded(logger, error.GetType().Name);
        }

        DeactivateOnIdle();
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "Another activation follows the régime SI's change feed: this one stops. Nothing has to be done.")]
    private static partial void LogTakenOver(ILogger logger);

    [LoggerMessage(Level = LogLevel.Error, Message = "The following of the régime SI's change feed ended ({Error}); it begins again. Report it to who maintains this program; when it repeats, restart the silo that says so.")]
    private static partial void LogEnded(ILogger logger, string error);
}
