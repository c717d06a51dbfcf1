using System.Collections.Concurrent;
using DroitsAmeli.Grains.Familles;
using Microsoft.Extensions.Logging;
using Orleans.Runtime;
using Orleans.Runtime.Services;

namespace DroitsAmeli.Tests.Cluster.Evenements;

/// <summary>What one silo was told, and which families it says it holds.</summary>
public sealed class Told
{
    private TaskCompletionSource? frozen;

    /// <summary>The newest version told of each family.</summary>
    public ConcurrentDictionary<string, long> Versions { get; } = new();

    public ConcurrentQueue<Ordre> Ordres { get; } = new();

    public ConcurrentDictionary<string, bool> Held { get; } = new();

    /// <summary>Seen before each batch is noted.</summary>
    public Func<Evenement[], Task>? Before { get; set; }

    /// <summary>Seen before each order is noted.</summary>
    public Func<Ordre, Task>? BeforeObeying { get; set; }

    /// <summary>The silo takes calls and answers none.</summary>
    public void Freeze() => frozen = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public void Thaw() => Interlocked.Exchange(ref frozen, null)?.TrySetResult();

    public async Task<string[]> Announce(Evenement[] evenements)
    {
        if (frozen is { } gate)
            await gate.Task;
        if (Before is { } before)
            await before(evenements);
        foreach (var (famille, version) in evenements)
            Versions.AddOrUpdate(famille, version, (_, known) => Math.Max(known, version));
        return [.. evenements.Select(evenement => evenement.Famille).Where(Held.ContainsKey)];
    }

    public async Task<int> Obey(Ordre ordre)
    {
        if (frozen is { } gate)
            await gate.Task;
        if (BeforeObeying is { } before)
            await before(ordre);
        Ordres.Enqueue(ordre);
        return Held.Count;
    }
}

/// <summary>In the place of the families' service: notes what its silo is told.</summary>
public sealed class RecordingFamilles(GrainId id, Orleans.Runtime.Silo silo, ILoggerFactory loggers, Told told) : GrainService(id, silo, loggers), IFamillesService
{
    public Task<string[]> Announce(Evenement[] evenements) => told.Announce(evenements);

    public Task<int> Obey(Ordre ordre) => told.Obey(ordre);

    public Task<FamilleState?> Look(string famille) => Task.FromResult<FamilleState?>(null);
}
