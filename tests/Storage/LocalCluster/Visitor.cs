using System.Net;
using System.Net.Http.Json;
using System.Text.Json.Nodes;

namespace DroitsAmeli.Tests.Storage.LocalCluster;

/// <summary>Makes admission visits: a new token, then the seven calls of the sample client.</summary>
internal sealed class Visitor(int franceConnectPort) : IDisposable
{
    private const string Root = "/v1/droits/beneficiaires";
    private static readonly string[] WithNir = ["", "/caisse", "/contrats", "/exonerations", "/medecin-traitant"];

    private readonly HttpClient http = new() { Timeout = TimeSpan.FromSeconds(10) };

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    /// <summary>A visit of that person through one front end; gives its answers that are not those of the contract.</summary>
    public async Task<IReadOnlyList<string>> Visit(int apiPort, string persona)
    {
        var token = await Token(persona);
        var wrong = new List<string>();
        var nir = (string?)(await Ask(apiPort, "/me", token, null, wrong))?["nir"];
        if (nir is null)
            return [$"{persona}: no nir", .. wrong];
        await Ask(apiPort, "/me/beneficiaires", token, null, wrong);
        foreach (var path in WithNir)
            await Ask(apiPort, path, token, nir, wrong);
        return wrong;
    }

    public void Dispose() => http.Dispose();

    private async Task<string> Token(string persona)
    {
        using var answer = await http.PostAsJsonAsync(
            Loopback.Url(franceConnectPort, "/sandbox/jetons"), new { persona, client_id = "fs-chu", scope = "droits_assurance_maladie" }, Stop);
        answer.EnsureSuccessStatusCode();
        return (string)(await answer.Content.ReadFromJsonAsync<JsonObject>(Stop))!["access_token"]!;
    }

    private async Task<JsonNode?> Ask(int apiPort, string path, string token, string? nir, List<string> wrong)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, Loopback.Url(apiPort, Root + path));
        request.Headers.Add("X-API-Key", "cle-chu-bac-a-sable");
        request.Headers.Authorization = new("Bearer", token);
        if (nir is not null)
            request.Headers.Add("nir", nir);
        try
        {
            using var answer = await http.SendAsync(request, Stop);
            var body = await answer.Content.ReadAsStringAsync(Stop);
            if (answer.StatusCode is HttpStatusCode.OK)
                return JsonNode.Parse(body);

            // Not everybody has chosen a doctor.
            if (path != "/medecin-traitant" || !body.Contains("medecin_traitant_absent", StringComparison.Ordinal))
                wrong.Add($"{path}: {(int)answer.StatusCode} {body}");
        }
        catch (Exception exception) when (exception is HttpRequestException or TaskCanceledException && !Stop.IsCancellationRequested)
        {
            wrong.Add($"{path}: {exception.Message}");
        }

        return null;
    }
}
