using System.Text;
using DroitsAmeli.Api.Callers;
using DroitsAmeli.Api.Documentation;
using DroitsAmeli.Api.Droits;
using DroitsAmeli.Api.FranceConnect;
using DroitsAmeli.Grains.Configuration;
using DroitsAmeli.Grains.Logs;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace DroitsAmeli.Api;

/// <summary>A front end: what it registers, and its pipeline.</summary>
public static class ApiHosting
{
    private const int LargestHeaders = 16 * 1024;
    internal const string DefaultUrl = "http://127.0.0.1:8080";
    private static readonly string[] CategoriesThatLogRequests =
    [
        "Microsoft.AspNetCore.Hosting.Diagnostics", "Microsoft.AspNetCore.Routing", "Microsoft.AspNetCore.Server.Kestrel",
        "Microsoft.AspNetCore.Diagnostics", "Microsoft.AspNetCore.Http",
    ];

    private static readonly string[] AddressSettings = ["urls", "http_ports", "https_ports", "Kestrel:Endpoints"];

    /// <summary>Adds the front end, with every setting validated at start.</summary>
    public static WebApplicationBuilder AddApi(this WebApplicationBuilder builder)
    {
        if (!AddressSettings.Any(setting => builder.Configuration.GetSection(setting).Exists()))
            builder.WebHost.UseUrls(DefaultUrl);
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.Limits.MaxRequestHeadersTotalSize = LargestHeaders;

            // Any byte may stand in a header: what a header may hold is judged by who reads it, and the answer is one of the contract.
            kestrel.RequestHeaderEncodingSelector = static _ => Encoding.Latin1;
        });

        // What a caller writes into a URL or a Host header may be a NIR, a name or a token: these categories would log it.
        foreach (var category in CategoriesThatLogRequests)
            builder.Logging.AddFilter(category, LogLevel.Warning);

        // To be asked and not to be ready is no error.
        builder.Logging.AddFilter("Microsoft.Extensions.Diagnostics.HealthChecks", LogLevel.None);

        builder.Services.TryAddSingleton(TimeProvider.System);
        builder.Services
            .AddCallers(builder.Configuration)
            .AddDroits(builder.Configuration)
            .AddPublicJwks(builder.Configuration)
            .AddApiHealth();

        // A front end has no key that the silos have: its references hold within one process.
        builder.Services.AddSingleton(provider => LogReference.OfThisProcess(provider.GetRequiredService<TimeProvider>()));
        builder.Services.AddLogFilter();
        builder.Services.AddListenAddresses(builder.Configuration, WebHostDefaults.ServerUrlsKey);
        builder.AddClusterClient();
        return builder;
    }

    /// <summary>Sets the pipeline up: everything outside the mapped paths is a problem of the contract.</summary>
    public static WebApplication UseApi(this WebApplication app)
    {
        app.UseCorrelationId();
        app.UseProblems();
        app.UseCallers();
        app.UseExactPaths();
        app.UseRouting();
        app.MapDroits();
        app.MapPublicJwks();
        app.MapDocumentation();
        app.MapApiHealth();
        return app;
    }
}
