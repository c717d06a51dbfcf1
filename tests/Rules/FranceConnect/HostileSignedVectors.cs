using System.Security.Cryptography;
using System.Text.Json.Nodes;
using DroitsAmeli.Grains.FranceConnect;
using static DroitsAmeli.Tests.Rules.FranceConnect.FakeFranceConnect;
using Claim = System.Action<DroitsAmeli.Tests.Rules.FranceConnect.FakeFranceConnect, System.Text.Json.Nodes.JsonObject>;

namespace DroitsAmeli.Tests.Rules.FranceConnect;

internal static partial class HostileVectors
{
    private static IEnumerable<(string, IntrospectionCheck, Func<FakeFranceConnect, string>)> JwsHeaders()
    {
        const IntrospectionCheck Stop = IntrospectionCheck.JwsHeader;
        foreach (var alg in (string?[])["none", "None", "NONE", "nOnE", "ES384", "ES512", "ES256K", "EdDSA", "PS256", "RS384", "RS512", "es256", "ES256 ", "A256GCM", "", null])
            yield return ($"jws alg {alg ?? "null"}", Stop, fc => Signed(fc, h => h["alg"] = alg));
        yield return ("jws alg none without signature", Stop, fc => Signed(fc, h => h["alg"] = "none", _ => []));
        yield return ("jws alg ES256 without signature", Stop, fc => Signed(fc, sign: _ => []));
        yield return ("jws alg RS256 by FranceConnect's other key", Stop, fc => Signed(fc, h => (h["alg"], h["kid"]) = ("RS256", RsaKid), Rs256(FcRsa)));
        (string, byte[])[] secrets = [("the point", [.. FcEc.Q.X!, .. FcEc.Q.Y!]), ("the pem", Bytes(Pem())), ("the jwk", Bytes(Jwk(FcEc, false).ToJsonString())), ("nothing", [])];
        HashAlgorithmName[] hashes = [HashAlgorithmName.SHA256, HashAlgorithmName.SHA384, HashAlgorithmName.SHA512];
        foreach (var hash in hashes)
        {
            foreach (var (what, secret) in secrets)
                yield return ($"jws alg HS{hash.Name![3..]} keyed by {what}", Stop, fc => Signed(fc, h => h["alg"] = "HS" + hash.Name[3..], i => Hmac(hash, secret, i)));
        }

        foreach (var name in (string[])["jku", "x5u", "x5c", "x5t", "x5t#S256", "crit", "b64", "zip", "enc", "epk", "iss", "url", "nonce", "Kid", "unknown"])
            yield return ($"jws header also {name}", Stop, fc => Signed(fc, h => h[name] = name switch { "crit" => new JsonArray("b64"), "b64" => false, _ => "x" }));
        yield return ("jws embeds its own key", Stop, fc => Signed(fc, h => h["jwk"] = Jwk(StrangerEc, false), Es256(StrangerEc)));
        yield return ("jws embeds its own key instead of a kid", Stop, fc => Signed(fc, h => { h.Remove("kid"); h["jwk"] = Jwk(StrangerEc, false); }, Es256(StrangerEc)));
        yield return ("jws typ of an access token", Stop, fc => Signed(fc, h => h["typ"] = "at+jwt"));
        yield return ("jws without alg", Stop, fc => Signed(fc, h => h.Remove("alg")));
        yield return ("jws without kid", Stop, fc => Signed(fc, h => h.Remove("kid")));
        foreach (var (what, kid) in (IEnumerable<(string, JsonNode?)>)[("null", null), ("a number", 1), ("empty", ""), ("a list", new JsonArray(EcKid)), ("3000 characters", new string('k', 3000))])
            yield return ($"jws kid {what}", Stop, fc => Signed(fc, h => h["kid"] = kid?.DeepClone()));
        yield return ("jws kid twice", Stop, fc => Jws($$"""{"alg":"ES256","kid":"x","kid":"{{EcKid}}"}""", Bytes(fc.Claims().ToJsonString()), Es256(FcEc)));
        yield return ("jws alg twice", Stop, fc => Jws($$"""{"alg":"none","alg":"ES256","kid":"{{EcKid}}"}""", Bytes(fc.Claims().ToJsonString()), Es256(FcEc)));
        yield return ("jws header is text", Stop, fc => Jws("ES256", Bytes(fc.Claims().ToJsonString()), Es256(FcEc)));
        yield return ("jws without payload", Stop, fc => Jws($$"""{"alg":"ES256","kid":"{{EcKid}}"}""", [], Es256(FcEc)));
        yield return ("jws with four parts", Stop, fc => Good(fc) + ".AAAA");
        yield return ("jws with two parts", Stop, fc => Good(fc)[..Good(fc).LastIndexOf('.')]);
    }

