using System.Text.Json;
using DroitsAmeli.Grains.Identites;

namespace DroitsAmeli.Grains.FranceConnect;

/// <summary>The claims of a token introspection, read without tolerance: a claim of another type is a claim we do not have.</summary>
internal static class IntrospectionClaims
{
    private const int LongestSubject = 255;

    /// <summary>The text of a claim; null when it is absent or something else.</summary>
    public static string? Text(JsonElement claims, string name) =>
        claims.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;

    /// <summary>An instant in whole seconds since 1970; null when it is absent, not an integer or out of range.</summary>
    public static DateTimeOffset? Instant(JsonElement claims, string name) =>
        claims.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.Number && value.TryGetInt64(out var seconds)
        && seconds > 0 && seconds <= DateTimeOffset.MaxValue.ToUnixTimeSeconds()
            ? DateTimeOffset.FromUnixTimeSeconds(seconds)
            : null;

    /// <summary>What each request is checked against; null when a claim is missing or ill-typed.</summary>
    public static Introspection? Introspection(JsonElement claims)
    {
        if (Instant(claims, "exp") is not { } exp || Instant(claims, "iat") is null
            || Text(claims, "aud") is not { Length: > 0 } serviceProvider
            || Text(claims, "sub") is not { Length: > 0 and <= LongestSubject } subject
            || Text(claims, "acr") is not { } acr || Text(claims, "scope") is not { } scope)
            return null;
        return new Introspection { ExpiresAt = exp, Acr = acr, Scope = scope, ServiceProvider = serviceProvider, Subject = subject };
    }

    /// <summary>
    /// The identité pivot; null when one of its claims is missing or ill-typed. Only <c>birthplace</c> (births abroad) and
    /// <c>given_name_array</c> may be absent.
    /// </summary>
    public static IdentitePivot? Identite(JsonElement claims)
    {
        if (Text(claims, "gender") is not { } gender || Text(claims, "family_name") is not { } familyName
            || Text(claims, "given_name") is not { } givenName || Text(claims, "birthdate") is not { } birthdate
            || Text(claims, "birthcountry") is not { } birthcountry)
            return null;
        if (!TryBirthplace(claims, out var birthplace) || !TryGivenNames(claims, out var givenNames))
            return null;
        return new IdentitePivot
        {
            Gender = gender,
            FamilyName = familyName,
            GivenName = givenName,
            GivenNameArray = givenNames,
            Birthdate = birthdate,
            Birthplace = birthplace,
            Birthcountry = birthcountry,
        };
    }

    private static bool TryBirthplace(JsonElement claims, out string? birthplace)
    {
        birthplace = Text(claims, "birthplace");
        return birthplace is not null || IsAbsent(claims, "birthplace");
    }

    private static bool TryGivenNames(JsonElement claims, out IReadOnlyList<string>? givenNames)
    {
        givenNames = null;
        if (IsAbsent(claims, "given_name_array"))
            return true;
        var array = claims.GetProperty("given_name_array");
        if (array.ValueKind != JsonValueKind.Array || array.EnumerateArray().Any(n => n.ValueKind != JsonValueKind.String))
            return false;
        givenNames = [.. array.EnumerateArray().Select(n => n.GetString()!)];
        return true;
    }

    private static bool IsAbsent(JsonElement claims, string name) =>
        !claims.TryGetProperty(name, out var value) || value.ValueKind == JsonValueKind.Null;
}
