using DroitsAmeli.Grains.Droits;
using Orleans.Concurrency;

namespace DroitsAmeli.Grains.Familles;

/// <summary>
/// One insured family: a shared, fresh copy of its composition and of each beneficiary's rights, loaded from the régime SI at first need.
/// Key: <see cref="FamilleKey"/>.
/// </summary>
[Alias("droits.famille")]
public interface IFamilleGrain : IGrainWithStringKey
{
    /// <summary>Everybody the user's token opens, the user first. Loads nobody's rights for the two booleans.</summary>
    [AlwaysInterleave, Alias("beneficiaires")]
    Task<FamilleReply> GetBeneficiaires(FamilleRequest request, CancellationToken cancellationToken = default);

    /// <summary>One person the token opens, with what the two booleans need where it can be had.</summary>
    [AlwaysInterleave, Alias("beneficiaire")]
    Task<FamilleReply> GetBeneficiaire(FamilleRequest request, CancellationToken cancellationToken = default);

    /// <summary>The rights of one person the token opens.</summary>
    [AlwaysInterleave, Alias("droits")]
    Task<FamilleReply> GetDroits(FamilleRequest request, CancellationToken cancellationToken = default);
}

/// <summary>A read of a family on behalf of a user who is present.</summary>
[GenerateSerializer, Immutable, Alias("droits.famille-request")]
public sealed record FamilleRequest
{
    /// <summary>The user the token identifies.</summary>
    [Id(0)] public required Nir Utilisateur { get; init; }

    /// <summary>The person asked about; the user when null.</summary>
    [Id(1)] public Nir? Beneficiaire { get; init; }

    /// <summary>The oldest copy the convention accepts; null: the product's own limit.</summary>
    [Id(2)] public TimeSpan? MaximumAge { get; init; }

    /// <summary>The convention that asks: where the SI is scarce, those present are served fairly between conventions.</summary>
    [Id(3)] public string? Convention { get; init; }

    /// <summary>When the user's token dies; a call to the SI that has not begun by then is not made.</summary>
    [Id(4)] public DateTimeOffset? JetonExpiresAt { get; init; }

    /// <summary>True when the SI was not asked yet for this token's sake: where the SI is scarce, visits that have begun go first.</summary>
    [Id(5)] public bool IsFirst { get; init; }
}

/// <summary>What became of a read.</summary>
[Alias("droits.famille-outcome")]
public enum FamilleOutcome
{
    Ok = 0,

    /// <summary>The SI says that this family does not exist, or is closed: the user must be identified again.</summary>
    FamilleGone = 1,

    /// <summary>The family no longer holds the user: the user must be identified again.</summary>
    UtilisateurAbsent = 2,

    /// <summary>The user is deceased: the token opens nobody.</summary>
    UtilisateurDecede = 3,

    /// <summary>The person asked about is not among those the token opens.</summary>
    BeneficiaireInconnu = 4,

    SiUnavailable = 5,

    SiTooSlow = 6,
}

/// <summary>On whose behalf rights are read; it decides what is left out of them.</summary>
[Alias("droits.ouverture")]
public enum Ouverture
{
    /// <summary>The token does not open this person.</summary>
    Fermee = 0,

    /// <summary>The user's own.</summary>
    Utilisateur = 1,

    /// <summary>Somebody attached to the user: MAT and STE exonerations are left out.</summary>
    Rattache = 2,
}

/// <summary>The answer to a read. Payloads are ready bytes, see <see cref="PartJson"/>.</summary>
[GenerateSerializer, Immutable, Alias("droits.famille-reply")]
public sealed record FamilleReply
{
    [Id(0)] public required FamilleOutcome Outcome { get; init; }

    /// <summary>Members (<see cref="PartJson.ReadMembres"/>) or rights (<see cref="PartJson.ReadDroits"/>); empty unless the outcome is Ok.</summary>
    [Id(1)] public byte[] Payload { get; init; } = [];

    [Id(2)] public Ouverture Ouverture { get; init; }

    /// <summary>
    /// Age and origin of what is answered, over all parts that stand in <see cref="Payload"/>: of rights, theirs alone, not that of the composition
    /// that opened them; null unless the outcome is Ok.
    /// </summary>
    [Id(3)] public CacheState? Cache { get; init; }

    /// <summary>When the SI says it will answer again.</summary>
    [Id(4)] public TimeSpan? RetryAfter { get; init; }
}

/// <summary>How a part came to be answered, from best to worst; but a <see cref="Hit"/> that is no longer fresh is worse than a <see cref="Miss"/>.</summary>
[Alias("droits.cache-outcome")]
public enum CacheOutcome
{
    /// <summary>From the cache, the SI not asked.</summary>
    Hit = 0,

    /// <summary>Asked, and the copy was confirmed (304).</summary>
    Confirmed = 1,

    /// <summary>Asked, and a new copy replaced the old one.</summary>
    Refreshed = 2,

    /// <summary>Nothing was cached: loaded.</summary>
    Miss = 3,

    /// <summary>Asked, and the SI failed: the old copy.</summary>
    OldCopy = 4,
}

/// <summary>Age and origin of a cached part; the truth behind <c>Date-Situation</c> and <c>Cache-Status</c>.</summary>
[GenerateSerializer, Immutable, Alias("droits.cache-state")]
public sealed record CacheState
{
    /// <summary>The instant the SI gave these rights, or last confirmed them (304).</summary>
    [Id(0)] public required DateTimeOffset Situation { get; init; }

    [Id(1)] public required CacheOutcome Outcome { get; init; }

    /// <summary>Seconds for which the copy stays fresh; negative once it is not.</summary>
    [Id(2)] public required int TtlSeconds { get; init; }

    /// <summary>
    /// The state of an answer made of two parts: the oldest instant, the worst outcome, the smallest time to live. What was loaded now never hides that
    /// the other part is an old copy.
    /// </summary>
    public CacheState And(CacheState? other) => other is null ? this : new()
    {
        Situation = Situation < other.Situation ? Situation : other.Situation,
        Outcome = Rank.CompareTo(other.Rank) > 0 ? Outcome : other.Outcome,
        TtlSeconds = Math.Min(TtlSeconds, other.TtlSeconds),
    };

    private (bool IsFailure, bool IsStaleHit, CacheOutcome Outcome) Rank =>
        (Outcome is CacheOutcome.OldCopy, Outcome is CacheOutcome.Hit && TtlSeconds < 0, Outcome);
}

/// <summary>
/// The key of a family's grain: <c>f-</c> and base64url of the SI's family id. The prefix keeps apart ids that the ADO.NET provider
/// would read as the same number.
/// </summary>
public static class FamilleKey
{
    private const string Prefix = "f-";

    /// <summary>The grain key of that family id.</summary>
    public static string Of(string famille) =>
        Prefix + System.Buffers.Text.Base64Url.EncodeToString(System.Text.Encoding.UTF8.GetBytes(famille));

    /// <summary>The family id behind that grain key.</summary>
    public static string ToFamille(string key) =>
        System.Text.Encoding.UTF8.GetString(System.Buffers.Text.Base64Url.DecodeFromChars(key.AsSpan(Prefix.Length)));
}