    private static IEnumerable<(string, IntrospectionCheck, Func<FakeFranceConnect, string>)> Signatures()
    {
        const IntrospectionCheck Stop = IntrospectionCheck.Signature;
        yield return ("signed by a stranger under FranceConnect's kid", Stop, fc => Signed(fc, sign: Es256(StrangerEc)));
        yield return ("signed with our own encryption key", Stop, fc => Signed(fc, sign: Es256(OurEc)));
        foreach (var kid in (string[])["unknown", "EC-1", "ec-1 ", "../jwks", RsaKid, "ec-1\0", "'; --"])
            yield return ($"signed under kid {kid.Replace("\0", "NUL", StringComparison.Ordinal)}", Stop, fc => Signed(fc, h => h["kid"] = kid));
        for (var i = 0; i < 64; i += 9)
        {
            var at = i;
            yield return ($"signature with byte {at} changed", Stop, fc => Resigned(fc, s => s[at] ^= 0x40));
        }

        yield return ("signature of zeros", Stop, fc => Signed(fc, sign: _ => new byte[64]));
        yield return ("signature r is zero", Stop, fc => Resigned(fc, s => s.AsSpan(0, 32).Clear()));
        yield return ("signature s is zero", Stop, fc => Resigned(fc, s => s.AsSpan(32).Clear()));
        yield return ("signature r and s swapped", Stop, fc => Signed(fc, sign: i => [.. Es256(FcEc)(i)[32..], .. Es256(FcEc)(i)[..32]]));
        yield return ("signature of ones", Stop, fc => Signed(fc, sign: _ => [.. Ones(), .. Ones()]));
        yield return ("signature in DER", Stop, fc => Signed(fc, sign: Der));
        foreach (var length in (int[])[1, 32, 63])
            yield return ($"signature cut to {length} bytes", Stop, fc => Signed(fc, sign: i => Es256(FcEc)(i)[..length]));
        yield return ("signature grown", Stop, fc => Signed(fc, sign: i => [.. Es256(FcEc)(i), 0]));
        yield return ("signature by RSA under the elliptic kid", Stop, fc => Signed(fc, sign: Rs256(FcRsa)));
        yield return ("signature of another payload", Stop, fc => Change(Good(fc), 1, _ => B64(Bytes(fc.Claims(inner: c => c["family_name"] = "MARTIN").ToJsonString()))));
        yield return ("signature of another header", Stop, fc => Change(Good(fc), 0, _ => B64(Bytes($$"""{"kid":"{{EcKid}}","alg":"ES256"}"""))));
        yield return ("signature over bytes with a tail", Stop, fc => Signed(fc, sign: i => Es256(FcEc)([.. i, 10])));
    }

