using DroitsAmeli.Grains.Familles;

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

    /// <summary>No answer, or one that was refused.</summary>
    public sealed record Failed(TimeSpan? RetryAfter) : FeedAnswer;
}
