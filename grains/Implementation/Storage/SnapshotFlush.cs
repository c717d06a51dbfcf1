namespace DroitsAmeli.Grains.Storage;

/// <summary>Writes what waits when a silo stops, after its grains have stopped.</summary>
internal sealed class SnapshotFlush(SnapshotStore store) : ILifecycleParticipant<ISiloLifecycle>
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(10);

    public void Participate(ISiloLifecycle lifecycle) => lifecycle.Subscribe(
        nameof(SnapshotFlush),
        ServiceLifecycleStage.RuntimeStorageServices,
        _ => Task.CompletedTask,
        _ => store.Flush(Limit));
}
