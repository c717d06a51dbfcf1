using DroitsAmeli.Grains.Configuration;
using DroitsAmeli.Grains.Familles;
using DroitsAmeli.Grains.Logs;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Options;

namespace DroitsAmeli.Grains.Identites;

/// <summary>Registers what identities need.</summary>
public static class IdentiteRegistration
{
    /// <summary>
    /// Binds <c>Identities:*</c>; a key file that cannot be used stops the process at start. The references of the logs are derived from that key,
    /// so that they are the same on all silos.
    /// </summary>
    public static IServiceCollection AddIdentites(this IServiceCollection services, IConfiguration configuration)
    {
        services.AddSettings<IdentitiesOptions>(configuration, IdentitiesOptions.Section);
        services.AddSingleton<IValidateOptions<IdentitiesOptions>, KeyFileValidator>();
        services.AddSingleton<IdentiteKeys>();
        services.AddSingleton(provider => new LogReference(
            IdentiteKeys.Read(provider.GetRequiredService<IOptions<IdentitiesOptions>>().Value.HmacKeyFile!), provider.GetRequiredService<TimeProvider>()));
        services.AddSingleton<IdentiteIndex>();
        services.TryAddSingleton<Ordres>();
        return services;
    }

    private sealed class KeyFileValidator : IValidateOptions<IdentitiesOptions>
    {
        public ValidateOptionsResult Validate(string? name, IdentitiesOptions options)
        {
            if (string.IsNullOrEmpty(options.HmacKeyFile))
                return ValidateOptionsResult.Skip;
            try
            {
                IdentiteKeys.Read(options.HmacKeyFile);
                return ValidateOptionsResult.Success;
            }
            catch (SettingException refusal)
            {
                return ValidateOptionsResult.Fail(refusal.Message);
            }
        }
    }
}
