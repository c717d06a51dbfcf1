using System.Collections.Concurrent;
using System.Diagnostics;
using DroitsAmeli.Grains.RegimeSi;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Orleans.Configuration;
using Orleans.Core.Internal;
using Orleans.Runtime;
using Orleans.TestingHost;
using Xunit;

namespace DroitsAmeli.Tests.Cluster.RegimeSi;

public sealed class SlotsGrainTests
{
    private const int Cap = 6;

    [Fact]
    public async Task One_silo_uses_the_whole_cap_and_no_more_from_the_first_call_on()
    {
        await using var si = await CountingSi.Start();
        await using var cluster = await Deploy(si, silos: 1);
        var client = ClientOf(cluster, cluster.Silos[0]);

        var answers = await Task.WhenAll(Enumerable.Range(0, 8 * Cap).Select(_ => Ask(client, CancellationToken.None)));

        Assert.All(answers, status => Assert.Equal(SiStatus.Ok, status));
        Assert.Equal(Cap, si.MostAtOnce);
    }

    [Fact]
    public async Task Three_silos_share_the_cap()
    {
        await using var si = await CountingSi.Start();
        await using var cluster = await Deploy(si, silos: 3);
        var served = new ConcurrentDictionary<SiloAddress, int>();
        using var stop = new CancellationTokenSource(TimeSpan.FromSeconds(4));

        await Task.WhenAll(cluster.Silos.SelectMany(silo => Load(cluster, silo, served, stop.Token)));

        Assert.InRange(si.MostAtOnce, 1, Cap);
        Assert.Equal(3, served.Count);
        var total = served.Values.Sum();
        Assert.All(served.Values, count => Assert.InRange(count, total / 6, total));
    }

    [Fact]
    public async Task A_slot_grain_that_died_does_not_lend_twice_what_was_lent()
    {
        await using var si = await CountingSi.Start();
        await using var cluster = await Deploy(si, silos: 3);
        var served = new ConcurrentDictionary<SiloAddress, int>();
        using var stop = new CancellationTokenSource();
        using var dead = new CancellationTokenSource();
        var host = await HostOfSlots(cluster);
        var workers = cluster.Silos.SelectMany(silo => Load(cluster, silo, served, silo == host ? dead.Token : stop.Token)).ToList();
        await Until(() => Task.FromResult(served.Values.Sum() > 50));

        await dead.CancelAsync();
        await cluster.KillSiloAsync(host, TestContext.Current.CancellationToken);
        await Until(async () => await AddressOfSlots(cluster) is { } address && !address.Equals(host.SiloAddress));
        served.Clear();

        // Two leases: while the dead silo's slots are kept back, and after.
        await ServedFor(TimeSpan.FromSeconds(8), served);
        await stop.CancelAsync();
        await Task.WhenAll(workers);

        Assert.InRange(si.MostAtOnce, 1, Cap);
    }

    /// <summary>The lease is 23 s here: who waits for its end gets nothing.</summary>
    [Fact]
    public async Task A_slot_grain_that_died_leaves_the_others_what_was_free()
    {
        await using var si = await CountingSi.Start();
        await using var cluster = await Deploy(si, silos: 3, timeoutSeconds: 20);
        var host = await HostOfSlots(cluster);

        // The first silo has asked before: it is the one that goes on, or the one that dies, so that nobody else holds slots.
        var other = ClientOf(cluster, cluster.Silos[0] != host ? cluster.Silos[0] : cluster.Silos[1]);
        Assert.Equal(SiStatus.Ok, await Ask(other, TestContext.Current.CancellationToken));

        await cluster.KillSiloAsync(host, TestContext.Current.CancellationToken);
        var killed = Stopwatch.StartNew();
        await Until(async () => await AddressOfSlots(cluster) is { } address && !address.Equals(host.SiloAddress));
        si.Hold();
        var asking = Enumerable.Range(0, Cap - 2).Select(_ => Ask(other, TestContext.Current.CancellationToken)).ToList();
        await Until(() => Task.FromResult(si.AtOnce == Cap - 2 || asking.Exists(call => call.IsCompleted)));
        si.Release();

        Assert.All(await Task.WhenAll(asking), status => Assert.Equal(SiStatus.Ok, status));
        Assert.InRange(killed.Elapsed, TimeSpan.Zero, TimeSpan.FromSeconds(15));
    }

    [Fact]
    public async Task A_slot_grain_whose_silo_stops_takes_its_ledger_along()
    {
        await using var si = await CountingSi.Start();
        await using var cluster = await Deploy(si, silos: 3);
        var served = new ConcurrentDictionary<SiloAddress, int>();
        using var stop = new CancellationTokenSource();
        using var gone = new CancellationTokenSource();
        var host = await HostOfSlots(cluster);
        var workers = cluster.Silos.SelectMany(silo => Load(cluster, silo, served, silo == host ? gone.Token : stop.Token)).ToList();
        await Until(() => Task.FromResult(served.Values.Sum() > 50));

        await gone.CancelAsync();
        await cluster.StopSiloAsync(host, TestContext.Current.CancellationToken);
        Assert.NotEqual(host.SiloAddress, await AddressOfSlots(cluster));
        served.Clear();
        await ServedFor(TimeSpan.FromSeconds(4), served);
        await stop.CancelAsync();
        await Task.WhenAll(workers);

        Assert.InRange(si.MostAtOnce, 1, Cap);
    }

