using System.Security.Cryptography;
using System.Text;
using System.Text.Json;

namespace DroitsAmeli.Sandbox;

/// <summary>A partner of the sandbox. Its key is public: it opens invented rights on this machine only.</summary>
internal sealed record Partner(string Id, string Nom, string Type, string Key, string FranceConnectClient, string Exonerations);

/// <summary>The partners of the sandbox, and the conventions file that introduces them.</summary>
internal static class Partners
{
    public static IReadOnlyList<Partner> All { get; } =
    [
        new("chu-angers", "CHU du bac à sable", "etablissement_de_soins", "cle-chu-bac-a-sable", "fs-chu", "refusees"),
        new("mutuelle-loire", "Mutuelle du bac à sable", "organisme_complementaire", "cle-mutuelle-bac-a-sable", "fs-mutuelle", "masquees"),
        new("mutuelle-stricte", "Mutuelle stricte du bac à sable", "organisme_complementaire", "cle-stricte-bac-a-sable", "fs-stricte", "refusees"),
    ];

    /// <summary>Writes the conventions file; returns its path.</summary>
    public static string WriteConventions(string folder)
    {
        var path = Path.Combine(folder, "conventions.json");
        var conventions = All.Select(partner => new
        {
            id = partner.Id,
            nom = partner.Nom,
            type = partner.Type,
            cles_sha256 = new[] { Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(partner.Key))) },
            clients_franceconnect = new[] { partner.FranceConnectClient },
            exonerations = partner.Exonerations,
            quota = new { par_minute = 600_000, par_jour = 100_000_000 },
            active = true,
        });
        File.WriteAllBytes(path, JsonSerializer.SerializeToUtf8Bytes(conventions));
        return path;
    }
}
