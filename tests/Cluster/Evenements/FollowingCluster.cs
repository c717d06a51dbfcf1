using System.Diagnostics;
using DroitsAmeli.Grains.Evenements;
using DroitsAmeli.Grains.Familles;
using DroitsAmeli.Grains.RegimeSi;
using DroitsAmeli.Grains.Storage;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Orleans.Configuration;
using Orleans.Runtime;
using Orleans.Services;
using Orleans.TestingHost;
using Xunit;

namespace DroitsAmeli.Tests.Cluster.Evenements;

/// <summary>Silos that follow a <see cref="FakeFeed"/>, each with a <see cref="Told"/> where its families would be.</summary>
public sealed class FollowingCluster : IAsyncDisposable
{
    /// <summary>Part of the key of what they store.</summary>
    public const string ServiceId = "following";

    private readonly InProcessTestCluster cluster;
    private readonly List<Told> everTold;

    private FollowingCluster(InProcessTestCluster cluster, List<Told> everTold) => (this.cluster, this.everTold) = (cluster, everTold);

    public IReadOnlyList<InProcessSiloHandle> Silos => cluster.Silos;

    /// <summary>What each live silo was told.</summary>
    public IEnumerable<Told> Told => cluster.Silos.Select(ToldOf);

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    /// <param name="url">Of the régime SI.</param>
    /// <param name="silos">How many.</param>
    /// <param name="settings">Beside those of the feed.</param>
    /// <param name="held">Families that every silo holds.</param>
    public static async Task<FollowingCluster> Start(
        string url, short silos = 3, IEnumerable<KeyValuePair<string, string?>>? settings = null, IReadOnlyCollection<string>? held = null)
    {
        var configuration = new ConfigurationBuilder()
            .AddInMemoryCollection(new Dictionary<string, string?>
            {
                ["RegimeSi:BaseUrl"] = url,
                ["RegimeSi:TimeoutSeconds"] = "1",
                ["Evenements:WaitSeconds"] = "2",
                ["Evenements:StaleSpreadMinutes"] = "7",
            })
            .AddInMemoryCollection(settings ?? [])
            .Build();
        var everTold = new List<Told>();
        var builder = new InProcessTestClusterBuilder(silos);
        builder.Options.ServiceId = ServiceId;
        builder.ConfigureSilo((_, silo) =>
        {
            silo.Services.AddSnapshots(configuration).AddFamilles(configuration).AddRegimeSi(configuration).AddEvenements(configuration);
            silo.Services.Remove(silo.Services.First(service => service.ServiceType == typeof(IGrainService)));
            silo.Services.AddGrainService<RecordingFamilles>();
            var told = new Told();
            foreach (var famille in held ?? [])
                told.Held[famille] = true;
            lock (everTold)
                everTold.Add(told);
            silo.Services.AddSingleton(told);

            // A machine that is busy must not look like a silo that is dead, but a silo that is dead must be found out while a test waits.
            silo.Services.Configure<ClusterMembershipOptions>(options =>
            {
                options.ProbeTimeout = TimeSpan.FromSeconds(2);
                options.NumMissedProbesLimit = 4;
                options.NumVotesForDeathDeclaration = 1;
                options.TableRefreshTimeout = TimeSpan.FromSeconds(2);
            });
        });
        builder.ConfigureSiloHost((_, host) => host.Logging.SetMinimumLevel(LogLevel.Error));
        var cluster = builder.Build();
        await cluster.DeployAsync();
        return new FollowingCluster(cluster, everTold);
    }

    public Told ToldOf(InProcessSiloHandle silo) => cluster.GetSiloServiceProvider(silo.SiloAddress).GetRequiredService<Told>();

    /// <summary>Waits until the follower runs and every silo has had the order of a start without a cursor.</summary>
    public Task Started() => Until(() => Told.All(told => !told.Ordres.IsEmpty));

    /// <summary>The silo of the follower.</summary>
    public async Task<InProcessSiloHandle> Host()
    {
        InProcessSiloHandle? host = null;
        await Until(async () =>
        {
            var address = await cluster.Client.GetGrain<IManagementGrain>(0).GetActivationAddress(cluster.Client.GetGrain<IEvenementsSiGrain>(IEvenementsSiGrain.Key));
            host = cluster.Silos.FirstOrDefault(silo => silo.SiloAddress.Equals(address));
            return host is not null;
        });
        return host!;
    }

    public Task Kill(InProcessSiloHandle silo) => cluster.KillSiloAsync(silo, Cancellation);

    public Task Stop(InProcessSiloHandle silo) => cluster.StopSiloAsync(silo, Cancellation);

    public Task<InProcessSiloHandle> Add() => cluster.StartAdditionalSiloAsync();

    /// <summary>Waits until every silo, or those given, knows at least that version of the family.</summary>
    public Task Known(string famille, long version, params InProcessSiloHandle[] by) => Until(() =>
        (by.Length > 0 ? by.Select(ToldOf) : Told).All(told => told.Versions.GetValueOrDefault(famille) >= version));

    public static Task Until(Func<bool> condition, double seconds = 60) => Until(() => Task.FromResult(condition()), seconds);

    public static async Task Until(Func<Task<bool>> condition, double seconds = 60)
    {
        var since = Stopwatch.GetTimestamp();
        while (!await condition())
        {
            Assert.True(Stopwatch.GetElapsedTime(since).TotalSeconds < seconds, "What was waited for did not come.");
            await Task.Delay(TimeSpan.FromMilliseconds(20), TimeProvider.System, Cancellation);
        }
    }

    public async ValueTask DisposeAsync()
    {
        lock (everTold)
            everTold.ForEach(told => told.Thaw());
        await cluster.DisposeAsync();
    }
}