    [Fact]
    public async Task A_slot_grain_that_lost_its_ledger_asks_silos_that_stop_too()
    {
        await using var si = await CountingSi.Start();
        await using var cluster = await Deploy(si, silos: 2, timeoutSeconds: 20);
        var host = await HostOfSlots(cluster);
        var leaver = cluster.Silos.Single(silo => silo != host);
        si.Hold();
        var served = new ConcurrentDictionary<SiloAddress, int>();
        using var stop = new CancellationTokenSource();
        var underWay = Load(cluster, leaver, served, stop.Token);
        await Until(() => Task.FromResult(si.AtOnce == Cap));

        var services = cluster.GetSiloServiceProvider(leaver.SiloAddress);
        services.GetRequiredService<HeldStop>().Hold();
        var stopping = cluster.StopSiloAsync(leaver, TestContext.Current.CancellationToken);
        var silos = cluster.GetSiloServiceProvider(host.SiloAddress).GetRequiredService<ISiloStatusOracle>();
        await Until(() => Task.FromResult(silos.GetApproximateSiloStatus(leaver.SiloAddress) != SiloStatus.Active));
        await cluster.Client.GetGrain<ISlotsGrain>(ISlotsGrain.Key).AsReference<IGrainManagementExtension>().DeactivateOnIdle(TestContext.Current.CancellationToken);
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(10));
        var others = await Task.WhenAll(Enumerable.Range(0, Cap).Select(_ => Ask(ClientOf(cluster, host), patience.Token)));
        await stop.CancelAsync();
        si.Release();
        services.GetRequiredService<HeldStop>().LetGo();
        await Task.WhenAll([.. underWay, stopping]);

        Assert.DoesNotContain(SiStatus.Ok, others);
        Assert.Equal(Cap, si.MostAtOnce);
    }

    private static async Task<InProcessTestCluster> Deploy(CountingSi si, short silos, int timeoutSeconds = 1)
    {
        var settings = new ConfigurationBuilder().AddInMemoryCollection(new Dictionary<string, string?>
        {
            ["RegimeSi:BaseUrl"] = si.Url,
            ["RegimeSi:TimeoutSeconds"] = $"{timeoutSeconds}",
            ["RegimeSi:MaxConcurrentCalls"] = $"{Cap}",
        }).Build();
        var builder = new InProcessTestClusterBuilder(silos);
        builder.ConfigureSilo((_, silo) =>
        {
            silo.Services.AddRegimeSi(settings);
            silo.Services.AddSingleton<HeldStop>();
            silo.Services.AddSingleton<ILifecycleParticipant<ISiloLifecycle>>(provider => provider.GetRequiredService<HeldStop>());
            silo.Services.Configure<ClusterMembershipOptions>(options =>
            {
                options.ProbeTimeout = TimeSpan.FromMilliseconds(500);
                options.NumMissedProbesLimit = 2;
                options.NumVotesForDeathDeclaration = 1;
                options.TableRefreshTimeout = TimeSpan.FromSeconds(2);
            });
        });
        var cluster = builder.Build();
        await cluster.DeployAsync();
        return cluster;
    }

    private static async Task<InProcessSiloHandle> HostOfSlots(InProcessTestCluster cluster)
    {
        await Ask(ClientOf(cluster, cluster.Silos[0]), CancellationToken.None);
        var address = await AddressOfSlots(cluster);
        return cluster.Silos.Single(silo => silo.SiloAddress.Equals(address));
    }

    private static ValueTask<SiloAddress?> AddressOfSlots(InProcessTestCluster cluster) =>
        cluster.Client.GetGrain<IManagementGrain>(0).GetActivationAddress(cluster.Client.GetGrain<ISlotsGrain>(ISlotsGrain.Key));

    private static List<Task> Load(
        InProcessTestCluster cluster, InProcessSiloHandle silo, ConcurrentDictionary<SiloAddress, int> served, CancellationToken stop)
    {
        var client = ClientOf(cluster, silo);
        return Enumerable.Range(0, Cap).Select(_ => Task.Run(Work, CancellationToken.None)).ToList();

        async Task Work()
        {
            while (!stop.IsCancellationRequested)
            {
                if (await Ask(client, stop) == SiStatus.Ok && !stop.IsCancellationRequested)
                    served.AddOrUpdate(silo.SiloAddress, 1, (_, count) => count + 1);
            }
        }
    }

    private static RegimeSiClient ClientOf(InProcessTestCluster cluster, InProcessSiloHandle silo) =>
        cluster.GetSiloServiceProvider(silo.SiloAddress).GetRequiredService<RegimeSiClient>();

    private static async Task<SiStatus?> Ask(RegimeSiClient client, CancellationToken stop)
    {
        try
        {
            return (await client.GetComposition("F1", null, 0, stop)).Status;
        }
        catch (OperationCanceledException)
        {
            return null;
        }
    }

    /// <summary>Waits for that time, and on for as long as the two silos that are left need to serve 100 calls each; fails after 30 s.</summary>
    private static Task ServedFor(TimeSpan time, ConcurrentDictionary<SiloAddress, int> served)
    {
        var watched = Stopwatch.StartNew();
        return Until(() => Task.FromResult(watched.Elapsed >= time && served.Count == 2 && served.Values.All(count => count >= 100)));
    }

    private static async Task Until(Func<Task<bool>> condition)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        patience.CancelAfter(TimeSpan.FromSeconds(30));
        while (!await condition())
            await Task.Delay(TimeSpan.FromMilliseconds(20), TimeProvider.System, patience.Token);
    }
}
