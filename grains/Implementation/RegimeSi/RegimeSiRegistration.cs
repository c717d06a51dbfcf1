using DroitsAmeli.Grains.Clustering;
using DroitsAmeli.Grains.Configuration;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace DroitsAmeli.Grains.RegimeSi;

/// <summary>What a silo needs to ask the régime SI.</summary>
public static class RegimeSiRegistration
{
    /// <summary>
    /// Adds <see cref="RegimeSiClient"/> to a silo, and what caps its calls over the cluster. Reads the section <c>RegimeSi</c>; a wrong setting
    /// stops the process at start.
    /// </summary>
    public static IServiceCollection AddRegimeSi(this IServiceCollection services, IConfiguration configuration)
    {
        services.AddSettings<RegimeSiOptions>(configuration, RegimeSiOptions.Section)
            .Configure(options => options.Maintenance = Settings.ReadList(configuration, RegimeSiOptions.MaintenanceSetting));
        services.AddSingleton<IValidateOptions<RegimeSiOptions>, RegimeSiOptionsValidator>();
        services.TryAddSingleton(TimeProvider.System);
        services.AddSingleton<SiTransport>();
        services.AddSingleton<SiGate>();
        services.AddSingleton<RegimeSiClient>();

        services.AddSingleton<SiloDeaths>();
        services.AddSingleton<SlotsServiceClient>();
        services.AddSingleton(provider => CreateSlots(provider, provider.GetRequiredService<TimeProvider>()));
        services.AddGrainService<SlotsService>();
        return services;
    }

    /// <summary>This silo's slots, with leases on that clock.</summary>
    public static SiSlots CreateSlots(IServiceProvider provider, TimeProvider time)
    {
        var grains = provider.GetRequiredService<IGrainFactory>();
        var silos = provider.GetRequiredService<ISiloStatusOracle>();
        var stopping = provider.GetRequiredService<IHostApplicationLifetime>().ApplicationStopping;
        var options = provider.GetRequiredService<IOptions<RegimeSiOptions>>();
        return new SiSlots(
            provider.GetRequiredService<ILocalSiloDetails>().SiloAddress.ToParsableString(),
            Renew,
            options,
            time,
            provider.GetRequiredService<ILogger<SiSlots>>());

        // The last silo has nowhere left to find the keeper once it stops, and nobody whom it could serve.
        Task<SlotGrant> Renew(SlotRequest request) => stopping.IsCancellationRequested && !silos.HasOtherActiveSilo()
            ? Task.FromResult(new SlotGrant(0, options.Value.Lease))
            : grains.GetGrain<ISlotsGrain>(ISlotsGrain.Key).Renew(request);
    }
}
