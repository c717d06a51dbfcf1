using System.Net.Http.Json;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using DroitsAmeli.Simulators;
using DroitsAmeli.Simulators.RegimeSi;

namespace DroitsAmeli.Load.Processes;

/// <summary>What the simulated SI was asked.</summary>
/// <param name="Identifications">Calls.</param>
/// <param name="Familles">Calls for a composition.</param>
/// <param name="Droits">Calls for somebody's rights.</param>
/// <param name="Entieres">Of the last two, those answered in full because the caller held nothing.</param>
/// <param name="Evenements">Long polls of the change feed.</param>
/// <param name="ConcurrenceMax">The most calls at once, the feed's not counted.</param>
/// <param name="OccupationMs">Milliseconds that calls were worked on, all together.</param>
/// <param name="Abandons">Calls whose caller went away while they were worked on.</param>
/// <param name="AbandonsMs">The part of the occupation that went to these.</param>
/// <param name="ReponsesFausses">Answers 200 that were not the right one, by fault; an older version only where the caller held another.</param>
public sealed record SiCounters(
    long Identifications,
    long Familles,
    long Droits,
    long Entieres,
    long Evenements,
    int ConcurrenceMax,
    long OccupationMs,
    long Abandons,
    long AbandonsMs,
    IReadOnlyDictionary<FaultKind, long> ReponsesFausses)
{
    /// <summary>All calls but the feed's.</summary>
    public long Loads => Identifications + Familles + Droits;

    /// <summary>The calls alone, to be compared: the feed moves by itself, and what is worked on costs time.</summary>
    public (long Identifications, long Familles, long Droits) Calls => (Identifications, Familles, Droits);
}

/// <summary>Steers the simulated régime SI of a deployment, and knows its population.</summary>
public sealed class SimulatedSi(Node node, HttpClient http, long families)
{
    private static readonly JsonSerializerOptions Json = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    };

    private static readonly TimeSpan FeedBegins = TimeSpan.FromSeconds(2);

    public Node Node => node;

    /// <summary>The families behind the personas <c>famille-0</c>, <c>famille-1</c>…, as they are before any change.</summary>
    public Population Population { get; } = new(new RegimeSiSimulatorOptions().Seed, families, TimeProvider.System);

    /// <summary>Replaces latency, limits and faults.</summary>
    public async Task Set(Reglages reglages, CancellationToken cancellationToken)
    {
        using var answer = await http.PutAsJsonAsync(At("/sandbox/reglages"), reglages, Json, cancellationToken);
        answer.EnsureSuccessStatusCode();
    }

    /// <summary>The counters since the start or the last reset.</summary>
    public async Task<SiCounters> Counters(CancellationToken cancellationToken) =>
        (await http.GetFromJsonAsync<SiCounters>(At("/sandbox/compteurs"), Json, cancellationToken))!;

    public async Task ResetCounters(CancellationToken cancellationToken)
    {
        using var answer = await http.DeleteAsync(At("/sandbox/compteurs"), cancellationToken);
        answer.EnsureSuccessStatusCode();
    }

    /// <summary>Changes a family of the bulk population and tells the feed; gives the new version.</summary>
    public async Task<long> Change(long famille, ChangeKind kind, CancellationToken cancellationToken)
    {
        using var answer = await http.PostAsJsonAsync(At($"/sandbox/familles/{Population.Get(famille).Id}/changements"), new { kind }, Json, cancellationToken);
        answer.EnsureSuccessStatusCode();
        return (long)(await answer.Content.ReadFromJsonAsync<JsonNode>(cancellationToken))!["version"]!;
    }

    /// <summary>Gives a new version to one family after the other, round and round, and tells the feed; gives the time that took.</summary>
    /// <param name="count">How many events.</param>
    /// <param name="perSecond">At what rate.</param>
    /// <param name="cancellationToken">Ends it.</param>
    public async Task<TimeSpan> Touch(long count, long perSecond, CancellationToken cancellationToken)
    {
        using var answer = await http.PostAsJsonAsync(At("/sandbox/evenements/rafale"), new { nombre = count, par_seconde = perSecond }, Json, cancellationToken);
        answer.EnsureSuccessStatusCode();
        return TimeSpan.FromSeconds((double)(await answer.Content.ReadFromJsonAsync<JsonNode>(cancellationToken))!["secondes"]!);
    }

    /// <summary>
    /// Waits until the change feed is followed: what silos that store hold from before is asked again, spread over minutes, and would be counted
    /// with what is measured.
    /// </summary>
    public async Task FeedIsFollowed(CancellationToken cancellationToken)
    {
        while ((await Counters(cancellationToken)).Evenements < 2)
            await Task.Delay(FeedBegins, TimeProvider.System, cancellationToken);
        await Task.Delay(FeedBegins, TimeProvider.System, cancellationToken);
    }

    /// <summary>Makes every cursor given so far too old, and loses one event.</summary>
    public async Task LoseFeed(CancellationToken cancellationToken)
    {
        using var answer = await http.PostAsync(At("/sandbox/evenements/oubli"), null, cancellationToken);
        answer.EnsureSuccessStatusCode();
    }

    private Uri At(string path) => new(node.Address, path);
}
