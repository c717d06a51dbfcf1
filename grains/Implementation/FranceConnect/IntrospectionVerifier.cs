using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using DroitsAmeli.Grains.Configuration;
using Microsoft.Extensions.Options;

namespace DroitsAmeli.Grains.FranceConnect;

/// <summary>The checks of a checktoken answer that need no convention, in their order.</summary>
public enum IntrospectionCheck
{
    JweHeader,
    Decryption,
    JwsHeader,
    Signature,

    /// <summary>What was signed is one JSON object.</summary>
    Payload,
    Issuer,
    Audience,
    IssuedAt,

    /// <summary>The answer says active or not, and all claims of an active one are there.</summary>
    Active,

    /// <summary><c>jti</c> is the access token we asked about: an answer to another question is not ours.</summary>
    Token,
    Expiry,
}

/// <summary>What a checktoken answer is worth.</summary>
/// <param name="Answer">What the caller gets.</param>
/// <param name="Failed">The check that ended the pipeline early; null for an active token.</param>
public sealed record IntrospectionVerdict(ChecktokenAnswer Answer, IntrospectionCheck? Failed);

/// <summary>
/// The one pipeline between FranceConnect's bytes and a belief about a token. An inactive or expired token is Inactive; whatever fails before
/// <c>active</c>, or an active answer with a missing claim, cannot be verified: FranceConnectUnusable.
/// </summary>
public sealed class IntrospectionVerifier(
    ReloadedFile<DecryptionKeys> decryptionKeys, SigningKeys signingKeys, IOptions<FranceConnectOptions> options, TimeProvider time)
{
    private static readonly TimeSpan IssuedAtTolerance = TimeSpan.FromSeconds(60);

    private readonly FranceConnectOptions settings = options.Value;

    /// <summary>Runs every check in order and stops at the first that fails.</summary>
    /// <param name="jwe">The body of a checktoken answer.</param>
    /// <param name="token">The access token that was asked about.</param>
    /// <param name="cancellationToken">Ends the wait for FranceConnect's signing keys.</param>
    public async ValueTask<IntrospectionVerdict> Verify(string jwe, string token, CancellationToken cancellationToken)
    {
        if (!CompactJose.IsPinnedJwe(jwe, settings.EncryptedResponseAlg, settings.EncryptedResponseEnc))
            return Refused(IntrospectionCheck.JweHeader);
        if (decryptionKeys.Current.Decrypt(jwe) is not { } jws)
            return Refused(IntrospectionCheck.Decryption);
        if (CompactJose.KidOfPinnedJws(jws, settings.SignedResponseAlg) is not { } kid)
            return Refused(IntrospectionCheck.JwsHeader);
        if (await signingKeys.Find(kid, cancellationToken) is not { } key || key.Verify(jws) is not { } payload)
            return Refused(IntrospectionCheck.Signature);
        using var document = CompactJose.ParseObject(payload);
        return document is null ? Refused(IntrospectionCheck.Payload) : Judge(document.RootElement, token);
    }

    private IntrospectionVerdict Judge(JsonElement claims, string token)
    {
        if (IntrospectionClaims.Text(claims, "iss") != settings.Issuer)
            return Refused(IntrospectionCheck.Issuer);
        if (IntrospectionClaims.Text(claims, "aud") != settings.ClientId)
            return Refused(IntrospectionCheck.Audience);
        var now = time.GetUtcNow();
        if (IntrospectionClaims.Instant(claims, "iat") is not { } iat || (now - iat).Duration() > IssuedAtTolerance)
            return Refused(IntrospectionCheck.IssuedAt);
        if (!claims.TryGetProperty("token_introspection", out var introspected) || introspected.ValueKind != JsonValueKind.Object
            || !introspected.TryGetProperty("active", out var active))
            return Refused(IntrospectionCheck.Active);
        if (active.ValueKind == JsonValueKind.False)
            return Inactive(IntrospectionCheck.Active);
        if (active.ValueKind != JsonValueKind.True || IntrospectionClaims.Introspection(introspected) is not { } introspection
            || IntrospectionClaims.Identite(introspected) is not { } identite)
            return Refused(IntrospectionCheck.Active);
        if (!IsAbout(introspected, token))
            return Refused(IntrospectionCheck.Token);
        if (introspection.ExpiresAt <= now)
            return Inactive(IntrospectionCheck.Expiry);
        return new IntrospectionVerdict(new ChecktokenAnswer(JetonOutcome.Active, introspection, identite), null);
    }

    private static bool IsAbout(JsonElement introspected, string token) =>
        IntrospectionClaims.Text(introspected, "jti") is { } jti
        && CryptographicOperations.FixedTimeEquals(Encoding.UTF8.GetBytes(jti), Encoding.UTF8.GetBytes(token));

    private static IntrospectionVerdict Refused(IntrospectionCheck check) => new(new ChecktokenAnswer(JetonOutcome.FranceConnectUnusable), check);

    private static IntrospectionVerdict Inactive(IntrospectionCheck check) => new(new ChecktokenAnswer(JetonOutcome.Inactive), check);
}
