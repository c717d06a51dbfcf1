namespace DroitsAmeli.Grains.Familles;

/// <summary>
/// The pause after a failed load, doubling from 1 s to 60 s: without it every waiting call would try the SI again, one after the other.
/// </summary>
public sealed class FailurePause
{
    private static readonly TimeSpan First = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan Longest = TimeSpan.FromSeconds(60);

    private TimeSpan length;
    private DateTimeOffset until;
    private DateTimeOffset upstreamUntil;

    /// <summary>True while no new try may be made.</summary>
    public bool IsOn(DateTimeOffset now) => now < until;

    /// <summary>True when the last try failed, or was not made, and that is not long ago.</summary>
    public bool HasFailed(DateTimeOffset now) => until != default && now < until + Longest;

    /// <summary>A try failed.</summary>
    /// <param name="now">The instant of the failure.</param>
    /// <param name="retryAfter">What the upstream said of its return, if anything.</param>
    public void Failed(DateTimeOffset now, TimeSpan? retryAfter)
    {
        length = length == TimeSpan.Zero ? First : length * 2 < Longest ? length * 2 : Longest;
        until = now + length;
        upstreamUntil = retryAfter is { } wait ? now + wait : now;
    }

    /// <summary>A try was not made, because others have found the upstream closed: the pause stays short, and says when it opens.</summary>
    public void Deferred(DateTimeOffset now, TimeSpan? retryAfter)
    {
        until = now + First;
        upstreamUntil = retryAfter is { } wait ? now + wait : now;
    }

    /// <summary>A try succeeded.</summary>
    public void Succeeded() => (length, until, upstreamUntil) = (TimeSpan.Zero, default, default);

    /// <summary>When asking again makes sense: the later of our pause and the upstream's word.</summary>
    public TimeSpan Remaining(DateTimeOffset now)
    {
        var later = until > upstreamUntil ? until : upstreamUntil;
        return later > now ? later - now : TimeSpan.Zero;
    }
}
