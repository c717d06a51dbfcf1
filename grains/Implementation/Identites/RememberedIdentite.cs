using System.Text.Json;
using System.Text.Json.Serialization;
using DroitsAmeli.Grains.Droits;
using DroitsAmeli.Grains.Storage;

namespace DroitsAmeli.Grains.Identites;

/// <summary>What the SI said of an identity, at rest.</summary>
/// <param name="Famille">The SI's family id.</param>
/// <param name="Nir">The user's.</param>
/// <param name="AskedAt">The instant of the SI's answer.</param>
internal sealed record RememberedIdentite(string Famille, Nir Nir, DateTimeOffset AskedAt)
{
    /// <summary>For how long an identification is remembered.</summary>
    public static TimeSpan For { get; } = TimeSpan.FromHours(24);

    /// <summary>Identities in the store; of two the later one is kept.</summary>
    public static SnapshotKind Kind { get; } = new("identite", (one, other) => other.NewestLoad >= one.NewestLoad ? other : one);

    public Snapshot ToStore() => new(
        JsonSerializer.SerializeToUtf8Bytes(this, RememberedIdentiteJson.Default.RememberedIdentite), AskedAt, AskedAt, AskedAt + For);

    /// <summary>Null when it cannot be read.</summary>
    public static RememberedIdentite? Read(Snapshot snapshot)
    {
        try
        {
            return JsonSerializer.Deserialize(snapshot.Content.Span, RememberedIdentiteJson.Default.RememberedIdentite);
        }
        catch (JsonException)
        {
            return null;
        }
    }
}

[JsonSerializable(typeof(RememberedIdentite))]
internal sealed partial class RememberedIdentiteJson : JsonSerializerContext;
