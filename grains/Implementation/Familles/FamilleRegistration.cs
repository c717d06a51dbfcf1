using DroitsAmeli.Grains.Configuration;
using DroitsAmeli.Grains.Evenements;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace DroitsAmeli.Grains.Familles;

/// <summary>Registers what families need.</summary>
public static class FamilleRegistration
{
    /// <summary>The class of families' grains, by which the runtime's statistics count them.</summary>
    public const string GrainClass = nameof(FamilleGrain);

    /// <summary>Binds and validates <c>Freshness:*</c> and <c>Famille:*</c>.</summary>
    public static IServiceCollection AddFamilles(this IServiceCollection services, IConfiguration configuration)
    {
        services.AddSettings<FreshnessOptions>(configuration, FreshnessOptions.Section)
            .Validate(
                options => options.FreshMinutes < options.BehindMinutes && options.BehindMinutes <= options.MaximumHours * 60,
                "Freshness:FreshMinutes must be below Freshness:BehindMinutes, and that at most Freshness:MaximumHours.");
        services.AddSettings<FamilleOptions>(configuration, FamilleOptions.Section);
        services.TryAddSingleton<Ordres>();
        services.AddSingleton<RecentEvenements>();
        services.AddSingleton<AnnouncedRefreshes>();
        services.AddSingleton<FamilleDependencies>();
        services.AddSingleton<FamilleIndex>();
        services.AddSingleton<FamillesServiceClient>();
        services.AddGrainService<FamillesService>();
        return services;
    }
}
