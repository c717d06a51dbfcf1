using System.Text.Json;
using DroitsAmeli.Grains.Droits;

namespace DroitsAmeli.Grains.Familles;

/// <summary>All that is held of a family, at rest: in an idle grain, in the store, on its way to another silo.</summary>
/// <param name="Newest">The newest version that anything has shown, or that had been announced when this was made.</param>
/// <param name="Parts">The copies; the composition is the one without NIR.</param>
internal sealed record FamilleSnapshot(long Newest, IReadOnlyList<SnapshotPart> Parts)
{
    /// <summary>Null, and counted, when this build cannot read it: a newer one made it, or it is broken.</summary>
    public static FamilleSnapshot? Read(ReadOnlySpan<byte> content)
    {
        var snapshot = SnapshotCodec.Decode(content);
        if (snapshot is null)
            CountRefused(SnapshotCodec.IsNewer(content) ? "newer" : "malformed");
        return snapshot;
    }

    internal static void CountRefused(string reason) => Telemetry.StorageReads.Add(1, new("outcome", "refused"), new("reason", reason));
}

/// <summary>One copy at rest; see <see cref="Copy{T}"/>. Parts are told apart by the NIR alone: another kind of part needs a new format.</summary>
/// <param name="Nir">Whose rights; null for the composition.</param>
/// <param name="Version">The SI's version of it.</param>
/// <param name="CurrentAt">The newest family version against which the SI has confirmed it.</param>
/// <param name="LoadedAt">The instant the SI gave or confirmed it, to the millisecond.</param>
/// <param name="FreshUntil">Until when it is served without asking, to the millisecond.</param>
/// <param name="Payload">UTF-8 JSON, see <see cref="Droits.PartJson"/>.</param>
internal sealed record SnapshotPart(
    string? Nir, long Version, long CurrentAt, DateTimeOffset LoadedAt, DateTimeOffset FreshUntil, ReadOnlyMemory<byte> Payload)
{
    /// <summary>The instant the SI gave the payload, to the millisecond: before <see cref="LoadedAt"/> where it has only confirmed it since.</summary>
    public DateTimeOffset GivenAt { get; init; } = LoadedAt;

    /// <summary>The payload of a composition; null, and counted, when this build cannot read it: a newer one made it.</summary>
    public Composition? ReadComposition() => Read(PartJson.ReadComposition);

    /// <summary>The payload of rights; null, and counted, when this build cannot read it.</summary>
    public DroitsBeneficiaire? ReadDroits() => Read(PartJson.ReadDroits);

    private T? Read<T>(Func<ReadOnlySpan<byte>, T> read)
        where T : class
    {
        try
        {
            return read(Payload.Span);
        }
        catch (JsonException)
        {
            FamilleSnapshot.CountRefused("newer");
            return null;
        }
    }
}
