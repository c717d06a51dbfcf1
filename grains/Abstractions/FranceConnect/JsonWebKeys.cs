using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text.Json;

namespace DroitsAmeli.Grains.FranceConnect;

/// <summary>One key of a JWK Set (RFC 7517). Only P-256 and RSA keys mean anything here; its text form shows nothing.</summary>
public sealed class JsonWebKey
{
    private const int P256Bytes = 32;

    private readonly IReadOnlyDictionary<string, string> members;

    /// <summary>A key of these members, as in its JSON.</summary>
    public JsonWebKey(IReadOnlyDictionary<string, string> members) => this.members = members;

    public string? Kty => Member("kty");

    public string? Use => Member("use");

    public string? Alg => Member("alg");

    public string? Kid => Member("kid");

    /// <summary>The member of that name, when it is there and a string.</summary>
    public string? Member(string name) => members.GetValueOrDefault(name);

    /// <summary>The P-256 key, with its private scalar when asked for; null when it is not a valid one.</summary>
    public ECParameters? P256(bool withPrivate)
    {
        if (Kty != "EC" || Member("crv") != "P-256"
            || Decode("x") is not { Length: P256Bytes } x || Decode("y") is not { Length: P256Bytes } y)
            return null;
        var key = new ECParameters { Curve = ECCurve.NamedCurves.nistP256, Q = new ECPoint { X = x, Y = y } };
        try
        {
            // Importing refuses a point that is not on the curve.
            using var publicHalf = ECDiffieHellman.Create(key);
            if (!withPrivate)
                return key;
            if (Decode("d") is not { Length: P256Bytes } d)
                return null;
            using var derived = ECDiffieHellman.Create(new ECParameters { Curve = key.Curve, D = d });
            var point = derived.ExportParameters(false).Q;
            if (!x.AsSpan().SequenceEqual(point.X) || !y.AsSpan().SequenceEqual(point.Y))
                return null;
            key.D = d;
            return key;
        }
        catch (CryptographicException)
        {
            return null;
        }
    }

    /// <summary>The RSA key, with its private part when asked for; null when it is not a valid one of 2048 bits or more.</summary>
    public RSAParameters? Rsa(bool withPrivate)
    {
        if (Kty != "RSA" || Decode("n") is not { } n || Decode("e") is not { } e)
            return null;
        var key = new RSAParameters { Modulus = n, Exponent = e };
        if (withPrivate)
        {
            if (Decode("d") is not { } d || Decode("p") is not { } p || Decode("q") is not { } q
                || Decode("dp") is not { } dp || Decode("dq") is not { } dq || Decode("qi") is not { } qi)
                return null;
            key = new RSAParameters { Modulus = n, Exponent = e, D = d, P = p, Q = q, DP = dp, DQ = dq, InverseQ = qi };
        }

        try
        {
            using var rsa = RSA.Create(key);
            if (rsa.KeySize < JsonWebKeySet.LeastRsaBits)
                return null;
            if (withPrivate && !Agrees(rsa, n, e))
                return null;
            return key;
        }
        catch (CryptographicException)
        {
            return null;
        }
    }

    public override string ToString() => $"{Kty} key";

    private static bool Agrees(RSA pair, byte[] modulus, byte[] exponent)
    {
        using var publicHalf = RSA.Create(new RSAParameters { Modulus = modulus, Exponent = exponent });
        byte[] probe = [1, 2, 3, 4];
        var back = pair.Decrypt(publicHalf.Encrypt(probe, RSAEncryptionPadding.OaepSHA256), RSAEncryptionPadding.OaepSHA256);
        return probe.AsSpan().SequenceEqual(back);
    }

    private byte[]? Decode(string name)
    {
        try
        {
            return Member(name) is { Length: > 0 } text ? Base64Url.DecodeFromChars(text) : null;
        }
        catch (FormatException)
        {
            return null;
        }
    }
}

/// <summary>A JWK Set (RFC 7517).</summary>
/// <param name="Keys">In the order of the file.</param>
public sealed record JsonWebKeySet(IReadOnlyList<JsonWebKey> Keys)
{
    /// <summary>RSA keys below this size are refused everywhere.</summary>
    public const int LeastRsaBits = 2048;

    private static readonly JsonDocumentOptions Strict = new() { MaxDepth = 8, AllowDuplicateProperties = false };

    /// <summary>Reads a set; members that are not strings are left aside.</summary>
    /// <exception cref="FormatException">It is not a JWK Set; the message shows none of its content.</exception>
    public static JsonWebKeySet Parse(ReadOnlyMemory<byte> json)
    {
        try
        {
            using var document = JsonDocument.Parse(json, Strict);
            if (document.RootElement.ValueKind != JsonValueKind.Object
                || !document.RootElement.TryGetProperty("keys", out var keys) || keys.ValueKind != JsonValueKind.Array)
                throw new FormatException("it is not a JWK Set (an object with an array \"keys\")");
            var read = new List<JsonWebKey>();
            foreach (var key in keys.EnumerateArray())
            {
                if (key.ValueKind != JsonValueKind.Object)
                    throw new FormatException("a key of the JWK Set is not an object");
                read.Add(new JsonWebKey(key.EnumerateObject().Where(m => m.Value.ValueKind == JsonValueKind.String)
                    .ToDictionary(m => m.Name, m => m.Value.GetString()!, StringComparer.Ordinal)));
            }

            return new JsonWebKeySet(read);
        }
        catch (Exception failure) when (failure is JsonException or InvalidOperationException)
        {
            throw new FormatException("it is not valid JSON, or names a member twice");
        }
    }
}

/// <summary>The algorithms that FranceConnect registers per data provider, and the keys that fit them.</summary>
public static class FranceConnectAlgorithms
{
    public const string EcdhEs = "ECDH-ES";
    public const string RsaOaep256 = "RSA-OAEP-256";
    public const string RsaOaep = "RSA-OAEP";
    public const string A256Gcm = "A256GCM";
    public const string Es256 = "ES256";
    public const string Rs256 = "RS256";

    /// <summary>The key type an algorithm needs.</summary>
    public static string KeyTypeOf(string alg) => alg is EcdhEs or Es256 ? "EC" : "RSA";

    /// <summary>Whether a key, by what it says of itself, may serve that algorithm for that use (enc or sig).</summary>
    public static bool Serves(this JsonWebKey key, string alg, string use) =>
        key.Kty == KeyTypeOf(alg) && (key.Use ?? use) == use && (key.Alg ?? alg) == alg;
}
