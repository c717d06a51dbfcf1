using System.Net;
using DroitsAmeli.Grains.RegimeSi;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Time.Testing;
using Orleans.Configuration;
using Orleans.Core.Internal;
using Orleans.Runtime;
using Orleans.Runtime.Services;
using Orleans.Services;
using Orleans.TestingHost;
using Xunit;

namespace DroitsAmeli.Tests.Cluster.RegimeSi;

/// <summary>A keeper of the slots that begins without its ledger, where no silo has kept a copy of it. Leases run on a clock that only the test moves.</summary>
public sealed class LostLedgerTests : IAsyncLifetime
{
    private const int Cap = 6;
    private static readonly string Asker = SiloAddress.New(IPAddress.Loopback, 1, 1).ToParsableString();

    private readonly FakeTimeProvider time = new();
    private InProcessTestCluster cluster = null!;
    private TimeSpan lease;
    private long asked;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    private ISlotsGrain Keeper => cluster.Client.GetGrain<ISlotsGrain>(ISlotsGrain.Key);

    public async ValueTask InitializeAsync()
    {
        var options = new RegimeSiOptions { BaseUrl = "http://127.0.0.1:9", MaxConcurrentCalls = Cap };
        lease = options.Lease;
        var settings = new ConfigurationBuilder().AddInMemoryCollection(new Dictionary<string, string?>
        {
            ["RegimeSi:BaseUrl"] = options.BaseUrl,
            ["RegimeSi:MaxConcurrentCalls"] = $"{Cap}",
        }).Build();
        var builder = new InProcessTestClusterBuilder(3);
        builder.ConfigureSilo((_, silo) =>
        {
            silo.Services.AddSingleton<TimeProvider>(time);
            silo.Services.UseTimeProviderForBackgroundAreas(TimeProvider.System);
            silo.Services.AddRegimeSi(settings);
            silo.Services.Remove(silo.Services.First(service => service.ServiceType == typeof(IGrainService)));
            silo.Services.AddGrainService<ForgetfulSlots>().AddSingleton<Mishaps>();
            Shadow(silo.Services);
            silo.Services.Configure<ClusterMembershipOptions>(membership =>
            {
                membership.ProbeTimeout = TimeSpan.FromMilliseconds(500);
                membership.NumMissedProbesLimit = 2;
                membership.NumVotesForDeathDeclaration = 1;
            });
        });
        builder.ConfigureSiloHost((_, host) => host.Logging.SetMinimumLevel(LogLevel.Critical));
        cluster = builder.Build();
        await cluster.DeployAsync();
        Assert.Equal(1, await Lent(1));
    }

    public ValueTask DisposeAsync() => cluster.DisposeAsync();

    [Fact]
    public async Task Where_nobody_is_missing_all_is_lent_at_once()
    {
        await LoseLedger();

        Assert.Equal(Cap, await Lent(Cap));
    }

    [Fact]
    public async Task After_the_death_of_its_silo_all_is_kept_back_for_one_lease()
    {
        await Kill(await Host());

        Assert.Equal(0, await Lent(Cap));
        time.Advance(lease - TimeSpan.FromMilliseconds(1));
        Assert.Equal(0, await Lent(Cap));
        time.Advance(TimeSpan.FromMilliseconds(1));
        Assert.Equal(Cap, await Lent(Cap));
    }

    [Fact]
    public async Task A_death_counts_for_one_lease()
    {
        var host = await Host();
        await Kill(cluster.Silos.First(silo => silo != host));
        time.Advance(lease - TimeSpan.FromMilliseconds(1));
        await LoseLedger();
        Assert.Equal(0, await Lent(Cap));

        time.Advance(TimeSpan.FromMilliseconds(1));
        await LoseLedger();
        Assert.Equal(Cap, await Lent(Cap));
    }

    [Fact]
    public async Task What_a_silo_at_work_says_it_holds_is_its_own_and_the_rest_is_kept_back()
    {
        var host = await Host();
        var holder = cluster.Silos.First(silo => silo != host);
        Service<Mishaps>(holder).Held = 2;
        Service<Mishaps>(cluster.Silos.Single(silo => silo != host && silo != holder)).IsSilent = true;
        await LoseLedger();

        Assert.Equal(0, await Lent(Cap));
        Assert.Equal(0, await Lent(0));
        Assert.Equal(2, (await Keeper.Renew(new(holder.SiloAddress.ToParsableString(), 8, 2, Cap))).Allowance);
    }

