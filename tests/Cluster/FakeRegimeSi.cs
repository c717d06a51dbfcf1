using System.Collections.Concurrent;
using System.Net;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace DroitsAmeli.Tests.Cluster;

/// <summary>A régime SI over real HTTP whose answers a test sets, family by family, and which counts what it is asked.</summary>
public sealed class FakeRegimeSi : IAsyncDisposable
{
    private static readonly JsonSerializerOptions Readable = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    private readonly ConcurrentDictionary<string, FakeFamille> familles = new();
    private readonly ConcurrentDictionary<string, (int Status, string? Body)> identities = new();
    private readonly ConcurrentQueue<string> calls = new();
    private readonly ConcurrentQueue<string> unchanged = new();
    private TaskCompletionSource? identificationGate;
    private readonly WebApplication app;

    private FakeRegimeSi(WebApplication app) => this.app = app;

    public string BaseUrl => app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.Single();

    public static async Task<FakeRegimeSi> Start()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0));
        var app = builder.Build();
        var si = new FakeRegimeSi(app);
        app.MapPost("/si/v1/identifications", si.Identify);
        app.MapGet("/si/v1/familles/{famille}", (HttpContext context, string famille) => si.Answer(context, famille, null));
        app.MapGet("/si/v1/familles/{famille}/droits", (HttpContext context, string famille) => si.Answer(context, famille, context.Request.Headers["nir"].ToString()));
        await app.StartAsync();
        return si;
    }

    /// <summary>The family of that id, made at first mention.</summary>
    public FakeFamille Famille(string id) => familles.GetOrAdd(id, _ => new FakeFamille(id));

    /// <summary>What an identification by that family name answers.</summary>
    public void Identity(string familyName, int status, string? famille = null, string? nir = null) =>
        identities[familyName] = (status, famille is null ? null : $$"""{ "famille": "{{famille}}", "nir": "{{nir}}" }""");

    /// <summary>Holds identifications back, with the answer they would get now, until <see cref="ReleaseIdentifications"/>.</summary>
    public void HoldIdentifications() => identificationGate = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public void ReleaseIdentifications() => Interlocked.Exchange(ref identificationGate, null)?.TrySetResult();

    /// <summary>How often a call was made: <c>familles/F1</c>, <c>droits/F1</c>, <c>identifications/NAME</c>.</summary>
    public int Count(string call) => calls.Count(made => made == call);

    /// <summary>How often a call was answered with 304.</summary>
    public int Unchanged(string call) => unchanged.Count(made => made == call);

    public async ValueTask DisposeAsync()
    {
        foreach (var famille in familles.Values)
            famille.Release();
        ReleaseIdentifications();
        await app.DisposeAsync();
    }

    private async Task Identify(HttpContext context)
    {
        var request = await JsonNode.ParseAsync(context.Request.Body);
        var name = request!["family_name"]!.GetValue<string>();
        var (status, body) = identities.GetValueOrDefault(name, (404, null));
        calls.Enqueue("identifications/" + name);
        if (identificationGate is { } gate)
            await gate.Task.WaitAsync(context.RequestAborted);
        context.Response.StatusCode = status;
        if (status == 422)
            await context.Response.WriteAsync("""{ "regime": "02" }""");
        else if (body is not null)
            await context.Response.WriteAsync(body);
    }

    private async Task Answer(HttpContext context, string id, string? nir)
    {
        calls.Enqueue((nir is null ? "familles/" : "droits/") + id);
        var famille = Famille(id);
        var version = nir is null ? famille.Version : famille.DroitsVersion ?? famille.Version;
        await famille.Gate(nir is null, context.RequestAborted);
        if (famille.Status != 200)
        {
            context.Response.StatusCode = famille.Status;
            if (famille.RetryAfterSeconds is { } seconds)
                context.Response.Headers.RetryAfter = $"{seconds}";
            return;
        }

        if (context.Request.Headers.IfNoneMatch == $"\"{version}\"")
        {
            unchanged.Enqueue((nir is null ? "familles/" : "droits/") + id);
            context.Response.StatusCode = 304;
            return;
        }

        var body = nir is null ? famille.Composition(version) : famille.Droits(version, nir);
        if (body is null)
            context.Response.StatusCode = 404;
        else
            await context.Response.WriteAsync(body.ToJsonString(Readable));
    }
}

