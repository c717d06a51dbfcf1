using DroitsAmeli.Grains.Familles;

namespace DroitsAmeli.Grains.Evenements;

/// <summary>
/// The orders that stand for missed events. An order may concern loads that are still to come, so that one which has not begun covers what is
/// missed next, and however often events are missed, an order begins no sooner than the one before it is spread out. Not thread-safe.
/// </summary>
/// <param name="spread">Of each order.</param>
/// <param name="longestLoad">What was asked before events were missed, and is still on its way, counts as loaded before the order.</param>
internal sealed class StaleOrdres(TimeSpan spread, TimeSpan longestLoad)
{
    private static readonly TimeSpan LeastBetween = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan Memory = TimeSpan.FromMinutes(5);

    private readonly Queue<Ordre> given = new();
    private Ordre? last;

    /// <summary>An order by which all that is missed before now becomes stale.</summary>
    /// <param name="now">The instant of the call.</param>
    /// <param name="isNew">False when it was given before.</param>
    public Ordre Cover(DateTimeOffset now, out bool isNew)
    {
        var least = now + longestLoad;
        isNew = last is null || last.Instant < least;
        if (isNew)
            last = Give(last is null ? least : Later(least, last.Instant + Later(spread, LeastBetween)));
        return last!;
    }

    /// <summary>An order for a beginning, before which nothing was held that matters: no other is put off by it, or covered.</summary>
    public Ordre Begin(DateTimeOffset now) => Give(now + longestLoad);

    /// <summary>Those that are not spread out yet, or only just: a silo that comes may get families from before them.</summary>
    public IReadOnlyCollection<Ordre> Lately(DateTimeOffset now)
    {
        while (given.TryPeek(out var first) && first.Instant + spread + Memory <= now)
            given.Dequeue();
        return given;
    }

    private static T Later<T>(T one, T other) where T : IComparable<T> => one.CompareTo(other) > 0 ? one : other;

    private Ordre Give(DateTimeOffset instant)
    {
        var ordre = new Ordre { Id = Guid.NewGuid(), Kind = OrdreKind.Stale, Instant = instant, Spread = spread };
        given.Enqueue(ordre);
        return ordre;
    }
}
