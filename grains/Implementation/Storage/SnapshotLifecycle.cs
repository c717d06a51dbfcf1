using DroitsAmeli.Grains.Familles;

namespace DroitsAmeli.Grains.Storage;

/// <summary>Prepares the store before a silo takes grains, and writes what waits when it stops, after its grains have stopped.</summary>
internal sealed class SnapshotLifecycle(SnapshotStore store) : ILifecycleParticipant<ISiloLifecycle>
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(10);

    // No key of a family is as short: it begins with f-.
    private static readonly GrainId Nobody = GrainId.Create("famille", "-");

    public void Participate(ISiloLifecycle lifecycle) => lifecycle.Subscribe(
        nameof(SnapshotLifecycle),
        ServiceLifecycleStage.RuntimeStorageServices,
        cancellationToken => store.Prepare(RestingFamille.Kind, Nobody, cancellationToken),
        _ => store.Flush(Limit));
}
