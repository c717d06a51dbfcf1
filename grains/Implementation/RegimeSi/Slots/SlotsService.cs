using Microsoft.Extensions.Logging;
using Orleans.Runtime.Services;

namespace DroitsAmeli.Grains.RegimeSi;

/// <summary>Answers, on each silo, a new slot grain's question.</summary>
public sealed class SlotsService(GrainId id, Silo silo, ILoggerFactory loggers, SiSlots slots, SiloDeaths deaths)
    : GrainService(id, silo, loggers), ISlotsService
{
    /// <inheritdoc/>
    public override async Task Start()
    {
        deaths.Watch();
        await base.Start();
    }

    /// <inheritdoc/>
    public Task<SlotReport> Report() => Task.FromResult(slots.Report() with { SinceLastDeath = deaths.SinceLast() });

    /// <inheritdoc/>
    public Task Recall()
    {
        slots.RenewNow();
        return Task.CompletedTask;
    }
}

/// <summary>Reaches the <see cref="SlotsService"/> of a given silo.</summary>
public sealed class SlotsServiceClient(IServiceProvider services) : GrainServiceClient<ISlotsService>(services)
{
    /// <summary>What that silo holds.</summary>
    public Task<SlotReport> Report(SiloAddress silo) => GetGrainService(silo).Report();

    /// <summary>Has that silo give back what exceeds its share; nobody waits for it.</summary>
    public void Recall(SiloAddress silo) => GetGrainService(silo).Recall().Ignore();
}
