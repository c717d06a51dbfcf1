using System.Net;
using System.Net.Http.Json;
using System.Net.Sockets;
using System.Text.Json.Nodes;
using DroitsAmeli.Api;
using DroitsAmeli.Silo;
using DroitsAmeli.Silo.Admin;
using DroitsAmeli.Simulators;
using DroitsAmeli.Simulators.FranceConnect;
using DroitsAmeli.Simulators.RegimeSi;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Xunit;

namespace DroitsAmeli.Tests.Api;

/// <summary>
/// The whole product in the test process, wired by settings alone and talking real HTTP: both simulators, one silo, and one front end.
/// </summary>
public abstract class Bench(IReadOnlyDictionary<string, string?>? settings = null, bool rsa = false) : IAsyncLifetime
{
    private const string ClientId = "droits-ameli-tests";
    private const string ClientSecret = "secret-des-tests";

    private readonly List<WebApplication> hosts = [];
    private readonly DirectoryInfo folder = Directory.CreateTempSubdirectory("droits-tests-api-");
    private readonly IReadOnlyDictionary<string, string?> settings = settings ?? new Dictionary<string, string?>();
    private Population? population;

    public RunningClock Clock { get; } = new();

    /// <summary>What the silo and the front end have logged.</summary>
    public LogSink Logs { get; } = new();

    public Uri ApiUrl { get; private set; } = null!;

    /// <summary>The silo's port for operators.</summary>
    public Uri AdminUrl { get; private set; } = null!;

    public HttpClient Api { get; private set; } = null!;

    public HttpClient FranceConnect { get; private set; } = null!;

    public HttpClient RegimeSi { get; private set; } = null!;

    public string ConventionsFile => Path.Combine(folder.FullName, "conventions.json");

    public static CancellationToken Stop => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        population = new Population(new RegimeSiSimulatorOptions().Seed, 100_000, Clock);
        var regimeSi = RegimeSiSimulator.Create(new() { Port = 0, EnvironmentName = "Tests" }, Clock, population);
        await Start(regimeSi);
        RegimeSi = new() { BaseAddress = RegimeSiSimulator.BaseUrl(regimeSi) };

        var franceConnect = FranceConnectSimulator.Create(new()
        {
            Port = 0,
            EnvironmentName = "Tests",
            ClientId = ClientId,
            ClientSecret = ClientSecret,
            SignedResponseAlg = rsa ? "RS256" : "ES256",
            EncryptedResponseAlg = rsa ? "RSA-OAEP-256" : "ECDH-ES",
            DefaultServiceProvider = TestPartners.Chu.Client,
            JwksUri = () => new Uri(ApiUrl, "/.well-known/jwks.json"),
            FindPersona = id => population.FindPersona(id)?.Identite,
            PersonaIds = () => Personas.All.Select(persona => persona.Id),
            Time = Clock,
        });
        await Start(franceConnect);
        var issuer = FranceConnectSimulator.IssuerOf(franceConnect);
        FranceConnect = new() { BaseAddress = new Uri(issuer) };

        await WriteConventions(TestPartners.Conventions());
        var configuration = Settings(issuer);
        var silo = Builder(configuration).AddSilo().Build();
        silo.MapSiloHealth();
        silo.MapAdmin();
        await Start(silo);
        AdminUrl = new(silo.Urls.Single());

