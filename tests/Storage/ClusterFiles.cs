using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;

namespace DroitsAmeli.Tests.Storage;

/// <summary>The key files and the conventions that silos and front ends want before they start, in a folder of their own.</summary>
internal sealed class ClusterFiles : IDisposable
{
    private readonly DirectoryInfo folder = Directory.CreateTempSubdirectory("droits-test-");

    public ClusterFiles()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var half = key.ExportParameters(includePrivateParameters: true);
        var jwk = new Dictionary<string, string>
        {
            ["kty"] = "EC", ["crv"] = "P-256", ["use"] = "enc", ["alg"] = "ECDH-ES", ["kid"] = "1",
            ["x"] = Base64Url.EncodeToString(half.Q.X), ["y"] = Base64Url.EncodeToString(half.Q.Y),
        };
        PublicJwks = Write("public.jwks.json", JsonSerializer.Serialize(new { keys = new[] { jwk } }));
        jwk["d"] = Base64Url.EncodeToString(half.D);
        PrivateJwks = Write("private.jwks.json", JsonSerializer.Serialize(new { keys = new[] { jwk } }));
        HmacKey = Write("identities.key", Convert.ToBase64String(RandomNumberGenerator.GetBytes(32)));
        Conventions = Write("conventions.json", JsonSerializer.Serialize(new[]
        {
            new
            {
                id = "chu-test", nom = "CHU", type = "etablissement_de_soins", active = true,
                cles_sha256 = new[] { Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes("cle-du-chu"))) },
                clients_franceconnect = new[] { "fs-chu" }, quota = new { par_minute = 600, par_jour = 100_000 },
            },
        }));
    }

    public string PrivateJwks { get; }

    public string PublicJwks { get; }

    public string HmacKey { get; }

    public string Conventions { get; }

    /// <summary>Writes one more file.</summary>
    /// <returns>Its path.</returns>
    public string Write(string name, string content)
    {
        var path = Path.Combine(folder.FullName, name);
        File.WriteAllText(path, content);
        return path;
    }

    public void Dispose() => folder.Delete(recursive: true);
}
