using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;

namespace DroitsAmeli.Tests.Api;

/// <summary>A partner as a test calls with it.</summary>
public sealed record TestPartner(string Key, string Client);

/// <summary>The partners of a bench, and their conventions.</summary>
public static class TestPartners
{
    public static readonly TestPartner Chu = new("cle-chu", "fs-chu");
    public static readonly TestPartner Masquees = new("cle-mutuelle", "fs-mutuelle");
    public static readonly TestPartner Refusees = new("cle-stricte", "fs-stricte");

    /// <summary>An établissement whose convention lists three resources.</summary>
    public static readonly TestPartner Limitee = new("cle-limitee", "fs-chu");

    /// <summary>Three calls a minute.</summary>
    public static readonly TestPartner PetitQuota = new("cle-petit-quota", "fs-stricte");

    /// <summary>An établissement whose convention takes nothing that is older than an hour.</summary>
    public static readonly TestPartner Exigeante = new("cle-exigeante", "fs-chu");

    public static readonly TestPartner Compte = new("cle-compte", "fs-compte");

    /// <summary>Keys of conventions that open nothing.</summary>
    public static readonly IReadOnlyList<string> Ineligible = ["cle-suspendue", "cle-autre-type", "cle-finie", "cle-a-venir"];

    public static JsonArray Conventions() =>
    [
        Convention("chu", "etablissement_de_soins", Chu.Key, Chu.Client),
        Convention("mutuelle", "organisme_complementaire", Masquees.Key, Masquees.Client, ("exonerations", "masquees")),
        Convention("stricte", "organisme_complementaire", Refusees.Key, Refusees.Client),
        Convention("limitee", "etablissement_de_soins", Limitee.Key, Limitee.Client, ("ressources", new JsonArray("me", "me/beneficiaires", "caisse"))),
        Convention("exigeante", "etablissement_de_soins", Exigeante.Key, Exigeante.Client, ("age_maximal_minutes", 60)),
        Convention("petit-quota", "organisme_complementaire", PetitQuota.Key, PetitQuota.Client,
            ("quota", new JsonObject { ["par_minute"] = 3, ["par_jour"] = 1_000 })),
        Convention("compte", "etablissement_de_soins", Compte.Key, Compte.Client,
            ("quota", new JsonObject { ["par_minute"] = 1_000, ["par_jour"] = 500 })),
        Convention("suspendue", "etablissement_de_soins", "cle-suspendue", "fs-chu", ("active", false)),
        Convention("autre-type", "laboratoire", "cle-autre-type", "fs-chu"),
        Convention("finie", "etablissement_de_soins", "cle-finie", "fs-chu", ("fin", "2026-11-22")),
        Convention("a-venir", "etablissement_de_soins", "cle-a-venir", "fs-chu", ("debut", "2026-11-24")),
    ];

    public static JsonObject Convention(string id, string type, string key, string client, params (string Name, JsonNode Value)[] others)
    {
        var convention = new JsonObject
        {
            ["id"] = id,
            ["nom"] = "Partenaire " + id,
            ["type"] = type,
            ["cles_sha256"] = new JsonArray(Hash(key)),
            ["clients_franceconnect"] = new JsonArray(client),
            ["quota"] = new JsonObject { ["par_minute"] = 100_000, ["par_jour"] = 1_000_000 },
            ["active"] = true,
        };
        foreach (var (name, value) in others)
            convention[name] = value;
        return convention;
    }

    public static string Hash(string key) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(key)));
}
