using System.Net;
using System.Text.Json;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;

namespace DroitsAmeli.Simulators.FranceConnect;

/// <summary>
/// FranceConnect (v2) as a data provider sees it, plus <c>/sandbox</c> routes to mint tokens, count calls and cause faults. Loopback only.
/// </summary>
public static class FranceConnectSimulator
{
    private const string BasePath = "/api/v2";

    /// <summary>Makes the simulator; nothing listens before it is started.</summary>
    /// <exception cref="SimulatorException">The environment is explicitly Production, the port is none, or an algorithm is unknown.</exception>
    public static WebApplication Create(FranceConnectSimulatorOptions options)
    {
        SimulatorEnvironment.Refuse(options.EnvironmentName, "FranceConnect");
        if (options.Port is < 0 or > 65535)
            throw new SimulatorException($"{FranceConnectSimulatorOptions.Section}:Port must lie between 0 and 65535.");
        if (options.SignedResponseAlg is not ("ES256" or "RS256") || options.EncryptedResponseAlg is not ("ECDH-ES" or "RSA-OAEP-256" or "RSA-OAEP"))
            throw new SimulatorException("The FranceConnect simulator signs with ES256 or RS256 and encrypts with ECDH-ES, RSA-OAEP-256 or RSA-OAEP.");

        // An empty builder: no settings file or variable can add an address beside the loopback one.
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions { EnvironmentName = options.EnvironmentName ?? "Sandbox" });
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.Listen(IPAddress.Loopback, options.Port);
        });
        builder.Services.AddRoutingCore();
        builder.Services.Configure<HostOptions>(host => host.ShutdownTimeout = TimeSpan.FromSeconds(2));
        builder.Services.AddSingleton(_ => new HttpClient(
            new SocketsHttpHandler { UseProxy = false, AllowAutoRedirect = false, PooledConnectionLifetime = TimeSpan.FromMinutes(1) })
        {
            Timeout = TimeSpan.FromSeconds(5),
        });
        builder.Services.AddSingleton(options);
        builder.Services.AddSingleton(new Jetons(options.Time, options.MaximumTokens));
        builder.Services.AddSingleton<SigningKeyRing>().AddSingleton<DataProviderKeys>().AddSingleton<ReglagesCourants>()
            .AddSingleton<Compteurs>().AddSingleton<Checktoken>().AddSingleton<SandboxJetons>();
        var app = builder.Build();
        MapFranceConnect(app);
        MapSandbox(app);
        return app;
    }

    /// <summary>The issuer of a started simulator, without trailing slash.</summary>
    public static string IssuerOf(WebApplication simulator) =>
        simulator.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.Single().TrimEnd('/') + BasePath;

    private static void MapFranceConnect(WebApplication app)
    {
        app.MapPost(BasePath + "/checktoken", (Checktoken checktoken, HttpContext context) => checktoken.Answer(context, IssuerOf(app)));
        app.MapGet(BasePath + "/jwks", (ReglagesCourants reglages, SigningKeyRing ring) => reglages.Current.JwksEnPanne
            ? Results.StatusCode(StatusCodes.Status503ServiceUnavailable)
            : Results.Text(ring.PublicSet().ToJsonString(), "application/jwk-set+json"));
    }

    private static void MapSandbox(WebApplication app)
    {
        var sandbox = app.MapGroup("/sandbox");
        sandbox.MapPost("/jetons", (SandboxJetons jetons, HttpRequest request) => jetons.Issue(request));
        sandbox.MapPost("/jetons/lot", (SandboxJetons jetons, HttpRequest request) => jetons.IssueMany(request));
        sandbox.MapPost("/revocations", (SandboxJetons jetons, HttpRequest request) => jetons.Revoke(request));
        sandbox.MapGet("/compteurs", (Compteurs compteurs) => Results.Json(compteurs.Read()));
        sandbox.MapDelete("/compteurs", (Compteurs compteurs) =>
        {
            compteurs.Reset();
            return Results.NoContent();
        });
        sandbox.MapPost("/cles/rotation", (SigningKeyRing ring, bool garder = true) =>
        {
            ring.Rotate(garder);
            return Results.NoContent();
        });
        sandbox.MapGet("/reglages", (ReglagesCourants reglages) => Results.Json(reglages.Current));
        sandbox.MapPut("/reglages", (ReglagesCourants reglages, HttpContext context) => SetReglages(context, reglages));
    }

    private static async Task<IResult> SetReglages(HttpContext context, ReglagesCourants reglages)
    {
        try
        {
            var wanted = await JsonSerializer.DeserializeAsync<Reglages>(context.Request.Body, ReglagesJson, context.RequestAborted);
            if (wanted is null or { LatenceMs: < 0 } or { Nombre: < 0 })
                return SandboxJetons.Wrong("faute, nombre (≥ 0), latence_ms (≥ 0), jwks_en_panne.");
            reglages.Set(wanted);
            return Results.Json(wanted);
        }
        catch (JsonException)
        {
            return SandboxJetons.Wrong("Réglages inconnus ou mal formés : faute, nombre, latence_ms, jwks_en_panne.");
        }
    }

    private static readonly JsonSerializerOptions ReglagesJson = new(JsonSerializerDefaults.Web)
    {
        UnmappedMemberHandling = System.Text.Json.Serialization.JsonUnmappedMemberHandling.Disallow,
    };
}
