using System.Net.Http.Json;
using System.Text.Json.Nodes;
using DroitsAmeli.Simulators;
using DroitsAmeli.Simulators.RegimeSi;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.Time.Testing;

namespace DroitsAmeli.Tests.Rules.Simulators;

/// <summary>A régime SI simulator on a free loopback port, and a client for it.</summary>
internal sealed class RunningSimulator : IAsyncDisposable
{
    private readonly WebApplication _app;

    private RunningSimulator(WebApplication app, Population population)
    {
        _app = app;
        Population = population;
        Http = new HttpClient { BaseAddress = RegimeSiSimulator.BaseUrl(app), Timeout = TimeSpan.FromSeconds(15) };
        Admin = new HttpClient { BaseAddress = RegimeSiSimulator.AdminUrl(app) };
    }

    public Population Population { get; }

    public HttpClient Http { get; }

    public HttpClient Admin { get; }

    public static async Task<RunningSimulator> Start(Reglages? reglages = null, string? apiKey = null, int? adminPort = null, TimeProvider? clock = null)
    {
        var time = clock ?? new FakeTimeProvider(new DateTimeOffset(2026, 11, 23, 9, 0, 0, TimeSpan.Zero));
        var population = new Population(1, 1_000, time);
        var app = RegimeSiSimulator.Create(
            new RegimeSiSimulatorOptions { Port = 0, AdminPort = adminPort, ApiKey = apiKey, Reglages = reglages ?? new Reglages(), EnvironmentName = "Sandbox" },
            time, population);
        await app.StartAsync(Stop);
        return new RunningSimulator(app, population);
    }

    public static CancellationToken Stop => Xunit.TestContext.Current.CancellationToken;

    public (FamilleSimulee Famille, MembreSimule Membre) Persona(string id) =>
        Population.Match(IdentiteDemandee.Of(Personas.Find(id)!.Identite))[0];

    public Task<HttpResponseMessage> Identify(IdentiteFranceConnect identite) => Http.PostAsJsonAsync("/si/v1/identifications", new
    {
        family_name = identite.FamilyName,
        given_names = identite.GivenNameArray,
        gender = identite.Gender,
        birthdate = identite.Birthdate,
        birthplace = identite.Birthplace,
        birthcountry = identite.Birthcountry,
    }, Stop);

    public Task<HttpResponseMessage> Famille(string id, string? held = null) => Send($"/si/v1/familles/{id}", null, held);

    public Task<HttpResponseMessage> Droits(string id, string? nir, string? held = null) => Send($"/si/v1/familles/{id}/droits", nir, held);

    public async Task<JsonNode> Json(string path, HttpClient? client = null) =>
        JsonNode.Parse(await (client ?? Http).GetStringAsync(path, Stop))!;

    public Task<HttpResponseMessage> Put(object reglages) => Admin.PutAsJsonAsync("/sandbox/reglages", reglages, Stop);

    public Task<HttpResponseMessage> Change(string id, object change) => Admin.PostAsJsonAsync($"/sandbox/familles/{id}/changements", change, Stop);

    public async ValueTask DisposeAsync()
    {
        Http.Dispose();
        Admin.Dispose();
        await _app.DisposeAsync();
    }

    private Task<HttpResponseMessage> Send(string path, string? nir, string? held)
    {
        var request = new HttpRequestMessage(HttpMethod.Get, path);
        if (nir is not null)
            request.Headers.Add("nir", nir);
        if (held is not null)
            request.Headers.Add("If-None-Match", held);
        return Http.SendAsync(request, Stop);
    }
}
