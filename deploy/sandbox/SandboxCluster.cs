using System.Globalization;
using DroitsAmeli.Api;
using DroitsAmeli.Grains.Configuration;
using DroitsAmeli.Silo;
using DroitsAmeli.Silo.Admin;
using DroitsAmeli.Simulators;
using DroitsAmeli.Simulators.FranceConnect;
using DroitsAmeli.Simulators.RegimeSi;
using Microsoft.Extensions.Configuration.Memory;

namespace DroitsAmeli.Sandbox;

/// <summary>
/// Everything in one process on loopback, talking real HTTP: the two simulators (unless the settings point elsewhere), one silo, and one
/// front end, whose port opens last.
/// </summary>
internal sealed class SandboxCluster : IAsyncDisposable
{
    private static readonly TimeSpan StopTimeout = TimeSpan.FromSeconds(8);

    private readonly List<WebApplication> hosts = [];
    private readonly DirectoryInfo folder = Directory.CreateTempSubdirectory("droits-sandbox-");
    private readonly Population population = new(new RegimeSiSimulatorOptions().Seed, new RegimeSiSimulatorOptions().Families, TimeProvider.System);
    private readonly SandboxSettings settings;
    private readonly string[] args;

    private SandboxCluster(SandboxSettings settings, string[] args) => (this.settings, this.args) = (settings, args);

    /// <summary>What a newcomer reads once everything answers.</summary>
    public string Welcome => SandboxWelcome.Text(settings);

    /// <summary>Starts everything, in the order in which each part needs the one before.</summary>
    /// <exception cref="SandboxException">A setting or a port keeps it from starting.</exception>
    public static async Task<SandboxCluster> Start(string[] args, CancellationToken cancellationToken)
    {
        var settings = new SandboxSettings(new ConfigurationBuilder().AddEnvironmentVariables().AddCommandLine(args).Build());
        var sandbox = new SandboxCluster(settings, args);
        try
        {
            await sandbox.StartAll(cancellationToken);
            return sandbox;
        }
        catch (Exception exception)
        {
            await sandbox.DisposeAsync();
            if ((StartFailure.Describe(exception) ?? (exception as SimulatorException)?.Message) is { } message)
                throw new SandboxException(message);
            throw;
        }
    }

    public async ValueTask DisposeAsync()
    {
        using var timeout = new CancellationTokenSource(StopTimeout);
        foreach (var host in Enumerable.Reverse(hosts))
        {
            try
            {
                await host.StopAsync(timeout.Token);
            }
            catch (OperationCanceledException)
            {
                // Out of time: the process ends, and everything with it.
            }
        }

        folder.Delete(recursive: true);
    }

    private async Task StartAll(CancellationToken cancellationToken)
    {
        var defaults = Defaults();
        var silo = Builder(defaults).AddSilo().Build();
        defaults["urls"] = Url(settings.ApiPort);
        var api = Builder(defaults).AddApi().Build();

        // All settings before anything starts: what a simulator makes of a wrong one would not name it.
        StartFailure.Validate(silo);
        StartFailure.Validate(api);
        silo.MapSiloHealth();
        silo.MapAdmin();
        api.UseApi();

        if (settings.SimulatesRegimeSi)
            await Start(SimulateRegimeSi(), cancellationToken);
        if (settings.SimulatesFranceConnect)
            await Start(SimulateFranceConnect(), cancellationToken);
        await Start(silo, cancellationToken);
        await Start(api, cancellationToken);
    }

    private Dictionary<string, string?> Defaults()
    {
        var (siloPort, gatewayPort) = SandboxSettings.FreePorts();
        var defaults = new Dictionary<string, string?>
        {
            ["Cluster:SiloPort"] = Text(siloPort),
            ["Cluster:GatewayPort"] = Text(gatewayPort),
            ["Admin:Urls"] = "http://127.0.0.1:0",
            ["Api:DrainSeconds"] = "0",
            ["Conventions:File"] = Partners.WriteConventions(folder.FullName),
            ["Identities:HmacKeyFile"] = SandboxKeys.WriteHmacKey(folder.FullName),
            ["FranceConnect:PrivateJwksFile"] = SandboxKeys.WritePrivateJwks(folder.FullName, settings.EncryptedResponseAlg),
            ["Logging:LogLevel:Default"] = settings.Verbose ? "Information" : "Warning",
            // The silo's listening address is announced at Information; what it warns of at start is the in-memory clustering.
            ["Logging:LogLevel:Orleans"] = settings.Verbose ? "Information" : "Error",
            ["Logging:LogLevel:Microsoft.Orleans"] = settings.Verbose ? "Information" : "Error",
            ["Logging:LogLevel:Polly"] = settings.Verbose ? "Warning" : "None",
        };
        if (settings.SimulatesRegimeSi)
            defaults["RegimeSi:BaseUrl"] = Url(settings.RegimeSiPort);
        if (settings.SimulatesFranceConnect)
        {
            defaults["FranceConnect:Issuer"] = Url(settings.FranceConnectPort) + "/api/v2";
            defaults["FranceConnect:ClientId"] = settings.ClientId;
            defaults["FranceConnect:ClientSecret"] = settings.ClientSecret;
        }

        return defaults;
    }

    private WebApplicationBuilder Builder(Dictionary<string, string?> defaults)
    {
        var builder = WebApplication.CreateBuilder(new WebApplicationOptions
        {
            Args = args,
            ApplicationName = typeof(SandboxCluster).Assembly.GetName().Name,
            ContentRootPath = AppContext.BaseDirectory,
            EnvironmentName = settings.Environment,
        });
        builder.Configuration.Sources.Insert(0, new MemoryConfigurationSource { InitialData = defaults });
        builder.Services.AddSingleton<IHostLifetime, StoppedBySandbox>();
        return builder;
    }

    private WebApplication SimulateRegimeSi() => RegimeSiSimulator.Create(
        new()
        {
            Port = settings.RegimeSiPort,
            AdminPort = settings.RegimeSiAdminPort,
            EnvironmentName = settings.Environment,
            Reglages = new() { Latency = new(MedianMs: 30, P99Ms: 200) },
        },
        population: population);

    private WebApplication SimulateFranceConnect()
    {
        var jwks = new Uri(Url(settings.ApiPort) + "/.well-known/jwks.json");
        return FranceConnectSimulator.Create(new()
        {
            Port = settings.FranceConnectPort,
            EnvironmentName = settings.Environment,
            ClientId = settings.ClientId,
            ClientSecret = settings.ClientSecret,
            SignedResponseAlg = settings.SignedResponseAlg,
            EncryptedResponseAlg = settings.EncryptedResponseAlg,
            DefaultServiceProvider = Partners.All[0].FranceConnectClient,
            JwksUri = () => jwks,
            FindPersona = id => population.FindPersona(id)?.Identite,
            PersonaIds = () => Personas.All.Select(persona => persona.Id),
        });
    }

    private async Task Start(WebApplication host, CancellationToken cancellationToken)
    {
        hosts.Add(host);
        await host.StartAsync(cancellationToken);
    }

    private static string Url(int port) => $"http://127.0.0.1:{Text(port)}";

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);

    private sealed class StoppedBySandbox : IHostLifetime
    {
        public Task WaitForStartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    }
}
