using System.Buffers.Text;
using System.Collections.Concurrent;
using System.Net;
using System.Net.Http.Json;
using System.Security.Cryptography;
using System.Text.Json.Nodes;
using DroitsAmeli.Grains.FranceConnect;
using DroitsAmeli.Simulators;
using DroitsAmeli.Simulators.FranceConnect;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace DroitsAmeli.Tests.Cluster.FranceConnect;

/// <summary>The FranceConnect simulator on the cluster's clock, our keys, and whoever the tests make known to it.</summary>
public sealed class SimulatedFranceConnect : IAsyncDisposable
{
    private const string Alg = "ECDH-ES";
    private const string ClientId = "droits-ameli";
    private const string ClientSecret = "un-secret-de-test";

    private readonly ConcurrentDictionary<string, IdentiteFranceConnect> people = new();
    private readonly string keyFile = Path.GetTempFileName();
    private WebApplication ours = null!;
    private WebApplication simulator = null!;
    private HttpClient sandbox = null!;

    /// <summary>The section a silo needs to ask this FranceConnect.</summary>
    public Dictionary<string, string?> Settings => new()
    {
        ["FranceConnect:Issuer"] = FranceConnectSimulator.IssuerOf(simulator),
        ["FranceConnect:ClientId"] = ClientId,
        ["FranceConnect:ClientSecret"] = ClientSecret,
        ["FranceConnect:EncryptedResponseAlg"] = Alg,
        ["FranceConnect:PrivateJwksFile"] = keyFile,
    };

    public static async Task<SimulatedFranceConnect> Start(TimeProvider time)
    {
        var made = new SimulatedFranceConnect();
        var keys = NewKeys();
        await File.WriteAllBytesAsync(made.keyFile, keys);

        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0));
        made.ours = builder.Build();
        var published = PublicJwkSet.Render(keys, Alg);
        made.ours.MapGet("/jwks.json", () => Results.Bytes(published, "application/jwk-set+json"));
        await made.ours.StartAsync();

        made.simulator = FranceConnectSimulator.Create(new()
        {
            ClientId = ClientId,
            ClientSecret = ClientSecret,
            JwksUri = () => new Uri(made.ours.Urls.Single() + "/jwks.json"),
            DefaultServiceProvider = "fs-chu",
            FindPersona = id => made.people.GetValueOrDefault(id),
            PersonaIds = () => made.people.Keys,
            EnvironmentName = "Sandbox",
            Time = time,
        });
        await made.simulator.StartAsync();
        made.sandbox = new HttpClient { BaseAddress = new Uri(made.simulator.Urls.Single()) };
        return made;
    }

    /// <summary>Makes a person known and mints a token for them.</summary>
    public async Task<string> Mint(IdentiteFranceConnect person, int expiresIn = 60)
    {
        var id = Guid.NewGuid().ToString("N");
        people[id] = person;
        using var response = await sandbox.PostAsJsonAsync("/sandbox/jetons", new { persona = id, expires_in = expiresIn });
        response.EnsureSuccessStatusCode();
        return (await response.Content.ReadFromJsonAsync<JsonObject>())!["access_token"]!.GetValue<string>();
    }

    /// <summary>Sets the simulator's switches, for instance <c>{"faute":"erreur_500","nombre":1}</c>; <c>{}</c> is normal.</summary>
    public async Task Adjust(string reglages)
    {
        using var response = await sandbox.PutAsync("/sandbox/reglages", new StringContent(reglages));
        response.EnsureSuccessStatusCode();
    }

    /// <summary>How many checktokens the simulator was asked since it started.</summary>
    public async Task<int> Checktokens() => (await sandbox.GetFromJsonAsync<JsonObject>("/sandbox/compteurs"))!["checktoken"]!.GetValue<int>();

    public async ValueTask DisposeAsync()
    {
        sandbox.Dispose();
        await simulator.DisposeAsync();
        await ours.DisposeAsync();
        File.Delete(keyFile);
    }

    private static byte[] NewKeys()
    {
        using var ec = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var key = ec.ExportParameters(true);
        return JsonContentOf(new()
        {
            ["keys"] = new JsonArray(new JsonObject
            {
                ["kty"] = "EC",
                ["crv"] = "P-256",
                ["use"] = "enc",
                ["alg"] = Alg,
                ["kid"] = "ours",
                ["x"] = Base64Url.EncodeToString(key.Q.X),
                ["y"] = Base64Url.EncodeToString(key.Q.Y),
                ["d"] = Base64Url.EncodeToString(key.D),
            }),
        });
    }

    private static byte[] JsonContentOf(JsonObject json) => System.Text.Encoding.UTF8.GetBytes(json.ToJsonString());
}
