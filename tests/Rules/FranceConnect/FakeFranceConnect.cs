using System.Net;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using DroitsAmeli.Grains.Configuration;
using DroitsAmeli.Grains.FranceConnect;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using Microsoft.Extensions.Time.Testing;
using Base64Url = System.Buffers.Text.Base64Url;

namespace DroitsAmeli.Tests.Rules.FranceConnect;

/// <summary>FranceConnect's keys and clock, and the verifier under test; the JWKS is served by an in-memory handler.</summary>
internal sealed class FakeFranceConnect : HttpMessageHandler
{
    public const string Issuer = "https://fc.exemple.fr/api/v2";
    public const string ClientId = "droits-ameli";
    public const string Token = "Uq0J4pX8c2lYb7RkzV1hN5sTgWmE3aDfOiC6xPuQyHj";
    public const string EcKid = "ec-1";
    public const string RsaKid = "rsa-1";

    public static readonly ECParameters FcEc = NewEc();
    public static readonly RSAParameters FcRsa = NewRsa();
    public static readonly ECParameters OurEc = NewEc();
    public static readonly RSAParameters OurRsa = NewRsa();
    public static readonly ECParameters StrangerEc = NewEc();

    private static readonly DateTimeOffset Start = new(2026, 3, 2, 8, 0, 0, TimeSpan.Zero);

    public FakeFranceConnect(string encryptedAlg = "ECDH-ES", string signedAlg = "ES256", params JsonObject[] privateKeys)
    {
        Options = new FranceConnectOptions
        {
            Issuer = Issuer, ClientId = ClientId, ClientSecret = "un-secret", EncryptedResponseAlg = encryptedAlg, SignedResponseAlg = signedAlg,
        };
        var keys = privateKeys.Length > 0 ? privateKeys : [Jwk(OurEc, true), Jwk(OurRsa, true)];
        File.WriteAllText(KeysPath, Set(keys).ToJsonString());
        Keys = new ReloadedFile<DecryptionKeys>(KeysPath, f => DecryptionKeys.Parse(f, encryptedAlg), Time, NullLogger.Instance);
        SigningKeys = new SigningKeys(new HttpClient(this), Microsoft.Extensions.Options.Options.Create(Options), Time, NullLogger<SigningKeys>.Instance);
        Verifier = new IntrospectionVerifier(Keys, SigningKeys, Microsoft.Extensions.Options.Options.Create(Options), Time);
    }

    public FakeTimeProvider Time { get; } = new(Start);
    public FranceConnectOptions Options { get; }
    public string KeysPath { get; } = Path.GetTempFileName();
    public ReloadedFile<DecryptionKeys> Keys { get; }
    public SigningKeys SigningKeys { get; }
    public IntrospectionVerifier Verifier { get; }
    public int JwksFetches { get; private set; }
    public Func<Task<HttpResponseMessage>>? JwksAnswer { get; set; }
    public JsonObject Jwks { get; set; } = Set(Sig(Jwk(FcEc, false), "ES256", EcKid), Sig(Jwk(FcRsa, false), "RS256", RsaKid));

    public long Now => Time.GetUtcNow().ToUnixTimeSeconds();

    public Task<IntrospectionVerdict> Verify(string text) => Verifier.Verify(text, Token, TestContext).AsTask();

