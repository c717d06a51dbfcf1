using System.Security.Cryptography;
using System.Text.Json.Nodes;
using Jose;
using Base64Url = System.Buffers.Text.Base64Url;

namespace DroitsAmeli.Simulators.FranceConnect;

/// <summary>The simulator's signing keys: one ES256 and one RS256 pair at a time, the former ones listed as long as asked for.</summary>
internal sealed class SigningKeyRing
{
    private const int RsaBits = 2048;

    private readonly Lock gate = new();
    private List<Pair> pairs = [Pair.Create()];

    private sealed record Pair(string EcKid, ECParameters Ec, string RsaKid, RSAParameters Rsa)
    {
        public static Pair Create()
        {
            using var ec = ECDsa.Create(ECCurve.NamedCurves.nistP256);
            using var rsa = RSA.Create(RsaBits);
            return new Pair(NewKid(), ec.ExportParameters(true), NewKid(), rsa.ExportParameters(true));
        }

        private static string NewKid() => Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(12));
    }

    /// <summary>Signs with new keys from now on.</summary>
    /// <param name="keepFormer">Whether the former keys stay listed.</param>
    public void Rotate(bool keepFormer)
    {
        var fresh = Pair.Create();
        lock (gate)
            pairs = keepFormer ? [fresh, .. pairs] : [fresh];
    }

    /// <summary>A compact JWS whose header is exactly alg and kid.</summary>
    public string Sign(string payload, string alg)
    {
        var pair = pairs[0];
        if (alg == "ES256")
        {
            using var ec = ECDsa.Create(pair.Ec);
            return JWT.Encode(payload, ec, JwsAlgorithm.ES256, Kid(pair.EcKid));
        }

        using var rsa = RSA.Create(pair.Rsa);
        return JWT.Encode(payload, rsa, JwsAlgorithm.RS256, Kid(pair.RsaKid));
    }

    /// <summary>Forgeries for faults: the kid is a listed one, the algorithm is not the registered one.</summary>
    public string Forge(string payload, JwsAlgorithm alg)
    {
        var kid = Kid(pairs[0].EcKid);
        return alg == JwsAlgorithm.none
            ? JWT.Encode(payload, null, JwsAlgorithm.none, kid)
            : JWT.Encode(payload, pairs[0].Ec.Q.X!.Concat(pairs[0].Ec.Q.Y!).ToArray(), alg, kid);
    }

    /// <summary>The JWK Set, newest keys first.</summary>
    public JsonObject PublicSet()
    {
        var keys = new JsonArray();
        foreach (var pair in pairs)
        {
            keys.Add(new JsonObject
            {
                ["kty"] = "EC", ["use"] = "sig", ["alg"] = "ES256", ["kid"] = pair.EcKid, ["crv"] = "P-256",
                ["x"] = Base64Url.EncodeToString(pair.Ec.Q.X), ["y"] = Base64Url.EncodeToString(pair.Ec.Q.Y),
            });
            keys.Add(new JsonObject
            {
                ["kty"] = "RSA", ["use"] = "sig", ["alg"] = "RS256", ["kid"] = pair.RsaKid,
                ["n"] = Base64Url.EncodeToString(pair.Rsa.Modulus), ["e"] = Base64Url.EncodeToString(pair.Rsa.Exponent),
            });
        }

        return new JsonObject { ["keys"] = keys };
    }

    private static Dictionary<string, object> Kid(string kid) => new() { ["kid"] = kid };
}
