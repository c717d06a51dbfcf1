using System.Security.Cryptography;
using System.Text.Json;

namespace DroitsAmeli.Sandbox;

/// <summary>Keys made at each start, in a folder that goes with the sandbox.</summary>
internal static class SandboxKeys
{
    private const int RsaBits = 2048;

    /// <summary>Writes a JWK Set with one private key of the algorithm; returns its path.</summary>
    public static string WritePrivateJwks(string folder, string algorithm)
    {
        var key = algorithm.StartsWith("RSA", StringComparison.Ordinal) ? Rsa() : P256();
        key["use"] = "enc";
        key["alg"] = algorithm;
        key["kid"] = "sandbox-1";
        return Write(folder, "franceconnect.private.jwks.json", JsonSerializer.SerializeToUtf8Bytes(new { keys = new[] { key } }));
    }

    private static Dictionary<string, string> P256()
    {
        using var key = ECDiffieHellman.Create(ECCurve.NamedCurves.nistP256);
        var parameters = key.ExportParameters(includePrivateParameters: true);
        return new()
        {
            ["kty"] = "EC",
            ["crv"] = "P-256",
            ["x"] = Base64Url(parameters.Q.X!),
            ["y"] = Base64Url(parameters.Q.Y!),
            ["d"] = Base64Url(parameters.D!),
        };
    }

    private static Dictionary<string, string> Rsa()
    {
        using var key = RSA.Create(RsaBits);
        var parameters = key.ExportParameters(includePrivateParameters: true);
        return new()
        {
            ["kty"] = "RSA",
            ["n"] = Base64Url(parameters.Modulus!),
            ["e"] = Base64Url(parameters.Exponent!),
            ["d"] = Base64Url(parameters.D!),
            ["p"] = Base64Url(parameters.P!),
            ["q"] = Base64Url(parameters.Q!),
            ["dp"] = Base64Url(parameters.DP!),
            ["dq"] = Base64Url(parameters.DQ!),
            ["qi"] = Base64Url(parameters.InverseQ!),
        };
    }

    /// <summary>Writes the base64 of 32 random bytes; returns its path.</summary>
    public static string WriteHmacKey(string folder) =>
        Write(folder, "identities.hmac.key", System.Text.Encoding.ASCII.GetBytes(Convert.ToBase64String(RandomNumberGenerator.GetBytes(32))));

    private static string Base64Url(byte[] bytes) => System.Buffers.Text.Base64Url.EncodeToString(bytes);

    private static string Write(string folder, string name, byte[] content)
    {
        var path = Path.Combine(folder, name);
        File.WriteAllBytes(path, content);
        return path;
    }
}
