using DroitsAmeli.Grains.Configuration;
using DroitsAmeli.Grains.Evenements;
using DroitsAmeli.Grains.Exploitation;
using DroitsAmeli.Grains.Familles;
using DroitsAmeli.Grains.FranceConnect;
using DroitsAmeli.Grains.Identites;
using DroitsAmeli.Grains.Logs;
using DroitsAmeli.Grains.RegimeSi;
using DroitsAmeli.Grains.Storage;
using DroitsAmeli.Silo.Admin;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace DroitsAmeli.Silo;

/// <summary>A silo: the grains, what they call, and a small web server for the operator.</summary>
public static class SiloHosting
{
    internal const string AdminUrlsSetting = "Admin:Urls";
    internal const string DefaultAdminUrls = "http://127.0.0.1:8090";

    /// <summary>Adds the silo, with every setting validated at start.</summary>
    public static WebApplicationBuilder AddSilo(this WebApplicationBuilder builder)
    {
        var configuration = builder.Configuration;
        builder.WebHost.UseUrls(configuration[AdminUrlsSetting] is { Length: > 0 } urls ? urls : DefaultAdminUrls);
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.AddServerHeader = false);

        var checks = builder.Environment.IsDevelopment();
        builder.Host.UseServiceProviderFactory(new AdminPortLast(new() { ValidateScopes = checks, ValidateOnBuild = checks }));

        // The runtime's placement logs each of its attempts.
        builder.Logging.AddFilter("Polly", LogLevel.Warning);

        // To be asked and not to be ready is no error.
        builder.Logging.AddFilter("Microsoft.Extensions.Diagnostics.HealthChecks", LogLevel.None);

        builder.Services.TryAddSingleton(TimeProvider.System);
        builder.Services
            .AddSnapshots(configuration)
            .AddFamilles(configuration)
            .AddIdentites(configuration)
            .AddFranceConnect(configuration)
            .AddRegimeSi(configuration)
            .AddEvenements(configuration)
            .AddExploitation()
            .AddAdmin(configuration);
        builder.Services.AddSiloHealth();
        builder.Services.AddLogFilter();
        builder.Services.AddListenAddresses(configuration, AdminUrlsSetting);

        builder.AddClustering();
        return builder;
    }
}
