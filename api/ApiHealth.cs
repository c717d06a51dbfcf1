using Microsoft.AspNetCore.Diagnostics.HealthChecks;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace DroitsAmeli.Api;

/// <summary>Live, ready and startup of a front end: ready is at least one gateway, and not stopping.</summary>
public static class ApiHealth
{
    private const string Ready = "ready";
    private const string LivePath = "/health/live";
    private const string StartupPath = "/health/startup";
    private const string ReadyPath = "/health/ready";

    internal static IReadOnlyList<string> Paths { get; } = [LivePath, StartupPath, ReadyPath];

    /// <summary>Registers the check.</summary>
    public static IServiceCollection AddApiHealth(this IServiceCollection services)
    {
        services.AddHealthChecks().AddCheck<GatewayReady>("gateway", tags: [Ready]);
        return services;
    }

    /// <summary>Maps <c>/health/live|ready|startup</c>.</summary>
    public static void MapApiHealth(this WebApplication app)
    {
        Map(LivePath, _ => false);
        Map(StartupPath, _ => false);
        Map(ReadyPath, check => check.Tags.Contains(Ready));

        void Map(string path, Func<HealthCheckRegistration, bool> asked) => app
            .MapHealthChecks(path, new HealthCheckOptions { Predicate = asked })
            .WithMetadata(new HttpMethodMetadata([HttpMethods.Get, HttpMethods.Head]));
    }

    private sealed class GatewayReady(GatewayStatus status, IHostApplicationLifetime lifetime) : IHealthCheck
    {
        public Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default) =>
            Task.FromResult(
                status.Gateways > 0 && !lifetime.ApplicationStopping.IsCancellationRequested
                    ? HealthCheckResult.Healthy()
                    : HealthCheckResult.Unhealthy($"Connected to {status.Gateways} gateways."));
    }
}
