namespace DroitsAmeli.Grains.Evenements;

/// <summary>
/// Numbers what is read from the feed, and knows up to which cursor everything was carried out: the cursor that may be stored. Not
/// thread-safe.
/// </summary>
public sealed class FeedProgress
{
    private readonly Queue<(long Number, string Curseur)> ends = new();

    /// <summary>The last number given.</summary>
    public long Last { get; private set; }

    /// <summary>The number of a batch that ends at that cursor.</summary>
    public long Begin(string curseur)
    {
        ends.Enqueue((++Last, curseur));
        return Last;
    }

    /// <summary>The cursor that has become storable since the last time; null when none.</summary>
    /// <param name="oldestPending">The least number of which anything is still to be done; <see cref="long.MaxValue"/>: nothing.</param>
    public string? Advance(long oldestPending)
    {
        string? reached = null;
        while (ends.TryPeek(out var end) && end.Number < oldestPending)
            reached = ends.Dequeue().Curseur;
        return reached;
    }

    /// <summary>The feed is read again from an earlier cursor: none of those read so far may be stored.</summary>
    public void Rewind() => ends.Clear();
}
