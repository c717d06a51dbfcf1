namespace DroitsAmeli.Grains.RegimeSi;

/// <summary>When this silo last learned that another is dead. Those that were dead when it started do not count.</summary>
public sealed class SiloDeaths(ISiloStatusOracle silos, TimeProvider time) : ISiloStatusListener
{
    private readonly Lock gate = new();
    private readonly HashSet<SiloAddress> known = [];
    private long? last;

    /// <summary>Begins to watch.</summary>
    public void Watch()
    {
        lock (gate)
            known.UnionWith(Dead());
        silos.SubscribeToSiloStatusEvents(this);
    }

    /// <summary>Time since the last death; null when there was none.</summary>
    public TimeSpan? SinceLast()
    {
        // A listener may be told later than those who reactivate the dead silo's grains.
        foreach (var silo in Dead())
            Note(silo);
        lock (gate)
            return last is { } at ? time.GetElapsedTime(at) : null;
    }

    /// <inheritdoc/>
    public void SiloStatusChangeNotification(SiloAddress updatedSilo, SiloStatus status)
    {
        if (status == SiloStatus.Dead)
            Note(updatedSilo);
    }

    private void Note(SiloAddress silo)
    {
        lock (gate)
        {
            if (known.Add(silo))
                last = time.GetTimestamp();
        }
    }

    private IEnumerable<SiloAddress> Dead() =>
        silos.GetApproximateSiloStatuses().Where(silo => silo.Value == SiloStatus.Dead).Select(silo => silo.Key);
}
