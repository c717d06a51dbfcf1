using System.Buffers;
using System.Buffers.Text;
using System.Text.Json;

namespace DroitsAmeli.Grains.FranceConnect;

/// <summary>Strict reading of compact JWE and JWS: what is let through here has one reading only, whatever library reads it next.</summary>
internal static class CompactJose
{
    private const int LongestText = 64 * 1024;
    private const int LongestName = 256;
    private const int GcmIvBytes = 12;
    private const int GcmTagBytes = 16;
    private const int P256Bytes = 32;

    private static readonly SearchValues<char> Base64UrlCharacters =
        SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_");

    private static readonly JsonDocumentOptions Strict = new() { MaxDepth = 16, AllowDuplicateProperties = false };

    /// <summary>Whether the protected header of a JWE is exactly what was registered, and its parts have the sizes of A256GCM.</summary>
    public static bool IsPinnedJwe(string text, string alg, string enc)
    {
        if (Split(text, 5) is not { } parts || parts[2].Length != GcmIvBytes || parts[3].Length == 0 || parts[4].Length != GcmTagBytes)
            return false;
        var agreement = alg == FranceConnectAlgorithms.EcdhEs;
        if (parts[1].Length == 0 != agreement)
            return false;
        using var header = ParseObject(parts[0]);
        if (header is null || !Is(header.RootElement, "alg", alg) || !Is(header.RootElement, "enc", enc))
            return false;
        if (agreement != header.RootElement.TryGetProperty("epk", out var epk) || (agreement && !IsP256Point(epk)))
            return false;
        return header.RootElement.EnumerateObject().All(m => m.Name is "alg" or "enc" or "epk" || IsHarmless(m));
    }

    /// <summary>The <c>kid</c> of a JWS whose protected header is exactly what was registered; else null.</summary>
    public static string? KidOfPinnedJws(string text, string alg)
    {
        if (Split(text, 3) is not { } parts || parts[1].Length == 0 || parts[2].Length == 0)
            return null;
        using var header = ParseObject(parts[0]);
        if (header is null || !Is(header.RootElement, "alg", alg) || !header.RootElement.TryGetProperty("kid", out var kid)
            || kid.ValueKind != JsonValueKind.String || kid.GetString() is not { Length: > 0 and <= LongestName } name)
            return null;
        return header.RootElement.EnumerateObject().All(m => m.Name is "alg" or "kid" || (m.Name is "typ" or "cty" && IsHarmless(m))) ? name : null;
    }

    /// <summary>A JSON object without duplicate members, deep nesting or unpaired surrogates; else null.</summary>
    public static JsonDocument? ParseObject(ReadOnlyMemory<byte> json)
    {
        try
        {
            var document = JsonDocument.Parse(json, Strict);
            if (document.RootElement.ValueKind == JsonValueKind.Object && IsReadable(document.RootElement))
                return document;
            document.Dispose();
            return null;
        }
        catch (Exception failure) when (failure is JsonException or InvalidOperationException or ArgumentException)
        {
            return null;
        }
    }

    private static bool IsReadable(JsonElement element) => element.ValueKind switch
    {
        JsonValueKind.Object => element.EnumerateObject().All(m => m.Name is not null && IsReadable(m.Value)),
        JsonValueKind.Array => element.EnumerateArray().All(IsReadable),
        // An unpaired surrogate makes GetString throw here, once, instead of anywhere later.
        JsonValueKind.String => element.GetString() is not null,
        _ => true,
    };

    private static byte[][]? Split(string text, int count)
    {
        if (text.Length > LongestText)
            return null;
        var parts = text.Split('.');
        if (parts.Length != count)
            return null;
        var decoded = new byte[count][];
        for (var i = 0; i < count; i++)
        {
            if (parts[i].AsSpan().ContainsAnyExcept(Base64UrlCharacters) || parts[i].Length % 4 == 1)
                return null;
            try
            {
                decoded[i] = Base64Url.DecodeFromChars(parts[i]);
            }
            catch (FormatException)
            {
                return null;
            }

            // Left-over bits would give one signature several spellings.
            if (Base64Url.EncodeToString(decoded[i]) != parts[i])
                return null;
        }

        return decoded;
    }

    private static bool Is(JsonElement header, string name, string expected) =>
        header.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String && value.ValueEquals(expected);

    // Members that other implementations add and that change nothing; FranceConnect sends none of them.
    private static bool IsHarmless(JsonProperty member) => member.Name switch
    {
        "kid" => member.Value.ValueKind == JsonValueKind.String,
        "typ" or "cty" => member.Value.ValueKind == JsonValueKind.String && member.Value.GetString()!.ToUpperInvariant()
            is "JWT" or "JOSE" or "APPLICATION/JWT" or "TOKEN-INTROSPECTION+JWT" or "APPLICATION/TOKEN-INTROSPECTION+JWT",
        _ => false,
    };

    private static bool IsP256Point(JsonElement epk)
    {
        if (epk.ValueKind != JsonValueKind.Object || epk.EnumerateObject().Any(m => m.Name is not ("kty" or "crv" or "x" or "y")))
            return false;
        var members = epk.EnumerateObject().Where(m => m.Value.ValueKind == JsonValueKind.String)
            .ToDictionary(m => m.Name, m => m.Value.GetString()!, StringComparer.Ordinal);
        return IsCoordinate(members.GetValueOrDefault("x")) && IsCoordinate(members.GetValueOrDefault("y"))
            && new JsonWebKey(members).P256(withPrivate: false) is not null;
    }

    private static bool IsCoordinate(string? text) =>
        text is not null && Split(text, 1) is [{ Length: P256Bytes }];
}
