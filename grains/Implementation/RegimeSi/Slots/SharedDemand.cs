namespace DroitsAmeli.Grains.RegimeSi;

/// <summary>
/// The demand of one call that several readers share. Whoever joins makes it as urgent as their own, and keeps it alive for as long as their
/// own token lives, even while the call waits for a slot. Thread-safe.
/// </summary>
/// <param name="first">The demand of the reader who started the call.</param>
public sealed class SharedDemand(SiDemand first)
{
    private readonly Lock gate = new();
    private SiDemand current = first;
    private Action? raised;

    /// <summary>The demand of all who have joined so far.</summary>
    public SiDemand Current
    {
        get
        {
            lock (gate)
                return current;
        }
    }

    public static implicit operator SharedDemand(SiDemand demand) => new(demand);

    public static implicit operator SharedDemand(SiPriority priority) => new(priority);

    /// <summary>Another reader waits for the same call.</summary>
    public void Join(SiDemand demand)
    {
        Action? notify;
        lock (gate)
        {
            var joined = current.Or(demand);
            if (joined == current)
                return;
            current = joined;
            notify = raised;
        }
        notify?.Invoke();
    }

    /// <summary>Whom to tell when the demand grows: the call's place in the queue; null: nobody any more.</summary>
    internal void Tell(Action? place)
    {
        lock (gate)
            raised = place;
    }
}
