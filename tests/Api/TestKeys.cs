using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text.Json.Nodes;

namespace DroitsAmeli.Tests.Api;

/// <summary>Keys made for one bench.</summary>
internal static class TestKeys
{
    public static string WriteHmacKey(string folder) => Write(folder, "hmac.key", Convert.ToBase64String(RandomNumberGenerator.GetBytes(32)));

    public static string WritePrivateJwks(string folder, bool rsa) =>
        Write(folder, "private.jwks.json", new JsonObject { ["keys"] = new JsonArray(rsa ? Rsa() : Ec()) }.ToJsonString());

    private static JsonObject Ec()
    {
        using var key = ECDiffieHellman.Create(ECCurve.NamedCurves.nistP256);
        var parameters = key.ExportParameters(includePrivateParameters: true);
        return new JsonObject
        {
            ["kty"] = "EC",
            ["crv"] = "P-256",
            ["use"] = "enc",
            ["alg"] = "ECDH-ES",
            ["kid"] = "tests-ec",
            ["x"] = Text(parameters.Q.X!),
            ["y"] = Text(parameters.Q.Y!),
            ["d"] = Text(parameters.D!),
        };
    }

    private static JsonObject Rsa()
    {
        using var key = RSA.Create(2048);
        var parameters = key.ExportParameters(includePrivateParameters: true);
        return new JsonObject
        {
            ["kty"] = "RSA",
            ["use"] = "enc",
            ["alg"] = "RSA-OAEP-256",
            ["kid"] = "tests-rsa",
            ["n"] = Text(parameters.Modulus!),
            ["e"] = Text(parameters.Exponent!),
            ["d"] = Text(parameters.D!),
            ["p"] = Text(parameters.P!),
            ["q"] = Text(parameters.Q!),
            ["dp"] = Text(parameters.DP!),
            ["dq"] = Text(parameters.DQ!),
            ["qi"] = Text(parameters.InverseQ!),
        };
    }

    private static string Text(byte[] bytes) => Base64Url.EncodeToString(bytes);

    private static string Write(string folder, string name, string content)
    {
        var path = Path.Combine(folder, name);
        File.WriteAllText(path, content);
        return path;
    }
}
