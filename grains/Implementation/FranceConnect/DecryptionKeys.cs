using System.Security.Cryptography;
using System.Text;
using Jose;

namespace DroitsAmeli.Grains.FranceConnect;

/// <summary>
/// Our private encryption keys for the registered algorithm, in the order of the file. FranceConnect's JWE carries no <c>kid</c>, so each is
/// tried: that is what keeps old keys usable during a rotation.
/// </summary>
public sealed class DecryptionKeys
{
    private readonly string alg;
    private readonly IReadOnlyList<ECParameters> p256;
    private readonly IReadOnlyList<RSAParameters> rsa;

    private DecryptionKeys(string alg, IReadOnlyList<ECParameters> p256, IReadOnlyList<RSAParameters> rsa)
    {
        this.alg = alg;
        this.p256 = p256;
        this.rsa = rsa;
    }

    /// <summary>The size in bits of the largest RSA key, 0 without any.</summary>
    public int LargestRsaBits => rsa.Count == 0 ? 0 : rsa.Max(k => k.Modulus!.Length * 8);

    /// <summary>Reads the private keys that serve an algorithm; keys of others are left aside.</summary>
    /// <exception cref="FormatException">It is not a JWK Set, a key that should serve is not valid, or none serves.</exception>
    public static DecryptionKeys Parse(byte[] file, string alg)
    {
        var candidates = JsonWebKeySet.Parse(file).Keys.Where(k => k.Serves(alg, "enc")).ToList();
        if (candidates.Count == 0)
            throw new FormatException($"it holds no private key for FranceConnect:EncryptedResponseAlg {alg}");
        List<ECParameters> p256 = [];
        List<RSAParameters> rsa = [];
        foreach (var key in candidates)
        {
            if (key.P256(withPrivate: true) is { } ec)
                p256.Add(ec);
            else if (key.Rsa(withPrivate: true) is { } pair)
                rsa.Add(pair);
            else
                throw new FormatException($"a key for {alg} is not a valid private key (P-256 with d, or RSA of {JsonWebKeySet.LeastRsaBits} bits or more with d, p, q, dp, dq and qi)");
        }

        return new DecryptionKeys(alg, p256, rsa);
    }

    /// <summary>The plain text of a JWE whose header has been pinned; null when none of the keys opens it.</summary>
    public string? Decrypt(string jwe)
    {
        if (alg == FranceConnectAlgorithms.EcdhEs)
        {
            foreach (var parameters in p256)
            {
                using var key = ECDiffieHellman.Create(parameters);
                if (Open(jwe, key, JweAlgorithm.ECDH_ES) is { } text)
                    return text;
            }

            return null;
        }

        var algorithm = alg == FranceConnectAlgorithms.RsaOaep256 ? JweAlgorithm.RSA_OAEP_256 : JweAlgorithm.RSA_OAEP;
        foreach (var parameters in rsa)
        {
            using var key = RSA.Create(parameters);
            if (Open(jwe, key, algorithm) is { } text)
                return text;
        }

        return null;
    }

    private static string? Open(string jwe, object key, JweAlgorithm algorithm)
    {
        try
        {
            return Encoding.Latin1.GetString(JWT.DecryptBytes(jwe, key, algorithm, JweEncryption.A256GCM));
        }
        catch (Exception)
        {
            // Whatever a hostile text makes the library throw, it means the same: not opened by this key.
            return null;
        }
    }
}