        var api = Builder(configuration).AddApi().Build();
        api.UseApi();
        await Start(api);
        ApiUrl = new(api.Urls.Single());
        Api = new(new SocketsHttpHandler { UseProxy = false }) { BaseAddress = ApiUrl };
        await WarmUp();
    }

    public async ValueTask DisposeAsync()
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(10), TimeProvider.System);
        foreach (var host in Enumerable.Reverse(hosts))
        {
            await host.StopAsync(patience.Token);
            await host.DisposeAsync();
        }

        foreach (var client in new[] { Api, FranceConnect, RegimeSi })
            client?.Dispose();
        folder.Delete(recursive: true);
        GC.SuppressFinalize(this);
    }

    /// <summary>A fresh token.</summary>
    public async Task<string> Token(
        string persona, TestPartner? partner = null, string scope = "droits_assurance_maladie", string acr = "eidas1", int lifetime = 60)
    {
        var wanted = new JsonObject
        {
            ["persona"] = persona,
            ["client_id"] = (partner ?? TestPartners.Chu).Client,
            ["scope"] = scope,
            ["acr"] = acr,
            ["expires_in"] = lifetime,
        };
        using var response = await FranceConnect.PostAsJsonAsync("/sandbox/jetons", wanted, Stop);
        response.EnsureSuccessStatusCode();
        return (await response.Content.ReadFromJsonAsync<JsonNode>(Stop))!["access_token"]!.GetValue<string>();
    }

    /// <summary>The persona's family as the SI knows it.</summary>
    public FamilleSimulee Famille(string persona) =>
        population!.Match(IdentiteDemandee.Of(population.FindPersona(persona)!.Identite)).Single().Famille;

    /// <summary>The NIR of a member of the persona's family, by first name; of the persona when none is given.</summary>
    public string Nir(string persona, string? prenom = null) => prenom is null
        ? population!.Match(IdentiteDemandee.Of(population.FindPersona(persona)!.Identite)).Single().Membre.Beneficiaire.Nir!
        : Famille(persona).Membres.Single(membre => membre.Beneficiaire.Prenom == prenom).Beneficiaire.Nir!;

    public Task<Asked> FranceConnectAsked() => Counters(FranceConnect);

    public Task<Asked> RegimeSiAsked() => Counters(RegimeSi);

    /// <summary>Switches of the FranceConnect simulator; none puts it back to normal.</summary>
    public Task SetFranceConnect(string reglages = "{}") => Set(FranceConnect, reglages);

    /// <summary>Switches of the régime SI simulator; none puts it back to normal.</summary>
    public Task SetRegimeSi(string reglages = "{}") => Set(RegimeSi, reglages);

    public Task WriteConventions(JsonArray conventions) => WriteConventions(conventions.ToJsonString());

    public async Task WriteConventions(string content)
    {
        var beside = ConventionsFile + ".new";
        await File.WriteAllTextAsync(beside, content, Stop);
        File.Move(beside, ConventionsFile, overwrite: true);
    }

    // The first call of a process compiles half of it, which on a busy machine takes longer than the time-outs of some benches.
    private async Task WarmUp()
    {
        Answer answer;
        var tries = 0;
        do
        {
            var call = new Call { Token = await Token("famille-1", acr: "eidas3") };
            answer = await (call with { Root = settings.GetValueOrDefault("Api:PathPrefix") + call.Root }).Send(this);
        }
        while (answer.Status >= 500 && ++tries < 20);
        answer.Ok();
    }

    private static async Task<Asked> Counters(HttpClient simulator) =>
        (await simulator.GetFromJsonAsync<Asked>("/sandbox/compteurs", Stop))!;

    private static async Task Set(HttpClient simulator, string reglages)
    {
        using var content = new StringContent(reglages);
        using var response = await simulator.PutAsync("/sandbox/reglages", content, Stop);
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
    }

    private Dictionary<string, string?> Settings(string issuer)
    {
        var (siloPort, gatewayPort) = FreePorts();
        var configuration = new Dictionary<string, string?>
        {
            ["urls"] = "http://127.0.0.1:0",
            ["Admin:Urls"] = "http://127.0.0.1:0",
            ["Api:DrainSeconds"] = "0",
            ["Cluster:SiloPort"] = $"{siloPort}",
            ["Cluster:GatewayPort"] = $"{gatewayPort}",
            ["Conventions:File"] = ConventionsFile,
            ["Identities:HmacKeyFile"] = TestKeys.WriteHmacKey(folder.FullName),
            ["FranceConnect:Issuer"] = issuer,
            ["FranceConnect:ClientId"] = ClientId,
            ["FranceConnect:ClientSecret"] = ClientSecret,
            ["FranceConnect:PrivateJwksFile"] = TestKeys.WritePrivateJwks(folder.FullName, rsa),
            ["FranceConnect:SignedResponseAlg"] = rsa ? "RS256" : "ES256",
            ["FranceConnect:EncryptedResponseAlg"] = rsa ? "RSA-OAEP-256" : "ECDH-ES",
            ["RegimeSi:BaseUrl"] = RegimeSi.BaseAddress!.ToString(),
        };
        foreach (var (name, value) in settings)
            configuration[name] = value;
        return configuration;
    }

    private WebApplicationBuilder Builder(Dictionary<string, string?> configuration)
    {
        var builder = WebApplication.CreateBuilder(new WebApplicationOptions
        {
            ContentRootPath = AppContext.BaseDirectory,
            EnvironmentName = "Tests",
        });
        builder.Configuration.AddInMemoryCollection(configuration);
        builder.Logging.ClearProviders().AddProvider(Logs);
        builder.Services.AddSingleton<TimeProvider>(Clock);
        builder.Services.AddSingleton<IHostLifetime, StoppedByBench>();
        return builder;
    }

    private async Task Start(WebApplication host)
    {
        hosts.Add(host);
        await host.StartAsync(Stop);
    }

    private static (int Silo, int Gateway) FreePorts()
    {
        using var silo = new TcpListener(IPAddress.Loopback, 0);
        using var gateway = new TcpListener(IPAddress.Loopback, 0);
        silo.Start();
        gateway.Start();
        return (((IPEndPoint)silo.LocalEndpoint).Port, ((IPEndPoint)gateway.LocalEndpoint).Port);
    }

    private sealed class StoppedByBench : IHostLifetime
    {
        public Task WaitForStartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    }
}

/// <summary>What a simulator was asked so far.</summary>
public sealed record Asked
{
    public long Checktoken { get; init; }
    public long Identifications { get; init; }
    public long Familles { get; init; }
    public long Droits { get; init; }

    public static Asked operator -(Asked after, Asked before) => new()
    {
        Checktoken = after.Checktoken - before.Checktoken,
        Identifications = after.Identifications - before.Identifications,
        Familles = after.Familles - before.Familles,
        Droits = after.Droits - before.Droits,
    };

    public static Asked Subtract(Asked left, Asked right) => left - right;
}