/// <summary>One family of the fake SI.</summary>
public sealed class FakeFamille(string id)
{
    private readonly List<JsonObject> membres = [];
    private TaskCompletionSource? compositionGate;
    private TaskCompletionSource? droitsGate;

    public string Id => id;

    public long Version { get; set; } = 1;

    /// <summary>Null: the same as the composition's.</summary>
    public long? DroitsVersion { get; set; }

    public int Status { get; set; } = 200;

    /// <summary>Sent with a status other than 200.</summary>
    public int? RetryAfterSeconds { get; set; }

    /// <summary>The rights of the members are 404.</summary>
    public bool SansDroits { get; set; }

    /// <summary>The name of everybody's caisse.</summary>
    public string Caisse { get; set; } = "CPAM";

    /// <summary>The last day of everybody's rights.</summary>
    public DateOnly FinDroits { get; set; } = new(2027, 6, 30);

    public FakeFamille With(string nir, string qualite = "assure", string birth = "1980-01-05", bool presences = true, Action<JsonObject>? change = null)
    {
        var membre = new JsonObject
        {
            ["nir"] = nir,
            ["nom_famille"] = "MARTIN",
            ["prenom"] = "CAMILLE",
            ["qualite"] = qualite,
            ["date_naissance"] = birth,
            ["rang_naissance"] = 1,
        };
        if (presences)
            membre["presences"] = new JsonObject { ["amc"] = new JsonArray(), ["medecin_traitant"] = new JsonArray() };
        change?.Invoke(membre);
        membres.Add(membre);
        return this;
    }

    public void Remove(string nir) => membres.RemoveAll(membre => membre["nir"]!.GetValue<string>() == nir);

    /// <summary>Holds answers of this family back, in the version of when they were asked for, until <see cref="Release"/>.</summary>
    public void Hold(bool composition = true, bool droits = true)
    {
        if (composition)
            compositionGate = new(TaskCreationOptions.RunContinuationsAsynchronously);
        if (droits)
            droitsGate = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }

    public void Release()
    {
        Interlocked.Exchange(ref compositionGate, null)?.TrySetResult();
        Interlocked.Exchange(ref droitsGate, null)?.TrySetResult();
    }

    internal Task Gate(bool composition, CancellationToken cancellationToken) =>
        (composition ? compositionGate : droitsGate)?.Task.WaitAsync(cancellationToken) ?? Task.CompletedTask;

    internal JsonObject Composition(long version) => new()
    {
        ["famille"] = id,
        ["version"] = version,
        ["beneficiaires"] = new JsonArray([.. membres.Select(membre => membre.DeepClone())]),
    };

    internal JsonObject? Droits(long version, string nir) => SansDroits || membres.All(membre => membre["nir"]!.GetValue<string>() != nir)
        ? null
        : new()
        {
            ["famille"] = id,
            ["nir"] = nir,
            ["version"] = version,
            ["caisse"] = new JsonObject { ["id"] = "01261", ["grandRegime"] = "01", ["libelle"] = Caisse },
            ["contrats"] = new JsonArray(new JsonObject
            {
                ["nature_assurance"] = "AMC",
                ["details"] = new JsonObject { ["code_type_contrat"] = "C2S", ["libelle_type_contrat"] = "C2S" },
                ["date_debut"] = "2026-01-01",
                ["periodes_droits"] = new JsonArray(new JsonObject { ["date_debut"] = "2026-01-01", ["date_fin"] = $"{FinDroits:yyyy-MM-dd}" }),
            }),
            ["exonerations"] = new JsonArray(),
            ["medecins_traitants"] = new JsonArray(),
        };
}