    private static CancellationToken TestContext => Xunit.TestContext.Current.CancellationToken;

    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        JwksFetches++;
        if (JwksAnswer is { } answer)
            return await answer().WaitAsync(cancellationToken);
        return new HttpResponseMessage(HttpStatusCode.OK) { Content = new StringContent(Jwks.ToJsonString()) };
    }

    protected override void Dispose(bool disposing)
    {
        Keys.Dispose();
        File.Delete(KeysPath);
        base.Dispose(disposing);
    }

    public JsonObject Claims(Action<JsonObject>? outer = null, Action<JsonObject>? inner = null)
    {
        var introspection = new JsonObject
        {
            ["active"] = true, ["aud"] = "hopital-un", ["sub"] = new string('a', 64) + "v1", ["iat"] = Now - 5, ["exp"] = Now + 55,
            ["acr"] = "eidas1", ["jti"] = Token, ["scope"] = "droits_assurance_maladie", ["gender"] = "female",
            ["family_name"] = "DURAND", ["given_name"] = "Anne Lise", ["given_name_array"] = new JsonArray("Anne Lise"),
            ["birthdate"] = "1980-05-12", ["birthplace"] = "75112", ["birthcountry"] = "99100",
        };
        inner?.Invoke(introspection);
        var claims = new JsonObject { ["iss"] = Issuer, ["aud"] = ClientId, ["iat"] = Now, ["token_introspection"] = introspection };
        outer?.Invoke(claims);
        return claims;
    }

    public string Answer(Action<JsonObject>? outer = null, Action<JsonObject>? inner = null) => Answer(Claims(outer, inner).ToJsonString());

    public string Answer(string payload) => Encrypt(Sign(payload));

    public string Sign(string payload) => Options.SignedResponseAlg == "ES256"
        ? Jws(new JsonObject { ["alg"] = "ES256", ["kid"] = EcKid }.ToJsonString(), Bytes(payload), Es256(FcEc))
        : Jws(new JsonObject { ["alg"] = "RS256", ["kid"] = RsaKid }.ToJsonString(), Bytes(payload), Rs256(FcRsa));

    public string Encrypt(string text) => Options.EncryptedResponseAlg == "ECDH-ES" ? EncryptEc(text) : EncryptRsa(text, Options.EncryptedResponseAlg, OurRsa);

    public static byte[] Bytes(string text) => Encoding.UTF8.GetBytes(text);

    public static string B64(ReadOnlySpan<byte> bytes) => Base64Url.EncodeToString(bytes);

    public static string Jws(string header, byte[] payload, Func<byte[], byte[]> sign)
    {
        var input = B64(Bytes(header)) + "." + B64(payload);
        return input + "." + B64(sign(Encoding.ASCII.GetBytes(input)));
    }

    public static Func<byte[], byte[]> Es256(ECParameters key) => input =>
    {
        using var ec = ECDsa.Create(key);
        return ec.SignData(input, HashAlgorithmName.SHA256);
    };

    public static Func<byte[], byte[]> Rs256(RSAParameters key) => input =>
    {
        using var rsa = RSA.Create(key);
        return rsa.SignData(input, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
    };

    /// <summary>An ECDH-ES JWE written by hand, so that its header can say anything while its encryption stays right.</summary>
    public static string EncryptEc(string text, Action<JsonObject>? header = null, ECParameters? recipient = null, Func<JsonObject, string>? write = null)
    {
        var to = recipient ?? OurEc;
        using var ephemeral = ECDiffieHellman.Create(ECCurve.NamedCurves.nistP256);
        using var theirs = ECDiffieHellman.Create(new ECParameters { Curve = to.Curve, Q = to.Q });
        byte[] other = [0, 0, 0, 7, .. "A256GCM"u8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0];
        var key = ephemeral.DeriveKeyFromHash(theirs.PublicKey, HashAlgorithmName.SHA256, [0, 0, 0, 1], other);
        var members = new JsonObject { ["alg"] = "ECDH-ES", ["enc"] = "A256GCM", ["epk"] = Jwk(ephemeral.ExportParameters(false), false) };
        header?.Invoke(members);
        return Seal(write?.Invoke(members) ?? members.ToJsonString(), [], key, text);
    }

    public static string EncryptRsa(string text, string alg, RSAParameters recipient, Action<JsonObject>? header = null)
    {
        using var rsa = RSA.Create(recipient);
        var key = RandomNumberGenerator.GetBytes(32);
        var members = new JsonObject { ["alg"] = alg, ["enc"] = "A256GCM" };
        header?.Invoke(members);
        var wrapped = rsa.Encrypt(key, alg == "RSA-OAEP-256" ? RSAEncryptionPadding.OaepSHA256 : RSAEncryptionPadding.OaepSHA1);
        return Seal(members.ToJsonString(), wrapped, key, text);
    }

    public static JsonObject Jwk(ECParameters key, bool isPrivate)
    {
        var jwk = new JsonObject { ["kty"] = "EC", ["crv"] = "P-256", ["x"] = B64(key.Q.X), ["y"] = B64(key.Q.Y) };
        if (isPrivate)
            jwk["d"] = B64(key.D);
        return jwk;
    }

    public static JsonObject Jwk(RSAParameters key, bool isPrivate)
    {
        var jwk = new JsonObject { ["kty"] = "RSA", ["n"] = B64(key.Modulus), ["e"] = B64(key.Exponent) };
        if (isPrivate)
        {
            (string, byte[]?)[] members = [("d", key.D), ("p", key.P), ("q", key.Q), ("dp", key.DP), ("dq", key.DQ), ("qi", key.InverseQ)];
            foreach (var (name, value) in members)
                jwk[name] = B64(value);
        }

        return jwk;
    }

    public static JsonObject Sig(JsonObject jwk, string alg, string kid)
    {
        (jwk["use"], jwk["alg"], jwk["kid"]) = ("sig", alg, kid);
        return jwk;
    }

    public static JsonObject Enc(JsonObject jwk, string alg, string kid)
    {
        (jwk["use"], jwk["alg"], jwk["kid"]) = ("enc", alg, kid);
        return jwk;
    }

    public static JsonObject Set(params JsonObject[] keys) => new() { ["keys"] = new JsonArray([.. keys.Select(k => k.DeepClone())]) };

    public static ECParameters NewEc()
    {
        using var ec = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        return ec.ExportParameters(true);
    }

    public static RSAParameters NewRsa(int bits = 2048)
    {
        using var rsa = RSA.Create(bits);
        return rsa.ExportParameters(true);
    }

    private static string Seal(string header, byte[] wrapped, byte[] key, string text)
    {
        var iv = RandomNumberGenerator.GetBytes(12);
        var plain = Bytes(text);
        var cipher = new byte[plain.Length];
        var tag = new byte[16];
        var encoded = B64(Bytes(header));
        using var gcm = new AesGcm(key, 16);
        gcm.Encrypt(iv, plain, cipher, tag, Encoding.ASCII.GetBytes(encoded));
        return $"{encoded}.{B64(wrapped)}.{B64(iv)}.{B64(cipher)}.{B64(tag)}";
    }
}
