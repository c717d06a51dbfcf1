using System.Net;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Orleans.Configuration;
using Orleans.Runtime;

namespace DroitsAmeli.Load.Processes;

/// <summary>Connects to the cluster of a deployment as a client of it, and looks where a grain is active.</summary>
public static class ClusterView
{
    /// <summary>A host whose <see cref="IClusterClient"/> is connected; whoever asks for it stops it.</summary>
    public static async Task<IHost> Connect(Deployment deployment, CancellationToken cancellationToken)
    {
        var builder = Host.CreateApplicationBuilder();
        builder.Logging.ClearProviders();
        builder.UseOrleansClient(client =>
        {
            if (deployment.ConnectionString is { } database)
                client.UseAdoNetClustering(options => (options.Invariant, options.ConnectionString) = ("Npgsql", database));
            else
                client.UseStaticClustering(new IPEndPoint(IPAddress.Loopback, deployment.GatewayPort));
            client.Configure<ClusterOptions>(options => (options.ClusterId, options.ServiceId) = ("droits", "droits-ameli"));
        });
        var host = builder.Build();
        await host.StartAsync(cancellationToken);
        return host;
    }

    /// <summary>How many grains each silo holds.</summary>
    public static async Task<IReadOnlyList<int>> Activations(IClusterClient cluster)
    {
        var management = cluster.GetGrain<IManagementGrain>(0);
        var silos = (await management.GetHosts(onlyActive: true)).Keys.ToArray();
        return [.. (await management.GetRuntimeStatistics(silos)).Select(statistics => statistics.ActivationCount)];
    }

    /// <summary>The silo that hosts a grain; null when the grain is not active.</summary>
    /// <param name="deployment">The deployment.</param>
    /// <param name="type">The grain's type.</param>
    /// <param name="key">Its key.</param>
    /// <param name="cancellationToken">Ends the look.</param>
    public static async Task<Node?> HostOf(Deployment deployment, string type, string key, CancellationToken cancellationToken)
    {
        using var host = await Connect(deployment, cancellationToken);
        try
        {
            var client = (IClusterClient)host.Services.GetService(typeof(IClusterClient))!;
            var address = await client.GetGrain<IManagementGrain>(0).GetActivationAddress(client.GetGrain(GrainId.Create(type, key)), cancellationToken);
            return address is null ? null : deployment.SiloAt(address.Endpoint.Port);
        }
        finally
        {
            await host.StopAsync(CancellationToken.None);
        }
    }
}
