using DroitsAmeli.Grains.Familles;
using DroitsAmeli.Grains.RegimeSi;

namespace DroitsAmeli.Grains.Evenements;

/// <summary>How one poll of the feed ended.</summary>
public abstract record FeedAnswer
{
    private FeedAnswer()
    {
    }

    /// <summary>Events in order, perhaps none, and where to go on from.</summary>
    public sealed record Page(Evenement[] Evenements, string Curseur) : FeedAnswer;

    /// <summary>The cursor is too old: everything may have changed. Go on from <paramref name="Curseur"/>, or from now when the SI did not say.</summary>
    public sealed record Gone(string? Curseur) : FeedAnswer;

    /// <summary>A page that cannot be read. It ends at <paramref name="Curseur"/>, null when it does not say so or says that nothing follows.</summary>
    public sealed record Refused(RefusalReason Reason, string? Curseur) : FeedAnswer;

    /// <summary>No answer, or one that is no page.</summary>
    public sealed record Failed(TimeSpan? RetryAfter) : FeedAnswer;
}
