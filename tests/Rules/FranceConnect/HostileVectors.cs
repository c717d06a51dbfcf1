using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using DroitsAmeli.Grains.FranceConnect;
using static DroitsAmeli.Tests.Rules.FranceConnect.FakeFranceConnect;

namespace DroitsAmeli.Tests.Rules.FranceConnect;

/// <summary>Answers that must never be believed, in families; each differs from a good one in what its name says, and in nothing else.</summary>
internal static partial class HostileVectors
{
    /// <param name="Text">The body of the checktoken answer.</param>
    /// <param name="Stops">The check that must stop it.</param>
    /// <param name="Expired">Whether it is an honest answer about a dead token.</param>
    internal sealed record Vector(string Text, IntrospectionCheck Stops, bool Expired = false);

    public static Dictionary<string, Func<FakeFranceConnect, Vector>> All { get; } = Collect();

    private static Dictionary<string, Func<FakeFranceConnect, Vector>> Collect()
    {
        var all = new Dictionary<string, Func<FakeFranceConnect, Vector>>(StringComparer.Ordinal);
        foreach (var (name, stops, make) in JweHeaders().Concat(JweStructure()).Concat(Recipients()))
            all.Add(name, fc => new Vector(make(fc), stops));
        foreach (var (name, stops, make) in JwsHeaders().Concat(Signatures()))
            all.Add(name, fc => new Vector(EncryptEc(make(fc)), stops));
        foreach (var (name, stops, make) in Payloads())
            all.Add(name, fc => new Vector(fc.Answer(make(fc)), stops));
        foreach (var (name, stops, outer, inner) in OuterClaims().Concat(InnerClaims()))
            all.Add(name, fc => new Vector(fc.Answer(c => outer?.Invoke(fc, c), c => inner?.Invoke(fc, c)), stops));
        foreach (var seconds in (int[])[0, -1, -30, -3600, -86400])
            all.Add($"exp {seconds} s from now", fc => new Vector(fc.Answer(inner: c => c["exp"] = fc.Now + seconds), IntrospectionCheck.Expiry, Expired: true));
        return all;
    }

    private static string Good(FakeFranceConnect fc) => fc.Sign(fc.Claims().ToJsonString());

    private static IEnumerable<(string, IntrospectionCheck, Func<FakeFranceConnect, string>)> JweHeaders()
    {
        const IntrospectionCheck Stop = IntrospectionCheck.JweHeader;
        foreach (var name in (string[])["zip", "jwk", "jku", "x5u", "x5c", "x5t", "x5t#S256", "crit", "apu", "apv", "b64", "p2s", "p2c", "iv", "tag", "iss", "url", "nonce", "Alg", "unknown"])
            yield return ($"jwe header also {name}", Stop, fc => EncryptEc(Good(fc), h => h[name] = name == "crit" ? new JsonArray("exp") : "DEF"));
        foreach (var alg in (string?[])["none", "dir", "A128KW", "A256KW", "A256GCMKW", "ECDH-ES+A128KW", "ECDH-ES+A192KW", "ECDH-ES+A256KW", "ECDH-1PU", "RSA1_5", "RSA-OAEP", "RSA-OAEP-256", "RSA-OAEP-384", "RSA-OAEP-512", "PBES2-HS256+A128KW", "HS256", "ES256", "ecdh-es", "ECDH-ES ", "", null])
            yield return ($"jwe alg {alg ?? "null"}", Stop, fc => EncryptEc(Good(fc), h => h["alg"] = alg));
        foreach (var enc in (string?[])["A128GCM", "A192GCM", "A128CBC-HS256", "A192CBC-HS384", "A256CBC-HS512", "a256gcm", "A256GCM\0", "none", "dir", "", null])
            yield return ($"jwe enc {enc?.Replace("\0", "NUL", StringComparison.Ordinal) ?? "null"}", Stop, fc => EncryptEc(Good(fc), h => h["enc"] = enc));
        foreach (var gone in (string[])["alg", "enc", "epk"])
            yield return ($"jwe without {gone}", Stop, fc => EncryptEc(Good(fc), h => h.Remove(gone)));
        yield return ("jwe alg is a number", Stop, fc => EncryptEc(Good(fc), h => h["alg"] = 1));
        yield return ("jwe alg is a list", Stop, fc => EncryptEc(Good(fc), h => h["alg"] = new JsonArray("ECDH-ES")));
        yield return ("jwe kid is a number", Stop, fc => EncryptEc(Good(fc), h => h["kid"] = 1));
        yield return ("jwe typ of an identity token", Stop, fc => EncryptEc(Good(fc), h => h["typ"] = "at+jwt"));
        yield return ("jwe alg twice", Stop, fc => EncryptEc(Good(fc), write: h => h.ToJsonString().Replace("{\"alg\"", "{\"alg\":\"dir\",\"alg\"", StringComparison.Ordinal)));
        yield return ("jwe enc twice", Stop, fc => EncryptEc(Good(fc), write: h => h.ToJsonString()[..^1] + ",\"enc\":\"A256GCM\"}"));
        yield return ("jwe epk twice", Stop, fc => EncryptEc(Good(fc), write: h => h.ToJsonString()[..^1] + ",\"epk\":{}}"));
        yield return ("jwe header is a list", Stop, fc => EncryptEc(Good(fc), write: h => "[" + h.ToJsonString() + "]"));
        yield return ("jwe header is cut", Stop, fc => EncryptEc(Good(fc), write: h => h.ToJsonString()[..^1]));
        yield return ("jwe header has a tail", Stop, fc => EncryptEc(Good(fc), write: h => h.ToJsonString() + "x"));
        yield return ("jwe header has a byte order mark", Stop, fc => EncryptEc(Good(fc), write: h => "\uFEFF" + h.ToJsonString()));
        yield return ("jwe header has a comment", Stop, fc => EncryptEc(Good(fc), write: h => "/**/" + h.ToJsonString()));
        yield return ("jwe header is empty", Stop, fc => EncryptEc(Good(fc), write: _ => ""));
        yield return ("jwe header is null", Stop, fc => EncryptEc(Good(fc), write: _ => "null"));
        yield return ("jwe header nests deep", Stop, fc => EncryptEc(Good(fc), write: h => h.ToJsonString()[..^1] + ",\"kid\":" + new string('[', 5000) + new string(']', 5000) + "}"));
        foreach (var (what, change) in EphemeralKeys())
            yield return ($"jwe epk {what}", Stop, fc => EncryptEc(Good(fc), h => change(h)));
    }

