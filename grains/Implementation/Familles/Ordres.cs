using System.Collections.Frozen;
using DroitsAmeli.Grains.Droits;

namespace DroitsAmeli.Grains.Familles;

/// <summary>
/// The orders in force on this silo, and what they say of a copy. Every read asks, so without orders it costs nothing; a copy is judged by
/// the instants the SI gave it, so an order holds as well for what comes later from the store or from another silo.
/// </summary>
public sealed class Ordres
{
    /// <summary>How long an order stays: what was given longer ago may not be shown, so an order from before concerns nothing; and an hour more.</summary>
    public static readonly TimeSpan Retention = LongestAge.Span + TimeSpan.FromHours(1);

    private readonly Lock adding = new();
    private volatile InForce current = InForce.None;

    /// <summary>
    /// False until the orders that are kept in the database have been read, where there is one: what comes from the store must not be shown
    /// before that, because an order to forget it may be among them.
    /// </summary>
    public bool AreKnown { get; internal set; } = true;

    /// <summary>The orders, in no particular order.</summary>
    public IReadOnlyCollection<Ordre> All => current.ById.Values;

    /// <summary>Puts an order in force.</summary>
    /// <returns>False when it was known already.</returns>
    public bool Add(Ordre ordre) => AddRange([ordre]).Count > 0;

    /// <summary>Puts orders in force.</summary>
    /// <returns>Those that were not known.</returns>
    public IReadOnlyList<Ordre> AddRange(IEnumerable<Ordre> ordres)
    {
        lock (adding)
        {
            var before = current;
            var unknown = ordres.Where(ordre => !before.ById.ContainsKey(ordre.Id)).DistinctBy(ordre => ordre.Id).Select(ordre => ordre.Understood).ToList();
            if (unknown.Count > 0)
                current = InForce.Of(before.ById.Values.Concat(unknown));
            return unknown;
        }
    }

    /// <summary>Drops the orders that concern nothing any more.</summary>
    public void Prune(DateTimeOffset now)
    {
        lock (adding)
        {
            var before = current;
            var rest = before.ById.Values.Where(ordre => now < ordre.EndsAt).ToList();
            if (rest.Count < before.ById.Count)
                current = InForce.Of(rest);
        }
    }

    /// <summary>True when what the SI gave, or last confirmed, at that instant lies in a quarantine.</summary>
    public bool IsForgotten(DateTimeOffset instant)
    {
        foreach (var quarantine in current.Quarantines)
        {
            if (quarantine.Concerns(instant))
                return true;
        }

        return false;
    }

    /// <summary>True when what the SI gave of that family at that instant is forgotten, by a quarantine or by an order about the family.</summary>
    /// <param name="instant">The instant the SI gave it, or last confirmed it: a copy is forgotten when either is.</param>
    /// <param name="familleKey">See <see cref="FamilleKey"/>.</param>
    public bool IsForgotten(DateTimeOffset instant, string familleKey) => IsForgotten(instant) || instant <= ForgottenUpTo(familleKey);

    /// <summary>The same for a family's grain.</summary>
    public bool IsForgotten(DateTimeOffset instant, GrainId grain) =>
        IsForgotten(instant) || current.ByFamille.Count > 0 && instant <= ForgottenUpTo(grain.Key.ToString()!);

    /// <summary>
    /// True when what the SI gave that family at one of those instants is forgotten; they are enumerated only while an order could forget.
    /// </summary>
    public bool IsForgotten(IEnumerable<DateTimeOffset> instants, GrainId grain) =>
        current is { Quarantines.Length: > 0 } or { ByFamille.Count: > 0 } && instants.Any(instant => IsForgotten(instant, grain));

    /// <summary>
    /// The last instant up to which everything of that family is forgotten, the version it must not go back from included; null when nothing
    /// was ordered.
    /// </summary>
    public DateTimeOffset? ForgottenUpTo(string familleKey) =>
        current.ByFamille.TryGetValue(familleKey, out var ofFamille) ? ofFamille.ForgottenUpTo : null;