    private static IEnumerable<(string, IntrospectionCheck, Func<FakeFranceConnect, string>)> Payloads()
    {
        const IntrospectionCheck Stop = IntrospectionCheck.Payload;
        foreach (var text in (string[])["null", "true", "1", "\"text\"", "[]", "{", "}", "{}{}", "{,}", "{\"iss\":}", "NaN", "not json"])
            yield return ($"payload {text}", Stop, _ => text);
        foreach (var name in (string[])["iss", "aud", "iat", "token_introspection"])
            yield return ($"payload with {name} twice", Stop, fc => fc.Claims().ToJsonString()[..^1] + $",\"{name}\":" + (fc.Claims()[name]!.ToJsonString()) + "}");
        foreach (var name in (string[])["active", "exp", "aud", "scope", "acr", "jti", "sub", "family_name"])
            yield return ($"introspection with {name} twice", Stop, fc => fc.Claims().ToJsonString().Replace("\"active\":true,", $"\"active\":true,\"{name}\":{fc.Claims()["token_introspection"]![name]!.ToJsonString()},", StringComparison.Ordinal));
        yield return ("payload with a comment", Stop, fc => "/* */" + fc.Claims().ToJsonString());
        yield return ("payload with a trailing comma", Stop, fc => fc.Claims().ToJsonString()[..^1] + ",}");
        yield return ("payload with a tail", Stop, fc => fc.Claims().ToJsonString() + "{}");
        yield return ("payload with a byte order mark", Stop, fc => "\uFEFF" + fc.Claims().ToJsonString());
        yield return ("payload that nests deep", Stop, fc => fc.Claims().ToJsonString()[..^1] + ",\"x\":" + new string('[', 5000) + new string(']', 5000) + "}");
        yield return ("payload with half a surrogate", Stop, fc => fc.Claims().ToJsonString().Replace("DURAND", "\\ud800", StringComparison.Ordinal));
        yield return ("payload with half a surrogate in a name", Stop, fc => fc.Claims().ToJsonString()[..^1] + ",\"\\udc00\":1}");
        yield return ("payload with a raw control character", Stop, fc => fc.Claims().ToJsonString().Replace("DURAND", "DU\nRAND", StringComparison.Ordinal));
        yield return ("payload in single quotes", Stop, fc => fc.Claims().ToJsonString().Replace('"', '\''));
        yield return ("payload in UTF-16", Stop, fc => string.Concat(Utf16(fc.Claims().ToJsonString()).Select(b => (char)b)));
        yield return ("payload is empty object", IntrospectionCheck.Issuer, _ => "{}");
    }

    private static IEnumerable<(string, IntrospectionCheck, Claim?, Claim?)> OuterClaims()
    {
        foreach (var (what, value) in Others(Issuer).Append(("with a slash", Issuer + "/")).Append(("of v1", "https://fc.exemple.fr/api/v1")).Append(("over http", "http://fc.exemple.fr/api/v2")))
            yield return ($"iss {what}", IntrospectionCheck.Issuer, (_, c) => Put(c, "iss", value), null);
        foreach (var (what, value) in Others(ClientId).Append(("of the partner", "hopital-un")).Append(("a list of us", new JsonArray(ClientId))).Append(("a list of us and another", new JsonArray(ClientId, "autre"))))
            yield return ($"outer aud {what}", IntrospectionCheck.Audience, (_, c) => Put(c, "aud", value), null);
        foreach (var seconds in (long[])[-86400, -3600, -120, -61, 61, 120, 3600, 86400])
            yield return ($"iat {seconds} s from now", IntrospectionCheck.IssuedAt, (fc, c) => c["iat"] = fc.Now + seconds, null);
        foreach (var (what, value) in NotInstants())
            yield return ($"outer iat {what}", IntrospectionCheck.IssuedAt, (fc, c) => Put(c, "iat", value(fc)), null);
        foreach (var (what, value) in NotObjects())
            yield return ($"token_introspection {what}", IntrospectionCheck.Active, (_, c) => Put(c, "token_introspection", value), null);
    }

