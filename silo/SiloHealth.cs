using Microsoft.AspNetCore.Diagnostics.HealthChecks;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace DroitsAmeli.Silo;

/// <summary>Live, ready and startup of a silo: ready is Active and not stopping.</summary>
public static class SiloHealth
{
    private const string Ready = "ready";

    /// <summary>Registers the check.</summary>
    public static IServiceCollection AddSiloHealth(this IServiceCollection services)
    {
        services.AddHealthChecks().AddCheck<SiloReady>("silo", tags: [Ready]);
        return services;
    }

    /// <summary>Maps <c>/health/live|ready|startup</c>.</summary>
    public static void MapSiloHealth(this WebApplication app)
    {
        Map("/health/live", _ => false);
        Map("/health/startup", check => check.Tags.Contains(Ready));
        Map("/health/ready", check => check.Tags.Contains(Ready));

        void Map(string path, Func<HealthCheckRegistration, bool> asked) => app
            .MapHealthChecks(path, new HealthCheckOptions { Predicate = asked })
            .WithMetadata(new HttpMethodMetadata([HttpMethods.Get, HttpMethods.Head]));
    }

    private sealed class SiloReady(ISiloStatusOracle silo, IHostApplicationLifetime lifetime) : IHealthCheck
    {
        public Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default) =>
            Task.FromResult(
                silo.CurrentStatus is SiloStatus.Active && !lifetime.ApplicationStopping.IsCancellationRequested
                    ? HealthCheckResult.Healthy()
                    : HealthCheckResult.Unhealthy($"The silo is {silo.CurrentStatus}."));
    }
}
