using DroitsAmeli.Grains.Configuration;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace DroitsAmeli.Grains.Evenements;

/// <summary>Registers what follows the régime SI's change feed.</summary>
public static class EvenementsRegistration
{
    /// <summary>Binds and validates <c>Evenements:*</c>; needs <c>AddRegimeSi</c>, <c>AddFamilles</c> and <c>AddSnapshots</c> beside it.</summary>
    public static IServiceCollection AddEvenements(this IServiceCollection services, IConfiguration configuration)
    {
        services.AddSettings<EvenementsOptions>(configuration, EvenementsOptions.Section);
        services.AddSingleton<EvenementsClient>();
        services.AddSingleton<EvenementsStore>();
        services.TryAddSingleton<RecentEvenements>();
        services.AddSingleton<ILifecycleParticipant<ISiloLifecycle>, EvenementsUpkeep>();
        return services;
    }
}
