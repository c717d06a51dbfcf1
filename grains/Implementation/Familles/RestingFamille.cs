using DroitsAmeli.Grains.Storage;

namespace DroitsAmeli.Grains.Familles;

/// <summary>A family nobody reads at the moment, in the bytes of <see cref="SnapshotCodec"/>.</summary>
/// <param name="Content">The bytes.</param>
/// <param name="OldestLoad">When the SI gave the oldest part.</param>
/// <param name="NewestLoad">When the SI gave, or confirmed, the newest part.</param>
/// <param name="ExpiresAt">From when on the first of its parts may be shown to nobody, so that it may not stay as it is.</param>
internal sealed record RestingFamille(byte[] Content, DateTimeOffset OldestLoad, DateTimeOffset NewestLoad, DateTimeOffset ExpiresAt)
{
    /// <summary>The name under which families are stored.</summary>
    public const string State = "famille";

    /// <summary>The snapshots of families in the store.</summary>
    public static SnapshotKind Kind { get; } = new(State, Merge) { Instants = InstantsOf };

    /// <exception cref="ArgumentException">It is too large, see <see cref="SnapshotCodec.Encode"/>.</exception>
    public static RestingFamille Of(FamilleSnapshot snapshot) => Of(SnapshotCodec.Encode(snapshot), snapshot);

    public static RestingFamille Of(byte[] content, FamilleSnapshot snapshot) => new(
        content,
        snapshot.Parts.Min(part => part.GivenAt),
        snapshot.Parts.Max(part => part.LoadedAt),
        snapshot.Parts.Min(part => Freshness.ExpiresAt(part.LoadedAt)));

    /// <summary>What the store keeps, until a part of it may be shown to nobody.</summary>
    public Snapshot ToStore() => new(Content, OldestLoad, NewestLoad, ExpiresAt);

    /// <summary>True when the SI gave something of it, or confirmed it last, in the order's interval.</summary>
    public bool Holds(Ordre ordre)
    {
        if (ordre.Concerns(OldestLoad) || ordre.Concerns(NewestLoad))
            return true;
        return OldestLoad < ordre.Instant && ordre.From < NewestLoad
            && (SnapshotCodec.Decode(Content) is not { } snapshot || snapshot.Parts.Any(part => ordre.Concerns(part.LoadedAt, part.GivenAt)));
    }

    /// <summary>
    /// What is left without what a quarantine forgets: the same when that is nothing, null when it is everything. A version that neither what
    /// is left nor the SI's feed has shown may be as wrong as what is forgotten: then nothing is left.
    /// </summary>
    /// <param name="quarantine">The order.</param>
    /// <param name="announced">The newest version that the SI has announced.</param>
    public RestingFamille? Without(Ordre quarantine, long announced)
    {
        if (!Holds(quarantine))
            return this;
        if (SnapshotCodec.Decode(Content) is not { } snapshot)
            return null;
        var left = snapshot.Parts.Where(part => !quarantine.Concerns(part.LoadedAt, part.GivenAt)).ToList();
        return left.Count > 0 && Math.Max(announced, left.Max(part => part.Version)) >= snapshot.Newest
            ? Of(snapshot with { Parts = left })
            : null;
    }

    /// <summary>What is left without the parts that may be shown to nobody at that instant: the same when that is none, null when it is all.</summary>
    /// <param name="expiredAt">The instant.</param>
    /// <param name="announced">The newest version that the SI has announced: what is left is old where it was given before that.</param>
    public RestingFamille? Without(DateTimeOffset expiredAt, long announced)
    {
        if (expiredAt < ExpiresAt)
            return this;
        if (SnapshotCodec.Decode(Content) is not { } snapshot)
            return null;
        var left = snapshot.Parts.Where(part => expiredAt < Freshness.ExpiresAt(part.LoadedAt)).ToList();
        return left.Count > 0 ? Of(new FamilleSnapshot(Math.Max(snapshot.Newest, announced), left)) : null;
    }

    private static IEnumerable<DateTimeOffset> InstantsOf(Snapshot stored)
    {
        yield return stored.OldestLoad;
        yield return stored.NewestLoad;
        foreach (var part in SnapshotCodec.Decode(stored.Content.Span)?.Parts ?? [])
        {
            yield return part.LoadedAt;
            yield return part.GivenAt;
        }
    }

    // Part by part the newer version; of one version what was confirmed last.
    private static Snapshot Merge(Snapshot stored, Snapshot mine)
    {
        // While silos of two versions run side by side, the older one must not destroy what the newer one wrote.
        if (FamilleSnapshot.Read(stored.Content.Span) is not { } theirs)
            return SnapshotCodec.IsNewer(stored.Content.Span) ? stored : mine;
        if (FamilleSnapshot.Read(mine.Content.Span) is not { } ours)
            return stored;

        var best = theirs.Parts.Concat(ours.Parts)
            .OrderByDescending(part => part.Version)
            .ThenByDescending(part => part.LoadedAt)
            .ToLookup(part => part.Nir);

        // The newest stays as it is where this build cannot read it: an older one is no replacement for what a newer build made.
        var parts = best[null].Take(1).ToList();

        // Nobody's rights outlive the newest composition that leaves them out.
        var family = best[null].Select(composition => composition.ReadComposition()).FirstOrDefault(read => read is not null);
        var membres = family?.Membres.Select(membre => membre.Beneficiaire.Nir?.Value).ToHashSet();
        parts.AddRange(best
            .Where(same => same.Key is not null)
            .Select(same => same.First())
            .Where(rights => membres is null || rights.Version > family!.Version || membres.Contains(rights.Nir)));
        if (parts.Count == 0)
            return mine;

        return ours.Newest <= theirs.Newest && parts.Count == theirs.Parts.Count && parts.TrueForAll(theirs.Parts.Contains)
            ? stored
            : Of(new(Math.Max(theirs.Newest, ours.Newest), parts)).ToStore();
    }
}