    private static IEnumerable<(string, IntrospectionCheck, Claim?, Claim?)> InnerClaims()
    {
        const IntrospectionCheck Stop = IntrospectionCheck.Active;
        (string, JsonNode?)[] notTrue = [("missing", Missing), ("null", null), ("\"true\"", "true"), ("\"false\"", "false"), ("1", 1), ("0", 0), ("a list", new JsonArray(true)), ("an object", new JsonObject())];
        foreach (var (what, value) in notTrue)
            yield return ($"active {what}", Stop, null, (_, c) => Put(c, "active", value));
        foreach (var name in (string[])["aud", "sub", "acr", "scope", "gender", "family_name", "given_name", "birthdate", "birthcountry"])
        {
            foreach (var (what, value) in NotTexts())
                yield return ($"introspection {name} {what}", Stop, null, (_, c) => Put(c, name, value));
        }

        foreach (var (what, value) in NotTexts().Concat(Others(Token).Where(o => o.Item1 is not ("missing" or "null" or "a number" or "a list"))))
            yield return ($"introspection jti {what}", IntrospectionCheck.Token, null, (_, c) => Put(c, "jti", value));
        foreach (var name in (string[])["exp", "iat"])
        {
            foreach (var (what, value) in NotInstants())
                yield return ($"introspection {name} {what}", Stop, null, (fc, c) => Put(c, name, value(fc)));
        }

        yield return ("introspection aud empty", Stop, null, (_, c) => c["aud"] = "");
        yield return ("introspection aud a list of one", Stop, null, (_, c) => c["aud"] = new JsonArray("hopital-un"));
        yield return ("introspection sub empty", Stop, null, (_, c) => c["sub"] = "");
        yield return ("introspection sub of 5000 characters", Stop, null, (_, c) => c["sub"] = new string('a', 5000));
        (string, JsonNode?)[] notNames = [("text", "Anne"), ("a number", 1), ("with a number", new JsonArray(1)), ("with null", new JsonArray([null])), ("with a list", new JsonArray(new JsonArray("Anne"))), ("an object", new JsonObject())];
        foreach (var (what, value) in notNames)
            yield return ($"introspection given_name_array {what}", Stop, null, (_, c) => Put(c, "given_name_array", value));
        foreach (var (what, value) in NotTexts().Where(n => n.Item1 is not ("missing" or "null")))
            yield return ($"introspection birthplace {what}", Stop, null, (_, c) => Put(c, "birthplace", value));
    }

    private static readonly JsonNode Missing = JsonValue.Create("missing");

    private static void Put(JsonObject claims, string name, JsonNode? value)
    {
        if (ReferenceEquals(value, Missing))
            claims.Remove(name);
        else
            claims[name] = value?.DeepClone();
    }

    private static IEnumerable<(string, JsonNode?)> NotTexts() =>
        [("missing", Missing), ("null", null), ("a number", 1), ("true", true), ("a list", new JsonArray("x")), ("an object", new JsonObject())];

    private static IEnumerable<(string, JsonNode?)> NotObjects() =>
        [("missing", Missing), ("null", null), ("text", "{\"active\":true}"), ("a list", new JsonArray(new JsonObject { ["active"] = true })), ("true", true), ("empty", new JsonObject())];

    private static IEnumerable<(string, JsonNode?)> Others(string good) =>
    [
        ("missing", Missing), ("null", null), ("a number", 1), ("a list", new JsonArray(good)), ("empty", ""), ("in capitals", good.ToUpperInvariant()),
        ("cut", good[..^1]), ("grown", good + "x"), ("with a space", good + " "), ("after a space", " " + good), ("with NUL", good + "\0"),
    ];

    private static IEnumerable<(string, Func<FakeFranceConnect, JsonNode?>)> NotInstants() =>
    [
        ("missing", _ => Missing), ("null", _ => null), ("text", fc => $"{fc.Now + 30}"), ("with a fraction", fc => JsonNode.Parse($"{fc.Now + 30}.0")),
        ("with an exponent", fc => JsonNode.Parse($"{fc.Now + 30}e0")), ("zero", _ => 0), ("negative", fc => -fc.Now), ("the largest long", _ => long.MaxValue),
        ("beyond a long", _ => JsonNode.Parse("99999999999999999999999999")), ("beyond a double", _ => JsonNode.Parse("1e999")), ("after the year 9999", _ => 253402300800),
        ("true", _ => true), ("a list", fc => new JsonArray(fc.Now + 30)), ("an object", _ => new JsonObject()),
    ];

    private static string Signed(FakeFranceConnect fc, Action<JsonObject>? header = null, Func<byte[], byte[]>? sign = null)
    {
        var members = new JsonObject { ["alg"] = "ES256", ["kid"] = EcKid };
        header?.Invoke(members);
        return Jws(members.ToJsonString(), Bytes(fc.Claims().ToJsonString()), sign ?? Es256(FcEc));
    }

    private static string Resigned(FakeFranceConnect fc, Action<byte[]> change) => Signed(fc, sign: input =>
    {
        var signature = Es256(FcEc)(input);
        change(signature);
        return signature;
    });
}
