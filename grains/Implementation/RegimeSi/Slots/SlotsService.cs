using Microsoft.Extensions.Logging;
using Orleans.Runtime.Services;

namespace DroitsAmeli.Grains.RegimeSi;

/// <summary>What the keeper of the slots asks of this silo, and tells it.</summary>
public sealed class SlotsService(GrainId id, Silo silo, ILoggerFactory loggers, SiSlots slots, SiloDeaths deaths, TimeProvider time)
    : GrainService(id, silo, loggers), ISlotsService
{
    private (SlotLedgerState Ledger, long KeptAt)? copy;

    /// <inheritdoc/>
    public override async Task Start()
    {
        deaths.Watch();
        await base.Start();
    }

    /// <inheritdoc/>
    public Task<SlotReport> Report()
    {
        var report = slots.Report() with { SinceLastDeath = deaths.SinceLast() };
        return Task.FromResult(copy is var (ledger, keptAt) ? report with { Copy = ledger, CopyAge = time.GetElapsedTime(keptAt) } : report);
    }

    /// <inheritdoc/>
    public Task Recall()
    {
        slots.RenewNow();
        return Task.CompletedTask;
    }

    /// <inheritdoc/>
    public Task KeepCopy(SlotLedgerState ledger)
    {
        copy = (ledger, time.GetTimestamp());
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

    /// <summary>Gives that silo a copy of the ledger; nobody waits for it.</summary>
    public void KeepCopy(SiloAddress silo, SlotLedgerState ledger) => GetGrainService(silo).KeepCopy(ledger).Ignore();
}
