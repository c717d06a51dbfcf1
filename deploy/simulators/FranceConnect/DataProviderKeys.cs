using System.Security.Cryptography;
using System.Text.Json;
using Jose;
using Base64Url = System.Buffers.Text.Base64Url;

namespace DroitsAmeli.Simulators.FranceConnect;

/// <summary>Encryption for the data provider: its JWK Set is read anew each time, and the first key with use enc and the registered alg is taken.</summary>
internal sealed class DataProviderKeys(HttpClient http, FranceConnectSimulatorOptions options)
{
    /// <summary>A compact JWE without kid around the text; null when the keys cannot be read or none fits.</summary>
    public async Task<string?> Encrypt(string text, JweEncryption enc, CancellationToken cancellationToken)
    {
        try
        {
            using var set = JsonDocument.Parse(await Read(options.JwksUri(), cancellationToken));
            foreach (var key in set.RootElement.GetProperty("keys").EnumerateArray())
            {
                if (Text(key, "use") == "enc" && Text(key, "alg") == options.EncryptedResponseAlg)
                    return EncryptFor(key, text, enc);
            }

            return null;
        }
        catch (Exception failure) when (failure is HttpRequestException or JsonException or KeyNotFoundException or InvalidOperationException
            or FormatException or CryptographicException or JoseException or TaskCanceledException or IOException)
        {
            return null;
        }
    }

    private Task<byte[]> Read(Uri jwks, CancellationToken cancellationToken) =>
        jwks.IsFile ? File.ReadAllBytesAsync(jwks.LocalPath, cancellationToken) : http.GetByteArrayAsync(jwks, cancellationToken);

    private string EncryptFor(JsonElement key, string text, JweEncryption enc)
    {
        if (options.EncryptedResponseAlg == "ECDH-ES")
        {
            using var ec = ECDiffieHellman.Create(new ECParameters
            {
                Curve = ECCurve.NamedCurves.nistP256,
                Q = new ECPoint { X = Bytes(key, "x"), Y = Bytes(key, "y") },
            });
            return JWT.Encode(text, ec, JweAlgorithm.ECDH_ES, enc);
        }

        using var rsa = RSA.Create(new RSAParameters { Modulus = Bytes(key, "n"), Exponent = Bytes(key, "e") });
        return JWT.Encode(text, rsa, options.EncryptedResponseAlg == "RSA-OAEP-256" ? JweAlgorithm.RSA_OAEP_256 : JweAlgorithm.RSA_OAEP, enc);
    }

    private static string? Text(JsonElement key, string name) =>
        key.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;

    private static byte[] Bytes(JsonElement key, string name) =>
        Base64Url.DecodeFromChars(Text(key, name) ?? throw new FormatException($"the key has no {name}"));
}
