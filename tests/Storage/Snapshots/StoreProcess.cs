using System.Globalization;
using DroitsAmeli.Grains.Storage;
using DroitsAmeli.Tests.Rules.Storage;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Npgsql;
using Orleans.Configuration;
using Orleans.Runtime;
using Orleans.Serialization;

namespace DroitsAmeli.Tests.Storage.Snapshots;

/// <summary>The store as a silo has it, without the silo; several are several silos.</summary>
internal sealed class StoreProcess : IAsyncDisposable
{
    public const string ServiceId = "droits-test";
    private readonly Lines<SnapshotPurge> purge = new();
    private readonly ServiceProvider services;

    public StoreProcess(string connectionString, string keysFile, TimeProvider time, double readTimeoutSeconds = 5)
    {
        var configuration = new ConfigurationBuilder()
            .AddInMemoryCollection(new Dictionary<string, string?>
            {
                ["Storage:ConnectionString"] = connectionString,
                ["Storage:KeysFile"] = keysFile,
                ["Storage:ReadTimeoutSeconds"] = readTimeoutSeconds.ToString(CultureInfo.InvariantCulture),
            })
            .Build();
        ConnectionString = connectionString;
        services = new ServiceCollection()
            .AddSerializer()
            .AddSingleton(time)
            .AddSingleton<ILogger<SnapshotStore>>(Lines)
            .AddSingleton<ILogger<SnapshotPurge>>(purge)
            .AddLogging()
            .Configure<ClusterOptions>(options => (options.ServiceId, options.ClusterId) = (ServiceId, "c"))
            .AddSnapshots(configuration)
            .BuildServiceProvider();
        Store = services.GetRequiredService<SnapshotStore>();
    }

    public string ConnectionString { get; }

    public SnapshotStore Store { get; }

    public Lines<SnapshotStore> Lines { get; } = new();

    public IReadOnlyCollection<(LogLevel Level, string Text)> PurgeLines => purge.All;

    public SnapshotPurge Purge => services.GetServices<IHostedService>().OfType<SnapshotPurge>().Single();

    public async Task<StoredSnapshot?> Read(GrainId grain, string? subject = null) =>
        (await Store.Read(StorageBench.Kind, grain, subject ?? SubjectOf(grain), TestContext.Current.CancellationToken)).Found;

    /// <summary>Saves, and waits until that was tried.</summary>
    public async Task Save(GrainId grain, Snapshot snapshot)
    {
        Store.Save(StorageBench.Kind, grain, SubjectOf(grain), snapshot);
        await Store.Flush(TimeSpan.FromSeconds(30)).WaitAsync(TimeSpan.FromSeconds(60), TestContext.Current.CancellationToken);
    }

    public static string SubjectOf(GrainId grain) => "subject of " + grain.Key;

    public async ValueTask DisposeAsync()
    {
        await services.DisposeAsync();
        NpgsqlConnection.ClearAllPools();
    }
}
