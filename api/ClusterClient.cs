using DroitsAmeli.Grains.Configuration;
using DroitsAmeli.Grains.Links;
using Orleans.Configuration;

namespace DroitsAmeli.Api;

/// <summary>Connects a front end to the silos, and knows whether it is connected.</summary>
public static class ClusterClient
{
    /// <summary>Adds the cluster's client. The host starts, and opens its port, once a silo answers.</summary>
    public static void AddClusterClient(this WebApplicationBuilder builder)
    {
        builder.Services.AddClusterSettings(builder.Configuration);
        builder.Services.AddWireExceptions();
        var cluster = Settings.Read<ClusterSettings>(builder.Configuration, ClusterSettings.Section);

        builder.Services.AddSingleton<GatewayStatus>();
        builder.UseOrleansClient(client =>
        {
            if (cluster is { Mode: ClusterMode.Postgres, ConnectionString: { } connectionString })
                client.UseAdoNetClustering(options => (options.Invariant, options.ConnectionString) = ("Npgsql", PostgresConnectionString.Prepared(connectionString)));
            else
                client.UseStaticClustering((StaticGatewayListProviderOptions options) => options.Gateways.Add(cluster.Gateway.ToGatewayUri()));
            client.Configure<ClusterOptions>(options =>
            {
                options.ClusterId = cluster.ClusterId;
                options.ServiceId = cluster.ServiceId;
            });
            client.Configure<GatewayOptions>(options => options.GatewayListRefreshPeriod = TimeSpan.FromSeconds(cluster.GatewayRefreshSeconds));
            // A front end without calls opens no connection, but for this question to a gateway, which by default is asked once a minute:
            // after all silos were lost and came back, an idle one was not ready for 42 s.
            client.Configure<TypeManagementOptions>(options => options.TypeMapRefreshInterval = TimeSpan.FromSeconds(2));
            client.UseConnectionRetryFilter<RetryUntilConnected>();
            client.AddGatewayCountChangedHandler(services =>
            {
                var status = services.GetRequiredService<GatewayStatus>();
                return (_, change) => status.Gateways = change.NumberOfConnectedGateways;
            });
        });

        if (builder.Services.AddLinks(builder.Configuration, LinkRole.FrontEnd))
            builder.Services.Configure<ClientConnectionOptions>(options => options.ConfigureConnection(link => link.UseTls(LinkSide.Connects, LinkRole.Silo)));
    }

    private sealed class RetryUntilConnected(TimeProvider time) : IClientConnectionRetryFilter
    {
        public async Task<bool> ShouldRetryConnectionAttempt(Exception exception, CancellationToken cancellationToken)
        {
            await Task.Delay(TimeSpan.FromMilliseconds(250), time, cancellationToken);
            return true;
        }
    }
}

/// <summary>How many gateways this front end is connected to: at least one once the host has started, then what the runtime tells.</summary>
public sealed class GatewayStatus
{
    private int gateways = 1;

    public int Gateways
    {
        get => Volatile.Read(ref gateways);
        set => Volatile.Write(ref gateways, value);
    }
}
