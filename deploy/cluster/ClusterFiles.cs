using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using DroitsAmeli.Sandbox;

namespace DroitsAmeli.LocalCluster;

/// <summary>The keys and the conventions of a cluster: new keys, and the partners of the sandbox.</summary>
internal sealed class ClusterFiles(string folder)
{
    private const int KeyBytes = 32;

    public string PrivateJwks => Path.Combine(folder, "franceconnect.private.jwks.json");

    public string PublicJwks => Path.Combine(folder, "franceconnect.public.jwks.json");

    public string HmacKey => Path.Combine(folder, "identities.hmac.key");

    public string StorageKeys => Path.Combine(folder, "storage.keys.json");

    public string Conventions => Path.Combine(folder, "conventions.json");

    public string HaProxy => Path.Combine(folder, "haproxy.cfg");

    /// <summary>Writes all of them but the balancer's.</summary>
    public void Write()
    {
        var jwks = JsonNode.Parse(File.ReadAllText(SandboxKeys.WritePrivateJwks(folder, "ECDH-ES")))!;
        foreach (var key in jwks["keys"]!.AsArray())
            key!.AsObject().Remove("d");
        File.WriteAllText(PublicJwks, jwks.ToJsonString());

        SandboxKeys.WriteHmacKey(folder);
        File.WriteAllText(StorageKeys, JsonSerializer.Serialize(new { active = "1", keys = new Dictionary<string, string> { ["1"] = NewKey() } }));
        Partners.WriteConventions(folder);
    }

    public static string NewOperatorKey() => Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(KeyBytes));

    public static string Sha256(string key) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(key)));

    private static string NewKey() => Convert.ToBase64String(RandomNumberGenerator.GetBytes(KeyBytes));
}
