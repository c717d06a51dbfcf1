using DroitsAmeli.Grains.Familles;
using DroitsAmeli.Grains.Identites;
using DroitsAmeli.Grains.RegimeSi;
using DroitsAmeli.Grains.Storage;
using DroitsAmeli.Tests.Cluster;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Orleans.Runtime;
using Orleans.TestingHost;

namespace DroitsAmeli.Tests.Storage.Familles;

/// <summary>
/// A cluster of one silo with families and identities, on a database. Two of them on one database are what a cluster that has come apart is:
/// each has an activation of its own of the same family.
/// </summary>
internal sealed class StoredSilo : IAsyncDisposable
{
    private readonly InProcessTestCluster cluster;

    private StoredSilo(InProcessTestCluster cluster) => this.cluster = cluster;

    public SnapshotStore Store => Service<SnapshotStore>();

    public IFamillesService Familles => Service<FamillesServiceClient>().On(Service<ILocalSiloDetails>().SiloAddress);

    public IGrainFactory Grains => cluster.Client;

    /// <param name="connectionString">The database.</param>
    /// <param name="folder">Where the keys are.</param>
    /// <param name="si">The SI.</param>
    /// <param name="writeDelaySeconds"><c>Storage:WriteDelaySeconds</c>.</param>
    /// <param name="time">The clock; null: the machine's.</param>
    public static async Task<StoredSilo> Start(
        string connectionString, string folder, FakeRegimeSi si, double writeDelaySeconds = 0.1, TimeProvider? time = null)
    {
        var keys = Path.Combine(folder, "storage.keys.json");
        var hmac = Path.Combine(folder, "identities.key");
        if (!File.Exists(keys))
        {
            await File.WriteAllTextAsync(keys, $$"""{ "active": "k1", "keys": { "k1": "{{Convert.ToBase64String(new byte[32])}}" } }""");
            await File.WriteAllTextAsync(hmac, Convert.ToBase64String(new byte[32]));
        }

        var configuration = new ConfigurationBuilder()
            .AddInMemoryCollection(new Dictionary<string, string?>
            {
                ["RegimeSi:BaseUrl"] = si.BaseUrl,
                ["Identities:HmacKeyFile"] = hmac,
                ["Storage:ConnectionString"] = connectionString,
                ["Storage:KeysFile"] = keys,
                ["Storage:WriteDelaySeconds"] = writeDelaySeconds.ToString(System.Globalization.CultureInfo.InvariantCulture),
            })
            .Build();
        var builder = new InProcessTestClusterBuilder(1);
        builder.Options.ServiceId = "droits-test";
        builder.ConfigureSilo((_, silo) => silo.Services
            .AddSnapshots(configuration).AddFamilles(configuration).AddIdentites(configuration).AddRegimeSi(configuration));
        if (time is not null)
        {
            builder.ConfigureSilo((_, silo) =>
            {
                silo.Services.AddSingleton(time).UseTimeProviderForBackgroundAreas(TimeProvider.System);
                silo.Services.AddSingleton(provider => RegimeSiRegistration.CreateSlots(provider, new RealTimers(time)));
            });
        }

        builder.ConfigureSiloHost((_, host) => host.Logging.SetMinimumLevel(LogLevel.Warning));
        var started = new StoredSilo(builder.Build());
        await started.cluster.DeployAsync();
        return started;
    }

    public T Service<T>() where T : notnull => cluster.Silos[0].ServiceProvider.GetRequiredService<T>();

    /// <summary>Ends the silo; what its store has not written by now is lost, as in a process that is killed.</summary>
    public Task Kill()
    {
        Store.Dispose();
        return cluster.KillSiloAsync(cluster.Silos[0]);
    }

    public ValueTask DisposeAsync() => cluster.DisposeAsync();
}