    private static IEnumerable<(string, Action<JsonObject>)> EphemeralKeys()
    {
        foreach (var crv in (string[])["P-384", "P-521", "secp256k1", "X25519", "Ed25519", "p-256", ""])
            yield return ($"crv {crv}", h => h["epk"]!["crv"] = crv);
        foreach (var kty in (string[])["OKP", "RSA", "oct", "ec"])
            yield return ($"kty {kty}", h => h["epk"]!["kty"] = kty);
        foreach (var gone in (string[])["kty", "crv", "x", "y"])
            yield return ($"without {gone}", h => h["epk"]!.AsObject().Remove(gone));
        yield return ("is null", h => h["epk"] = null);
        yield return ("is text", h => h["epk"] = "epk");
        yield return ("is a list", h => h["epk"] = new JsonArray());
        yield return ("is empty", h => h["epk"] = new JsonObject());
        yield return ("with a private part", h => h["epk"]!["d"] = B64(OurEc.D));
        yield return ("with a kid", h => h["epk"]!["kid"] = "k");
        yield return ("off the curve", h => h["epk"]!["y"] = h["epk"]!["x"]!.GetValue<string>());
        yield return ("the zero point", h => (h["epk"]!["x"], h["epk"]!["y"]) = (B64(new byte[32]), B64(new byte[32])));
        yield return ("beyond the field", h => (h["epk"]!["x"], h["epk"]!["y"]) = (B64(Ones()), B64(Ones())));
        yield return ("x short", h => h["epk"]!["x"] = B64(new byte[31]));
        yield return ("x long", h => h["epk"]!["x"] = B64([0, .. OurEc.Q.X!]));
        yield return ("x empty", h => h["epk"]!["x"] = "");
        yield return ("x padded", h => h["epk"]!["x"] = h["epk"]!["x"]!.GetValue<string>() + "=");
        yield return ("x a number", h => h["epk"]!["x"] = 1);
    }

    private static byte[] Ones()
    {
        var ones = new byte[32];
        Array.Fill(ones, (byte)0xff);
        return ones;
    }