    /// <summary>
    /// From when on what the SI gives that family is kept, as the orders in force have it: the beginning of time, unless they forget what is given
    /// at that instant, which is while the clock is behind that of their giver.
    /// </summary>
    /// <param name="now">The instant of the call.</param>
    /// <param name="grain">The family's.</param>
    public DateTimeOffset KeptFrom(DateTimeOffset now, GrainId grain)
    {
        var from = now;
        if (current.ByFamille.Count > 0 && ForgottenUpTo(grain.Key.ToString()!) is { } upTo && from <= upTo)
            from = After(upTo);
        foreach (var quarantine in current.Quarantines.OrderBy(quarantine => quarantine.Instant))
        {
            if (quarantine.Concerns(from))
                from = After(quarantine.Instant);
        }

        return from > now ? from : default;

        // Instants of loads are kept to the millisecond.
        static DateTimeOffset After(DateTimeOffset instant) => instant.AddMilliseconds(1);
    }

    /// <summary>Since when what the SI gave of that family at that instant must be asked again before it is shown.</summary>
    /// <param name="loadedAt">The instant the SI gave it, or last confirmed it (304).</param>
    /// <param name="familleKey">See <see cref="FamilleKey"/>; gives each family its own moment within the spread of an order.</param>
    /// <param name="now">The instant of the call.</param>
    /// <returns>Null when that moment has not come. An order about one family is in force at once, also where the clock is behind its giver's.</returns>
    public DateTimeOffset? StaleSince(DateTimeOffset loadedAt, string familleKey, DateTimeOffset now)
    {
        var inForce = current;
        DateTimeOffset? since = null;
        if (inForce.ByFamille.TryGetValue(familleKey, out var ofFamille) && loadedAt < ofFamille.StaleBefore)
            since = ofFamille.StaleBefore;

        foreach (var ordre in inForce.Stale)
        {
            if (loadedAt >= ordre.Instant)
                break;
            var due = ordre.Instant + ordre.Spread * Place(familleKey);
            if (due <= now && (since is null || due < since))
                since = due;
        }

        return since;
    }

    /// <summary><see cref="StaleSince"/> for a family's grain.</summary>
    public bool IsStale(DateTimeOffset loadedAt, GrainId grain, DateTimeOffset now)
    {
        var inForce = current;
        return (inForce.Stale.Length > 0 || inForce.ByFamille.Count > 0) && StaleSince(loadedAt, grain.Key.ToString()!, now) is not null;
    }

    /// <summary>Where a family stands among all, in [0, 1): the same on every silo and in every run.</summary>
    public static double Place(string familleKey)
    {
        const double resolution = 1.0 / (1L << 53);
        var hash = 14695981039346656037UL;
        foreach (var character in familleKey)
            hash = (hash ^ character) * 1099511628211UL;

        // Keys that differ in their last characters only would stand side by side.
        hash = (hash ^ (hash >> 32)) * 0xD6E8FEB86659FD93UL;
        hash = (hash ^ (hash >> 32)) * 0xD6E8FEB86659FD93UL;
        return ((hash ^ (hash >> 32)) >> 11) * resolution;
    }

    private readonly record struct OfFamille(DateTimeOffset? ForgottenUpTo, DateTimeOffset? StaleBefore)
    {
        public static OfFamille Of(IEnumerable<Ordre> ordres)
        {
            var all = ordres.ToList();
            return new(Last(OrdreKind.Forget), Last(OrdreKind.StaleFamille));

            DateTimeOffset? Last(OrdreKind kind) => all.Where(ordre => ordre.Kind == kind).Max(ordre => (DateTimeOffset?)ordre.Instant);
        }
    }

    private sealed record InForce(
        FrozenDictionary<Guid, Ordre> ById,
        Ordre[] Quarantines,

        // The newest first: a copy is concerned by the first so many.
        Ordre[] Stale,
        FrozenDictionary<string, OfFamille> ByFamille)
    {
        public static InForce None { get; } = Of([]);

        public static InForce Of(IEnumerable<Ordre> ordres)
        {
            var byId = ordres.ToFrozenDictionary(ordre => ordre.Id);
            return new(
                byId,
                [.. byId.Values.Where(ordre => ordre.Kind is OrdreKind.Quarantine)],
                [.. byId.Values.Where(ordre => ordre.Kind is OrdreKind.Stale).OrderByDescending(ordre => ordre.Instant)],
                byId.Values
                    .Where(ordre => ordre is { Kind: OrdreKind.Forget or OrdreKind.StaleFamille, Famille: not null })
                    .GroupBy(ordre => FamilleKey.Of(ordre.Famille!), StringComparer.Ordinal)
                    .ToFrozenDictionary(group => group.Key, OfFamille.Of, StringComparer.Ordinal));
        }
    }
}
