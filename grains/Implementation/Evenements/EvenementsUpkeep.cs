using Microsoft.Extensions.Logging;

namespace DroitsAmeli.Grains.Evenements;

/// <summary>Calls the follower of the change feed from this silo for as long as the silo is active, so that there is always one.</summary>
internal sealed partial class EvenementsUpkeep(IGrainFactory grains, ILogger<EvenementsUpkeep> logger) : ILifecycleParticipant<ISiloLifecycle>
{
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(2);

    public void Participate(ISiloLifecycle lifecycle)
    {
        var stop = new CancellationTokenSource();
        var calling = Task.CompletedTask;
        lifecycle.Subscribe(
            nameof(EvenementsUpkeep),
            ServiceLifecycleStage.Active,
            _ =>
            {
                calling = Task.Run(() => Call(stop.Token), CancellationToken.None);
                return Task.CompletedTask;
            },
            async _ =>
            {
                await stop.CancelAsync();
                await calling;
                stop.Dispose();
            });
    }

    // The system's clock: the follower is wanted whatever time the families are told it is.
    private async Task Call(CancellationToken stop)
    {
        var failing = false;
        while (!stop.IsCancellationRequested)
        {
            try
            {
                await grains.GetGrain<IEvenementsSiGrain>(IEvenementsSiGrain.Key).Follow();
                failing = false;
            }
            catch (Exception error)
            {
                if (!failing)
                    LogUnreachable(logger, error.GetType().Name);
                failing = true;
            }
            await Task.Delay(Pause, TimeProvider.System, stop).ContinueWith(_ => { }, CancellationToken.None, TaskContinuationOptions.None, TaskScheduler.Default);
        }
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "The follower of the change feed cannot be reached: {Error}. It is tried every 2 s. Nothing has to be done while a silo starts or goes; else look at GET /admin/silos, and restart a silo that it lists without counts.")]
    private static partial void LogUnreachable(ILogger logger, string error);
}
