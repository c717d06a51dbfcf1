using System.Security.Cryptography;
using DroitsAmeli.Api;
using DroitsAmeli.Grains.Configuration;
using DroitsAmeli.Silo;
using DroitsAmeli.Silo.Admin;
using DroitsAmeli.Tests.Rules.Links;
using DroitsAmeli.Tests.Storage;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace DroitsAmeli.Tests.Deployment;

/// <summary>Builds a process from the variables that a deployment gives it, and checks its settings as it would at start.</summary>
internal static class StartOf
{
    private const string Database = "Host=database.example;Username=droits;Password=secret;Database=droits";

    /// <summary>A silo. Files and secrets that a deployment only names are those of the test.</summary>
    /// <returns>The paths it answers at.</returns>
    public static Task<IReadOnlyList<string>> Silo(IReadOnlyDictionary<string, string?> variables) => Of(
        variables,
        ca => ca.Silo(),
        builder => builder.AddSilo(),
        app =>
        {
            app.MapSiloHealth();
            app.MapAdmin();
        });

    /// <inheritdoc cref="Silo"/>
    public static Task<IReadOnlyList<string>> FrontEnd(IReadOnlyDictionary<string, string?> variables) =>
        Of(variables, ca => ca.FrontEnd(), builder => builder.AddApi(), app => app.UseApi());

    private static async Task<IReadOnlyList<string>> Of(
        IReadOnlyDictionary<string, string?> variables, Func<TestCa, TestCertificate> issue, Action<WebApplicationBuilder> add, Action<WebApplication> map)
    {
        using var files = new ClusterFiles();
        using var ca = new TestCa(TimeProvider.System.GetUtcNow());
        using var tls = new TlsFiles(issue(ca), ca.Root);
        var key = Convert.ToBase64String(RandomNumberGenerator.GetBytes(32));
        var given = new Dictionary<string, string?>(variables.Select(one => KeyValuePair.Create(one.Key.Replace("__", ":", StringComparison.Ordinal), one.Value)));
        var ours = new Dictionary<string, string>
        {
            ["Cluster:ConnectionString"] = Database,
            ["Storage:ConnectionString"] = Database,
            ["FranceConnect:ClientSecret"] = "secret",
            ["RegimeSi:ApiKey"] = "secret",
            ["Admin:KeysSha256"] = new('a', 64),
            ["Identities:HmacKeyFile"] = files.HmacKey,
            ["FranceConnect:PrivateJwksFile"] = files.PrivateJwks,
            ["FranceConnect:PublicJwksFile"] = files.PublicJwks,
            ["Conventions:File"] = files.Conventions,
            ["Storage:KeysFile"] = files.Write("storage.keys.json", $$"""{ "active": "1", "keys": { "1": "{{key}}" } }"""),
        };
        foreach (var (name, value) in tls.Settings)
            ours[name] = value;
        foreach (var name in given.Keys.Where(ours.ContainsKey).ToList())
            given[name] = ours[name];
        if (given.ContainsKey("Cluster:AdvertisedIPAddress"))
            given["Cluster:AdvertisedIPAddress"] = "192.0.2.1";

        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        foreach (var (name, value) in given)
            builder.Configuration[name] = value;
        try
        {
            add(builder);
            await using var app = builder.Build();
            StartFailure.Validate(app);
            map(app);
            return [.. ((IEndpointRouteBuilder)app).DataSources.SelectMany(source => source.Endpoints).OfType<RouteEndpoint>().Select(endpoint => endpoint.RoutePattern.RawText!)];
        }
        catch (OptionsValidationException exception)
        {
            Assert.Fail(StartFailure.Describe(exception)!);
            throw;
        }
    }
}
