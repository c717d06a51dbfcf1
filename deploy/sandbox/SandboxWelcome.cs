using DroitsAmeli.Simulators;

namespace DroitsAmeli.Sandbox;

/// <summary>What a newcomer reads: where the documentation is, who may be played, who calls, and one call to paste.</summary>
internal static class SandboxWelcome
{
    /// <summary>The text, for a terminal.</summary>
    public static string Text(SandboxSettings settings)
    {
        var api = $"http://127.0.0.1:{settings.ApiPort}";
        List<string> lines =
        [
            "DroitsAmeli.Orleans : bac à sable prêt (Ctrl+C pour arrêter)",
            "",
            $"  Documentation       {api}/docs",
            $"  API                 {api}{settings.PathPrefix}/v1/droits/beneficiaires",
            settings.SimulatesFranceConnect
                ? $"  FranceConnect       http://127.0.0.1:{settings.FranceConnectPort} (simulateur ; compteurs : /sandbox/compteurs)"
                : "  FranceConnect       celui de la configuration (FranceConnect:*)",
            settings.SimulatesRegimeSi
                ? $"  SI des régimes      http://127.0.0.1:{settings.RegimeSiPort} (simulateur ; compteurs : /sandbox/compteurs)"
                : "  SI des régimes      celui de la configuration (RegimeSi:*)",
            "",
        ];

        if (settings.SimulatesRegimeSi || settings.SimulatesFranceConnect)
        {
            lines.Add("Personas");
            lines.AddRange(Personas.All.Select(persona => $"  {persona.Id,-28}{persona.Description}"));
            lines.Add("  famille-<n>                 l'assuré de la famille n de la population simulée");
            lines.Add("");
        }

        if (settings.ConventionsFile is { } file)
        {
            lines.Add($"Partenaires : ceux de {file}");
        }
        else
        {
            lines.Add("Partenaires (clé d'API, client FranceConnect)");
            lines.AddRange(Partners.All.Select(partner =>
                $"  {partner.Id,-18}{partner.Key,-28}{partner.FranceConnectClient,-14}{Describe(partner)}"));
            if (settings.SimulatesFranceConnect)
                lines.AddRange(["", "À coller dans un autre terminal, à tout moment :", "", Curl(settings, api)]);
        }

        return string.Join(Environment.NewLine, lines);
    }

    private static string Describe(Partner partner) => partner.Type == "etablissement_de_soins"
        ? "établissement de soins : tout"
        : partner.Exonerations == "masquees"
            ? "organisme complémentaire : exonérations sans motif"
            : "organisme complémentaire : exonérations refusées";

    private static string Curl(SandboxSettings settings, string api)
    {
        var partner = Partners.All[0];
        return $"curl -s {api}{settings.PathPrefix}/v1/droits/beneficiaires/me -H 'X-API-Key: {partner.Key}' "
            + $"-H \"Authorization: Bearer $(curl -s -X POST http://127.0.0.1:{settings.FranceConnectPort}/sandbox/jetons "
            + "-H 'Content-Type: application/json' -H 'Accept: text/plain' "
            + $"-d '{{\"persona\":\"{Personas.All[0].Id}\",\"client_id\":\"{partner.FranceConnectClient}\",\"scope\":\"droits_assurance_maladie\"}}')\"";
    }
}
