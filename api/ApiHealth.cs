using Microsoft.AspNetCore.Diagnostics.HealthChecks;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Options;

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
        services.AddHostedService<Drain>();
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

    /// <summary>Holds the stop back, between the moment when it is said and that when the port closes, so that balancers look elsewhere first.</summary>
    private sealed class Drain(IOptions<ApiOptions> options, TimeProvider time) : IHostedLifecycleService
    {
        public async Task StoppingAsync(CancellationToken cancellationToken)
        {
            if (options.Value.DrainSeconds > 0)
                await Task.Delay(TimeSpan.FromSeconds(options.Value.DrainSeconds), time, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }

        public Task StartingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public Task StartedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public Task StoppedAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    }
}
