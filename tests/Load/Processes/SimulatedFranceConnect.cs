using System.Net.Http.Json;
using System.Text.Json.Nodes;

namespace DroitsAmeli.Load.Processes;

/// <summary>Mints tokens at the simulated FranceConnect of a deployment, and reads its counter.</summary>
public sealed class SimulatedFranceConnect(Node node, HttpClient http)
{
    private const int LargestBatch = 1000;
    private const string Scope = "droits_assurance_maladie";

    public Node Node => node;

    /// <summary>One token for each of these families' insured persons, in their order.</summary>
    /// <param name="familles">Indexes in the bulk population.</param>
    /// <param name="partner">Who the tokens are issued to.</param>
    /// <param name="lifetime">Whole seconds, an hour at most.</param>
    /// <param name="cancellationToken">Ends the minting.</param>
    public async Task<IReadOnlyList<string>> Mint(
        IReadOnlyCollection<long> familles, Partner partner, TimeSpan lifetime, CancellationToken cancellationToken)
    {
        var tokens = new List<string>(familles.Count);
        foreach (var batch in familles.Chunk(LargestBatch))
        {
            using var answer = await http.PostAsJsonAsync(
                new Uri(node.Address, "/sandbox/jetons/lot"),
                new
                {
                    personas = batch.Select(famille => FormattableString.Invariant($"famille-{famille}")),
                    client_id = partner.FranceConnectClient,
                    scope = Scope,
                    expires_in = (int)lifetime.TotalSeconds,
                },
                cancellationToken);
            answer.EnsureSuccessStatusCode();
            var minted = (await answer.Content.ReadFromJsonAsync<JsonObject>(cancellationToken))!["access_tokens"]!.AsArray();
            tokens.AddRange(minted.Select(token => (string)token!));
        }

        return tokens;
    }

    /// <summary>Replaces faults and latency.</summary>
    /// <param name="reglages">As <c>PUT /sandbox/reglages</c> takes them.</param>
    /// <param name="cancellationToken">Ends the call.</param>
    public async Task Set(object reglages, CancellationToken cancellationToken)
    {
        using var answer = await http.PutAsJsonAsync(new Uri(node.Address, "/sandbox/reglages"), reglages, cancellationToken);
        answer.EnsureSuccessStatusCode();
    }

    /// <summary>How many checktokens were answered since the start.</summary>
    public async Task<long> Checktokens(CancellationToken cancellationToken) =>
        (long)(await http.GetFromJsonAsync<JsonNode>(new Uri(node.Address, "/sandbox/compteurs"), cancellationToken))!["checktoken"]!;
}
