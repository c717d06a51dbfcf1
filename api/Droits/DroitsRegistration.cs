using DroitsAmeli.Grains.Configuration;

namespace DroitsAmeli.Api.Droits;

/// <summary>Registers what the seven resources need.</summary>
public static class DroitsRegistration
{
    /// <summary>Binds and validates the settings of the resources.</summary>
    public static IServiceCollection AddDroits(this IServiceCollection services, IConfiguration configuration)
    {
        services.AddSettings<ApiOptions>(configuration, ApiOptions.Section);
        services.AddOptions<RegimesOptions>()
            .Configure(options => options.Heberges = Settings.ReadList(configuration, RegimesOptions.HebergesSetting))
            .Validate(options => !options.Heberges.Any(string.IsNullOrWhiteSpace), $"{RegimesOptions.HebergesSetting} holds an empty name.")
            .ValidateOnStart();
        services.AddSingleton<Problems>();
        services.AddSingleton<Admission>();
        services.AddSingleton<GrainCalls>();
        services.AddSingleton<FranceConnectChecks>();
        services.AddSingleton<DroitsHandler>();
        return services;
    }
}
