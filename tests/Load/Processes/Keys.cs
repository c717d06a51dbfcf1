using System.Security.Cryptography;
using System.Text.Json;
using Base64Url = System.Buffers.Text.Base64Url;

namespace DroitsAmeli.Load.Processes;

/// <summary>New keys for one deployment, in its folder.</summary>
internal static class Keys
{
    private const int KeyBytes = 32;

    /// <summary>Writes our encryption key for FranceConnect, and its public half; returns both paths.</summary>
    public static (string Private, string Public) WriteJwks(string folder)
    {
        using var key = ECDiffieHellman.Create(ECCurve.NamedCurves.nistP256);
        var parameters = key.ExportParameters(includePrivateParameters: true);
        var shown = new Dictionary<string, string>
        {
            ["kty"] = "EC",
            ["crv"] = "P-256",
            ["use"] = "enc",
            ["alg"] = "ECDH-ES",
            ["kid"] = "load-1",
            ["x"] = Base64Url.EncodeToString(parameters.Q.X),
            ["y"] = Base64Url.EncodeToString(parameters.Q.Y),
        };
        var secret = new Dictionary<string, string>(shown) { ["d"] = Base64Url.EncodeToString(parameters.D) };
        return (WriteJson(folder, "private.jwks.json", new { keys = new[] { secret } }), WriteJson(folder, "public.jwks.json", new { keys = new[] { shown } }));
    }

    /// <summary>Writes the HMAC key of the identities; returns its path.</summary>
    public static string WriteHmacKey(string folder)
    {
        var path = Path.Combine(folder, "identities.hmac.key");
        File.WriteAllText(path, NewKey());
        return path;
    }

    /// <summary>Writes the keys that encrypt what is stored; returns the path.</summary>
    public static string WriteStorageKeys(string folder) =>
        WriteJson(folder, "storage.keys.json", new { active = "k1", keys = new Dictionary<string, string> { ["k1"] = NewKey() } });

    internal static string WriteJson<T>(string folder, string name, T content)
    {
        var path = Path.Combine(folder, name);
        File.WriteAllBytes(path, JsonSerializer.SerializeToUtf8Bytes(content));
        return path;
    }

    private static string NewKey() => Convert.ToBase64String(RandomNumberGenerator.GetBytes(KeyBytes));
}