    private static IEnumerable<(string, IntrospectionCheck, Func<FakeFranceConnect, string>)> JweStructure()
    {
        const IntrospectionCheck Header = IntrospectionCheck.JweHeader;
        string[] parts = ["header", "key", "iv", "ciphertext", "tag"];
        for (var i = 0; i < parts.Length; i++)
        {
            var at = i;
            if (at != 1)
                yield return ($"jwe {parts[at]} emptied", Header, fc => Change(fc.Answer(), at, _ => ""));
            if (at != 1)
                yield return ($"jwe {parts[at]} cut by one character", at == 3 ? IntrospectionCheck.Decryption : Header, fc => Change(fc.Answer(), at, p => at == 3 ? B64(Decoded(p).AsSpan(..^1)) : p[..^1]));
            yield return ($"jwe {parts[at]} grown", at == 3 ? IntrospectionCheck.Decryption : Header, fc => Change(fc.Answer(), at, p => p.Length == 0 ? "AAAA" : B64([.. Decoded(p), 0])));
            yield return ($"jwe {parts[at]} with a space", Header, fc => Change(fc.Answer(), at, p => p + " "));
            yield return ($"jwe {parts[at]} with a plus", Header, fc => Change(fc.Answer(), at, p => p + "+"));
            yield return ($"jwe {parts[at]} with padding", Header, fc => Change(fc.Answer(), at, p => p + "=="));
            yield return ($"jwe {parts[at]} missing", Header, fc => string.Join('.', fc.Answer().Split('.').Where((_, n) => n != at)));
            if (at >= 2)
                yield return ($"jwe {parts[at]} with one bit changed", IntrospectionCheck.Decryption, fc => Change(fc.Answer(), at, Flipped));
        }

        foreach (var bytes in (int[])[4, 8, 12, 13, 14, 15])
            yield return ($"jwe tag cut to {bytes} bytes", Header, fc => Change(fc.Answer(), 4, p => B64(Decoded(p).AsSpan(..bytes))));
        yield return ("jwe with six parts", Header, fc => fc.Answer() + ".AAAA");
        yield return ("jwe with a line feed", Header, fc => fc.Answer() + "\n");
        yield return ("jwe in quotes", Header, fc => "\"" + fc.Answer() + "\"");
        yield return ("jwe after a byte order mark", Header, fc => "\uFEFF" + fc.Answer());
        yield return ("jwe with its tag spelled otherwise", Header, fc => Change(fc.Answer(), 4, p => p[..^1] + (char)(p[^1] + 1)));
        yield return ("nothing", Header, _ => "");
        yield return ("only dots", Header, _ => "....");
        yield return ("a page", Header, _ => "<html>Service indisponible</html>");
        yield return ("json", Header, fc => fc.Claims().ToJsonString());
        yield return ("inactive json", Header, _ => "{\"active\":false}");
        yield return ("json serialisation of a jwe", Header, fc => "{\"ciphertext\":\"" + fc.Answer() + "\"}");
        yield return ("70 000 characters", Header, _ => new string('A', 70_000));
        yield return ("a bare jws", Header, Good);
    }

    private static IEnumerable<(string, IntrospectionCheck, Func<FakeFranceConnect, string>)> Recipients()
    {
        yield return ("encrypted for another data provider", IntrospectionCheck.Decryption, fc => EncryptEc(Good(fc), recipient: StrangerEc));
        yield return ("encrypted for FranceConnect", IntrospectionCheck.Decryption, fc => EncryptEc(Good(fc), recipient: FcEc));
        yield return ("encrypted for our rsa key", IntrospectionCheck.JweHeader, fc => EncryptRsa(Good(fc), "RSA-OAEP-256", OurRsa));
        yield return ("encrypted for our rsa key, header of ecdh", IntrospectionCheck.JweHeader, fc => EncryptRsa(Good(fc), "RSA-OAEP-256", OurRsa, h => h["alg"] = "ECDH-ES"));
        yield return ("two answers mixed", IntrospectionCheck.Decryption, fc => Change(fc.Answer(), 3, _ => fc.Answer().Split('.')[3]));
        yield return ("a header of another answer", IntrospectionCheck.Decryption, fc => Change(fc.Answer(), 0, _ => fc.Answer().Split('.')[0]));
        yield return ("nested twice", IntrospectionCheck.JwsHeader, fc => EncryptEc(fc.Answer()));
        yield return ("around bare claims", IntrospectionCheck.JwsHeader, fc => EncryptEc(fc.Claims().ToJsonString()));
        yield return ("around nothing but a dot", IntrospectionCheck.JwsHeader, _ => EncryptEc("."));
        yield return ("around a jws in quotes", IntrospectionCheck.JwsHeader, fc => EncryptEc("\"" + Good(fc) + "\""));
        yield return ("around a jws with spaces", IntrospectionCheck.JwsHeader, fc => EncryptEc(" " + Good(fc)));
        yield return ("around accents", IntrospectionCheck.JwsHeader, _ => EncryptEc("é.é.é"));
    }

    private static string Change(string text, int part, Func<string, string> change)
    {
        var parts = text.Split('.');
        parts[part] = change(parts[part]);
        return string.Join('.', parts);
    }

    private static byte[] Decoded(string part) => System.Buffers.Text.Base64Url.DecodeFromChars(part);

    private static string Flipped(string part)
    {
        var bytes = Decoded(part);
        bytes[bytes.Length / 2] ^= 1;
        return B64(bytes);
    }

    private static byte[] Hmac(HashAlgorithmName hash, byte[] key, byte[] input) => hash.Name switch
    {
        "SHA256" => HMACSHA256.HashData(key, input),
        "SHA384" => HMACSHA384.HashData(key, input),
        _ => HMACSHA512.HashData(key, input),
    };

    private static string Pem()
    {
        using var ec = ECDsa.Create(FcEc);
        return ec.ExportSubjectPublicKeyInfoPem();
    }

    private static byte[] Der(byte[] input)
    {
        using var ec = ECDsa.Create(FcEc);
        return ec.SignData(input, HashAlgorithmName.SHA256, DSASignatureFormat.Rfc3279DerSequence);
    }

    private static byte[] Utf16(string text) => Encoding.Unicode.GetBytes(text);
}
