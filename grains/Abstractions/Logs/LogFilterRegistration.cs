using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Logging;

namespace DroitsAmeli.Grains.Logs;

/// <summary>Registers the filter of the logs.</summary>
public static class LogFilterRegistration
{
    /// <summary>
    /// Replaces personal grain keys (<see cref="GrainKeys"/>) in all that is logged by the process, by the references of the registered
    /// <see cref="LogReference"/>. Call it after logging was added.
    /// </summary>
    public static IServiceCollection AddLogFilter(this IServiceCollection services)
    {
        services.TryAddSingleton<LoggerFactory>();
        return services.Replace(ServiceDescriptor.Singleton<ILoggerFactory>(provider => new FilteredLoggerFactory(
            provider.GetRequiredService<LoggerFactory>(),
            new(provider.GetRequiredService<LogReference>, provider.GetRequiredService<TimeProvider>()))));
    }
}
