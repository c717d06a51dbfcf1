namespace DroitsAmeli.Grains.RegimeSi;

/// <summary>On whose behalf the SI is called; it decides who is served first, and when nobody needs the answer any more.</summary>
/// <param name="Priority">The order of service.</param>
/// <param name="Convention">The partner who waits: those present are served fairly between conventions. Null when nobody waits.</param>
/// <param name="Until">When the user's token dies: a call that has not begun by then is not made. Null: never.</param>
/// <param name="First">True when nothing was asked of the SI for this visit yet: it goes after the visits that have begun.</param>
public readonly record struct SiDemand(SiPriority Priority, string? Convention = null, DateTimeOffset? Until = null, bool First = false)
{
    public static implicit operator SiDemand(SiPriority priority) => new(priority);

    /// <summary>The demand of two who wait for the same call: the more urgent one's, for as long as one of their tokens lives.</summary>
    public SiDemand Or(SiDemand other)
    {
        var mine = (Priority, First).CompareTo((other.Priority, other.First)) <= 0;
        return new(
            mine ? Priority : other.Priority,
            mine ? Convention : other.Convention,
            Until is { } until && other.Until is { } otherUntil ? (until > otherUntil ? until : otherUntil) : null,
            mine ? First : other.First);
    }
}
