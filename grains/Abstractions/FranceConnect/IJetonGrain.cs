using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using DroitsAmeli.Grains.Droits;
using Orleans.Concurrency;

namespace DroitsAmeli.Grains.FranceConnect;

/// <summary>
/// One FranceConnect access token: what FranceConnect says of it, asked once for the whole cluster, and the family it leads to.
/// The grain goes when the token does. Key: <see cref="JetonKey"/>.
/// </summary>
[Alias("droits.jeton")]
public interface IJetonGrain : IGrainWithStringKey
{
    /// <summary>What FranceConnect says of the token. The token travels with each call because it is stored nowhere.</summary>
    [AlwaysInterleave, Alias("introspect")]
    Task<JetonReply> Introspect(string token, CancellationToken cancellationToken = default);

    /// <summary>The family and the NIR of the user behind the token.</summary>
    /// <param name="token">The access token.</param>
    /// <param name="rejectedFamille">A family that no longer is the user's: it is forgotten, and the user identified again.</param>
    /// <param name="convention">The convention that asks: where the SI is scarce, those present are served fairly between conventions.</param>
    /// <param name="cancellationToken">Ends the wait, never the look-up that others share.</param>
    [AlwaysInterleave, Alias("identify")]
    Task<IdentiteReply> Identify(
        string token, string? rejectedFamille, string? convention = null, CancellationToken cancellationToken = default);
}

/// <summary>What became of an introspection.</summary>
[Alias("droits.jeton-outcome")]
public enum JetonOutcome
{
    Active = 0,

    /// <summary>Unknown, revoked or expired.</summary>
    Inactive = 1,

    /// <summary>FranceConnect cannot be reached, refuses our credentials, or gave an answer we cannot verify.</summary>
    FranceConnectUnusable = 2,

    FranceConnectTooSlow = 3,
}

/// <summary>The answer to an introspection.</summary>
[GenerateSerializer, Immutable, Alias("droits.jeton-reply")]
public sealed record JetonReply
{
    [Id(0)] public required JetonOutcome Outcome { get; init; }

    /// <summary>Set when the token is active.</summary>
    [Id(1)] public Introspection? Introspection { get; init; }
}

/// <summary>What each request is checked against; the identity stays in the silo.</summary>
[GenerateSerializer, Immutable, Alias("droits.introspection")]
public sealed record Introspection
{
    [Id(0)] public required DateTimeOffset ExpiresAt { get; init; }

    /// <summary>Space-separated levels, as received.</summary>
    [Id(1)] public required string Acr { get; init; }

    /// <summary>Space-separated scopes, as received; may be empty.</summary>
    [Id(2)] public required string Scope { get; init; }

    /// <summary>The FranceConnect client the token was issued to (inner <c>aud</c>).</summary>
    [Id(3)] public required string ServiceProvider { get; init; }

    /// <summary>The user's pairwise identifier, for the audit only.</summary>
    [Id(4)] public required string Subject { get; init; }

    /// <summary>Shows nothing of the user: the runtime logs the answers that it drops.</summary>
    public override string ToString() => "Introspection(redacted)";
}

/// <summary>What became of an identification.</summary>
[Alias("droits.identite-outcome")]
public enum IdentiteOutcome
{
    Resolved = 0,

    /// <summary>Unknown to the hosted régimes, or known to one that is not hosted.</summary>
    NotAttached = 1,

    /// <summary>Several persons match.</summary>
    Ambiguous = 2,

    SiUnavailable = 3,

    SiTooSlow = 4,

    /// <summary>The token stopped being active meanwhile.</summary>
    JetonInactive = 5,

    FranceConnectUnusable = 6,

    FranceConnectTooSlow = 7,
}

/// <summary>The answer to an identification.</summary>
[GenerateSerializer, Immutable, Alias("droits.identite-reply")]
public sealed record IdentiteReply
{
    [Id(0)] public required IdentiteOutcome Outcome { get; init; }

    /// <summary>The SI's family id; set when resolved.</summary>
    [Id(1)] public string? Famille { get; init; }

    /// <summary>The user's NIR; set when resolved.</summary>
    [Id(2)] public Nir? Nir { get; init; }

    /// <summary>When the SI says it will answer again.</summary>
    [Id(3)] public TimeSpan? RetryAfter { get; init; }

    /// <summary>When the SI said so; null when it was not asked, or a silo of an older version answers.</summary>
    [Id(4)] public DateTimeOffset? GivenAt { get; init; }

    /// <summary>True when the SI was asked a moment ago, so for the sake of this visit: it has begun, and what follows goes before new visits.</summary>
    [Id(5)] public bool Asked { get; init; }

    /// <summary>Shows nothing of the user: the runtime logs the answers that it drops.</summary>
    public override string ToString() => $"IdentiteReply({Outcome}, redacted)";
}

/// <summary>The key of a token's grain: <c>j-</c> and base64url of the token's SHA-256.</summary>
public static class JetonKey
{
    private const string Prefix = "j-";

    /// <summary>The grain key of that token.</summary>
    public static string Of(string token) => Prefix + Base64Url.EncodeToString(SHA256.HashData(Encoding.UTF8.GetBytes(token)));
}
