using DroitsAmeli.Sandbox;

namespace DroitsAmeli.LocalCluster;

/// <summary>What an operator reads once everything is ready: where everything listens, who calls, and one call to paste.</summary>
internal static class Welcome
{
    public static string Text(ClusterState state, StateFolder folder)
    {
        var partner = Partners.All[0];
        var api = Origin(state.Address!);
        List<string> lines =
        [
            "",
            "DroitsAmeli.Orleans : grappe locale prête (deploy/local-cluster down pour arrêter)",
            "",
            Line("Documentation", api + "/docs"),
            Line("API", api + "/v1/droits/beneficiaires" + (state.Processes.Any(process => process.Role is Role.HaProxy) ? " (HAProxy)" : "")),
            .. state.Processes.Where(process => process.Role is Role.Api).Select(process => Line(process.Name, Origin(process.Address!))),
            .. state.Processes.Where(process => process.Role is Role.Silo).Select(process => Line(process.Name, Origin(process.Address!) + " (santé et exploitation)")),
            Line("FranceConnect", Origin(AddressOf(Role.FranceConnect)) + " (simulateur ; compteurs : /sandbox/compteurs)"),
            Line("SI des régimes", Origin(AddressOf(Role.RegimeSi)) + " (simulateur ; personas : /sandbox/personas)"),
            Line("PostgreSQL", state.Database!.Folder is null
                ? "celui de la configuration"
                : $"127.0.0.1:{state.Processes.First(process => process.Role is Role.Postgres).Ports[ProcessState.Tcp]} (privé ; accès : cluster.json)"),
            Line("État, journaux, clés", folder.FullName),
            Line("Clé d'exploitation", state.OperatorKey + " (X-Admin-Key)"),
            "",
            "Partenaires (clé d'API, client FranceConnect)",
            .. Partners.All.Select(known => $"  {known.Id,-18}{known.Key,-28}{known.FranceConnectClient}"),
            "",
            "À coller dans un terminal, à tout moment :",
            "",
            $"curl -s {api}/v1/droits/beneficiaires/me -H 'X-API-Key: {partner.Key}' "
                + $"-H \"Authorization: Bearer $(curl -s -X POST {Origin(AddressOf(Role.FranceConnect))}/sandbox/jetons "
                + "-H 'Content-Type: application/json' -H 'Accept: text/plain' "
                + $"-d '{{\"persona\":\"alice-martin\",\"client_id\":\"{partner.FranceConnectClient}\",\"scope\":\"droits_assurance_maladie\"}}')\"",
        ];
        return string.Join(Environment.NewLine, lines);

        Uri AddressOf(Role role) => state.Processes.First(process => process.Role == role).Address!;
    }

    private static string Line(string name, string value) => $"  {name,-22}{value}";

    private static string Origin(Uri address) => address.GetLeftPart(UriPartial.Authority);
}