    [Fact]
    public async Task While_a_silo_does_not_answer_all_is_kept_back()
    {
        var host = await Host();
        Service<Mishaps>(cluster.Silos.First(silo => silo != host)).IsSilent = true;
        await LoseLedger();

        Assert.Equal(0, await Lent(Cap));
        time.Advance(lease);
        Assert.Equal(Cap, await Lent(Cap));
    }

    [Fact]
    public async Task While_the_table_of_the_silos_cannot_be_read_all_is_kept_back()
    {
        foreach (var silo in cluster.Silos)
            Service<Mishaps>(silo).TableIsAway = true;
        await LoseLedger();

        Assert.Equal(0, await Lent(Cap));
        time.Advance(lease);
        Assert.Equal(Cap, await Lent(Cap));
    }

    private static T Service<T>(InProcessSiloHandle silo) where T : notnull => silo.ServiceProvider.GetRequiredService<T>();

    private static void Shadow(IServiceCollection services)
    {
        var real = services.Last(service => service.ServiceType == typeof(IClusterMembershipService));
        services.AddSingleton<IClusterMembershipService>(provider => new ForgetfulTable(
            (IClusterMembershipService)real.ImplementationFactory!(provider), provider.GetRequiredService<Mishaps>()));
    }

    private async Task<int> Lent(int wanted) => (await Keeper.Renew(new(Asker, ++asked, 0, wanted))).Allowance;

    private async Task<InProcessSiloHandle> Host()
    {
        var address = await Address();
        return cluster.Silos.Single(silo => silo.SiloAddress.Equals(address));
    }

    private ValueTask<SiloAddress?> Address() => cluster.Client.GetGrain<IManagementGrain>(0).GetActivationAddress(Keeper);

    private async Task LoseLedger()
    {
        var reports = Reports();
        await Keeper.AsReference<IGrainManagementExtension>().DeactivateOnIdle(Cancellation);
        await DroitsCluster.Until(async () => await Lent(0) == 0 && Reports() > reports);

        int Reports() => cluster.Silos.Sum(silo => Service<Mishaps>(silo).Reports);
    }

    private async Task Kill(InProcessSiloHandle victim)
    {
        await cluster.KillSiloAsync(victim, Cancellation);
        await DroitsCluster.Until(() => cluster.Silos.All(silo =>
            Service<ISiloStatusOracle>(silo).GetApproximateSiloStatus(victim.SiloAddress) == SiloStatus.Dead && Service<SiloDeaths>(silo).SinceLast() is not null));
    }

    /// <summary>What goes wrong on a silo, and what it says that it holds.</summary>
    private sealed class Mishaps
    {
        public int Held { get; set; }

        public bool IsSilent { get; set; }

        /// <summary>How often it was asked what it holds.</summary>
        public int Reports { get; set; }

        public bool TableIsAway { get; set; }
    }

    /// <summary>In the place of the slots' service: it keeps no copy.</summary>
    private sealed class ForgetfulSlots(GrainId id, Orleans.Runtime.Silo silo, ILoggerFactory loggers, ILocalSiloDetails details, SiloDeaths deaths, Mishaps mishaps)
        : GrainService(id, silo, loggers), ISlotsService
    {
        public override async Task Start()
        {
            deaths.Watch();
            await base.Start();
        }

        public Task<SlotReport> Report()
        {
            mishaps.Reports++;
            return mishaps.IsSilent
                ? Task.FromException<SlotReport>(new TimeoutException())
                : Task.FromResult(new SlotReport(details.SiloAddress.ToParsableString(), 7, mishaps.Held, deaths.SinceLast()));
        }

        public Task Recall() => Task.CompletedTask;

        public Task KeepCopy(SlotLedgerState ledger) => Task.CompletedTask;
    }

    private sealed class ForgetfulTable(IClusterMembershipService real, Mishaps mishaps) : IClusterMembershipService
    {
        public ClusterMembershipSnapshot CurrentSnapshot => real.CurrentSnapshot;

        public IAsyncEnumerable<ClusterMembershipSnapshot> MembershipUpdates => real.MembershipUpdates;

        public ValueTask Refresh(MembershipVersion minimumVersion = default, CancellationToken cancellationToken = default) =>
            mishaps.TableIsAway ? ValueTask.FromException(new TimeoutException()) : real.Refresh(minimumVersion, cancellationToken);

        public Task<bool> TryKill(SiloAddress siloAddress) => real.TryKill(siloAddress);
    }
}
