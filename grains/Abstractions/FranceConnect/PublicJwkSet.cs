using System.Text.Json;

namespace DroitsAmeli.Grains.FranceConnect;

/// <summary>
/// What FranceConnect reads at our <c>jwks_uri</c>: public halves only, the key it will take (the first with use <c>enc</c> and the
/// registered <c>alg</c>) first. Members are written from a list, so nothing private can slip through.
/// </summary>
public static class PublicJwkSet
{
    private static readonly string[] EcMembers = ["kty", "crv", "x", "y", "kid"];
    private static readonly string[] RsaMembers = ["kty", "n", "e", "kid"];

    /// <summary>The public set, as UTF-8 JSON.</summary>
    /// <param name="file">A JWK Set, private or public.</param>
    /// <param name="registeredAlg">The registered <c>EncryptedResponseAlg</c>; given to keys of its type that name none.</param>
    /// <exception cref="FormatException">It is not a JWK Set, or no valid key of it serves that algorithm.</exception>
    public static byte[] Render(ReadOnlyMemory<byte> file, string registeredAlg)
    {
        var valid = JsonWebKeySet.Parse(file).Keys.Where(k => k.P256(false) is not null || k.Rsa(false) is not null).ToList();
        var first = valid.Where(k => k.Serves(registeredAlg, "enc")).ToList();
        if (first.Count == 0)
            throw new FormatException($"it holds no valid encryption key for {registeredAlg}");

        using var stream = new MemoryStream();
        using (var json = new Utf8JsonWriter(stream))
        {
            json.WriteStartObject();
            json.WriteStartArray("keys");
            foreach (var key in first.Concat(valid.Except(first)))
            {
                json.WriteStartObject();
                foreach (var name in key.Kty == "EC" ? EcMembers : RsaMembers)
                {
                    if (key.Member(name) is { } value)
                        json.WriteString(name, value);
                }

                json.WriteString("use", key.Use ?? "enc");
                if ((key.Alg ?? (key.Serves(registeredAlg, "enc") ? registeredAlg : null)) is { } alg)
                    json.WriteString("alg", alg);
                json.WriteEndObject();
            }

            json.WriteEndArray();
            json.WriteEndObject();
        }

        return stream.ToArray();
    }
}
