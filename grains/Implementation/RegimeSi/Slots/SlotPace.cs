namespace DroitsAmeli.Grains.RegimeSi;

/// <summary>
/// How fast a convention's calls start while they wait in a line, over their last five busy seconds. It is measured where they start, so it
/// holds what goes before: the SI's speed, this silo's share of the slots, the turns of others, and the more urgent lines. Not thread-safe.
/// </summary>
internal sealed class SlotPace(TimeProvider time)
{
    private const double MemorySeconds = 5;
    private const double LeastStarts = 3;
    private static readonly TimeSpan KeptFor = TimeSpan.FromSeconds(10);

    private double starts;
    private double busySeconds;
    private long since;
    private long lastStart;

    /// <summary>The line is no longer empty.</summary>
    public void Begin()
    {
        since = time.GetTimestamp();
        if (starts > 0 && time.GetElapsedTime(lastStart) > KeptFor)
            starts = busySeconds = 0;
    }

    /// <summary>The line's first call started.</summary>
    public void Started()
    {
        var now = time.GetTimestamp();
        var gap = time.GetElapsedTime(since, now).TotalSeconds;
        var kept = Math.Exp(-gap / MemorySeconds);
        starts = starts * kept + 1;
        busySeconds = busySeconds * kept + gap;
        since = lastStart = now;
    }

    /// <summary>How long a call waits before which so many others start; null when too little was seen to say.</summary>
    public TimeSpan? Wait(int startsBefore)
    {
        if (starts < LeastStarts)
            return null;
        var gap = time.GetElapsedTime(since).TotalSeconds;
        var interval = Math.Max(busySeconds / starts, (busySeconds + gap) / (starts + 1));
        return TimeSpan.FromSeconds((startsBefore + 1) * interval);
    }
}
