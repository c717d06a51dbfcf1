using System.Net;
using DroitsAmeli.Grains.Configuration;
using DroitsAmeli.Grains.Links;
using Orleans.Configuration;

namespace DroitsAmeli.Silo;

/// <summary>How a silo finds the others, notices that one is gone, and goes itself.</summary>
public static class Clustering
{
    // Some 5,000 grains a second were seen to move: a period's share is over long before the next.
    private const int MovedAtOnce = 20_000;

    private const string Npgsql = nameof(Npgsql);

    /// <summary>Adds the silo to its cluster, as <c>Cluster:*</c> says.</summary>
    public static void AddClustering(this WebApplicationBuilder builder)
    {
        builder.Services.AddClusterSettings(builder.Configuration);
        builder.Services.AddWireExceptions();

        var cluster = Settings.Read<ClusterSettings>(builder.Configuration, ClusterSettings.Section);
        if (cluster is { Mode: ClusterMode.Postgres, ConnectionString: { } connectionString } && IPAddress.TryParse(cluster.AdvertisedIPAddress, out var address))
        {
            builder.Services.Configure<HostOptions>(options => options.ShutdownTimeout = TimeSpan.FromSeconds(cluster.StopSeconds));
            builder.UseOrleans(silo => silo.UsePostgres(cluster, connectionString, address));
        }
        else
        {
            // Settings that do not fit together come here too: they are refused before the silo starts.
            builder.UseOrleans(silo => silo.UseLocalhostClustering(cluster.SiloPort, cluster.GatewayPort, null, cluster.ServiceId, cluster.ClusterId));
        }

        if (!string.IsNullOrWhiteSpace(cluster.InstanceName))
            builder.Services.Configure<SiloOptions>(options => options.SiloName = cluster.InstanceName);
        if (builder.Services.AddLinks(builder.Configuration, LinkRole.Silo))
            builder.Services.Configure<SiloConnectionOptions>(UseTls);
    }

    /// <summary>
    /// Death of a silo is noticed fast without killing those that are merely slow. One whose connections are closed is dead once two probes
    /// in a row have missed: kill -9 was seen in 0.7 to 0.9 s on a busy machine. One whose connections stand is dead once it has said nothing on them for
    /// <c>Cluster:SilenceSeconds</c> as well: the runtime does not vote before, and takes that time as the longest probe times the probes that
    /// may be missed. It was 6 s (2 s, 3 probes), so that a silo that was frozen kept its families for more than that, and calls ran out of time.
    /// </summary>
    internal static void NoticeDeath(ClusterMembershipOptions options, ClusterSettings cluster)
    {
        options.ProbeTimeout = cluster.Probe;
        options.MinProbeTimeout = cluster.Probe / 2;
        options.MaxProbeTimeout = cluster.LongestProbe;
        options.NumMissedProbesLimit = ClusterSettings.MissedProbes;
        options.EnableConnectionLivenessCheck = true;

        // The probe before the verdict is made by another silo, which votes too: nobody is declared dead by one that is cut off itself.
        options.EnableIndirectProbes = true;
        options.NumVotesForDeathDeclaration = 2;

        // Changes come by gossip; the table is read for what gossip has missed, and a minute of that is too long for a front end's retries.
        options.TableRefreshTimeout = TimeSpan.FromSeconds(10);

        // When every silo was killed, rows of the dead stand as Active and nobody is left to vote. A silo that joins must take them for dead
        // by their last sign of life: after 6 s instead of 90 s, or the restart of everything waits that long.
        options.IAmAliveTablePublishTimeout = TimeSpan.FromSeconds(2);
        options.NumMissedTableIAmAliveLimit = 3;
    }

    /// <summary>
    /// A question to the directory, or its answer, is lost when a connection between two silos ends, as happens while silos start where others
    /// died. Every call to that grain waits behind it: for 30 s by default, so that a few families were answered by nobody for half a minute.
    /// </summary>
    internal static void AskAgainSoon(SiloMessagingOptions options)
    {
        options.PlacementTimeout = TimeSpan.FromSeconds(2);
        options.SystemResponseTimeout = TimeSpan.FromSeconds(4);
    }

    private static void UseTls(SiloConnectionOptions options)
    {
        options.ConfigureSiloInboundConnection(link => link.UseTls(LinkSide.Accepts, LinkRole.Silo));
        options.ConfigureSiloOutboundConnection(link => link.UseTls(LinkSide.Connects, LinkRole.Silo));
        options.ConfigureGatewayInboundConnection(link => link.UseTls(LinkSide.Accepts, LinkRole.FrontEnd));
    }

    private static void UsePostgres(this ISiloBuilder silo, ClusterSettings cluster, string connectionString, IPAddress address)
    {
        silo.Configure<ClusterOptions>(options => (options.ClusterId, options.ServiceId) = (cluster.ClusterId, cluster.ServiceId));
        silo.UseAdoNetClustering(options =>
        {
            options.Invariant = Npgsql;
            options.ConnectionString = PostgresConnectionString.Prepared(connectionString);
        });
        silo.ConfigureEndpoints(address, cluster.SiloPort, cluster.GatewayPort, listenOnAnyHostAddress: !IPAddress.IsLoopback(address));
        silo.Configure<ClusterMembershipOptions>(options => NoticeDeath(options, cluster));
        silo.Configure<SiloMessagingOptions>(options =>
        {
            options.ClientGatewayShutdownNotificationTimeout = TimeSpan.FromSeconds(cluster.GatewayNoticeSeconds);
            AskAgainSoon(options);
        });
        if (cluster.Directory is ClusterDirectory.Distributed)
            silo.UseDistributedDirectory();
        if (cluster.RebalanceSeconds > 0)
            silo.UseRebalancing(TimeSpan.FromSeconds(cluster.RebalanceSeconds));
    }

    /// <summary>
    /// Nothing moves to a silo that is added by itself: grains are placed once. Each period a bounded number of them moves, warm, to where
    /// fewer are.
    /// </summary>
    private static void UseRebalancing(this ISiloBuilder silo, TimeSpan period)
    {
#pragma warning disable ORLEANSEXP002 // Experimental in the runtime; Cluster:RebalanceSeconds=0 does without.
        silo.AddActivationRebalancer();
#pragma warning restore ORLEANSEXP002
        silo.Configure<ActivationRebalancerOptions>(options =>
        {
            options.RebalancerDueTime = period;
            options.SessionCyclePeriod = period;
            options.ActivationMigrationCountLimit = MovedAtOnce;

            // What chance makes of placement stays: of three silos the busiest may have a tenth more than the mean, whatever their number of grains.
            options.AllowedEntropyDeviation = 0.002;
            options.ScaleAllowedEntropyDeviation = false;
        });
    }

    /// <summary>
    /// With the default directory the loss of 1 of 3 silos made 55 to 83 % of the grains cold, with the distributed one only those of the
    /// victim. Its range leases, 30 s long, would hold up new activations after each loss that the probes notice fast; a family that is active
    /// twice for a moment is harmless here, since versions are fenced.
    /// </summary>
    private static void UseDistributedDirectory(this ISiloBuilder silo)
    {
#pragma warning disable ORLEANSEXP003 // Experimental in the runtime; Cluster:Directory=default goes back.
        silo.AddDistributedGrainDirectory();
#pragma warning restore ORLEANSEXP003
        silo.Configure<GrainDirectoryOptions>(options => options.RangeLeaseDuration = TimeSpan.Zero);
    }
}
