using System.Security.Cryptography;
using System.Text;

namespace DroitsAmeli.Load.Processes;

/// <summary>A partner of the deployments: two of each type, with quotas that no run uses up.</summary>
/// <param name="Id">The convention.</param>
/// <param name="Type">As in the conventions file.</param>
/// <param name="Key">Its API key.</param>
/// <param name="FranceConnectClient">The FranceConnect client its tokens are issued to.</param>
public sealed record Partner(string Id, string Type, string Key, string FranceConnectClient)
{
    private const string Etablissement = "etablissement_de_soins";
    private const string Organisme = "organisme_complementaire";

    public bool IsOrganisme => Type == Organisme;

    /// <summary>All of them, établissements first.</summary>
    public static IReadOnlyList<Partner> All { get; } =
    [
        new("hopital-1", Etablissement, "cle-hopital-1", "fs-hopital-1"),
        new("hopital-2", Etablissement, "cle-hopital-2", "fs-hopital-2"),
        new("mutuelle-1", Organisme, "cle-mutuelle-1", "fs-mutuelle-1"),
        new("mutuelle-2", Organisme, "cle-mutuelle-2", "fs-mutuelle-2"),
    ];

    /// <summary>The first établissement: it may see everything, the cache's state included.</summary>
    public static Partner Hopital => All[0];

    /// <summary>The first organisme complémentaire: some fields are not for it.</summary>
    public static Partner Mutuelle => All[2];

    /// <summary>Writes the conventions file; returns its path.</summary>
    internal static string WriteConventions(string folder) => Keys.WriteJson(folder, "conventions.json", All.Select(partner => new
    {
        id = partner.Id,
        nom = partner.Id,
        type = partner.Type,
        cles_sha256 = new[] { Sha256(partner.Key) },
        clients_franceconnect = new[] { partner.FranceConnectClient },
        exonerations = "masquees",
        quota = new { par_minute = 60_000_000, par_jour = 1_000_000_000 },
        active = true,
    }));

    internal static string Sha256(string key) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(key)));
}
