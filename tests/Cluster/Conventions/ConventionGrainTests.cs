using DroitsAmeli.Grains.Conventions;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Time.Testing;
using Orleans.TestingHost;
using Xunit;

namespace DroitsAmeli.Tests.Cluster.Conventions;

public sealed class ConventionCluster : IAsyncLifetime
{
    public FakeTimeProvider Time { get; } = new(new DateTimeOffset(2026, 3, 10, 12, 0, 0, TimeSpan.Zero));

    public InProcessTestCluster Cluster { get; private set; } = null!;

    public async ValueTask InitializeAsync()
    {
        var builder = new InProcessTestClusterBuilder(initialSilosCount: 2);
        builder.ConfigureSilo((_, silo) =>
        {
            silo.Services.AddSingleton<TimeProvider>(Time);
            silo.Services.UseTimeProviderForBackgroundAreas(TimeProvider.System);
        });
        Cluster = builder.Build();
        await Cluster.DeployAsync();
    }

    public ValueTask DisposeAsync() => Cluster.DisposeAsync();
}

public sealed class ConventionGrainTests(ConventionCluster fixture) : IClassFixture<ConventionCluster>
{
    private const int Limit = 100;

    [Fact]
    public async Task Hands_out_exactly_the_quota_to_concurrent_front_ends()
    {
        var grain = Grain("concurrent");
        var granted = await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => Drain(grain, Guid.NewGuid())));
        Assert.Equal(Limit, granted.Sum());
    }

    [Fact]
    public async Task Opens_the_next_window_with_the_injected_clock()
    {
        var grain = Grain("clock");
        Assert.Equal(Limit, await Drain(grain, Guid.NewGuid()));
        Assert.Equal(0, await Drain(grain, Guid.NewGuid()));
        fixture.Time.Advance(TimeSpan.FromMinutes(1));
        Assert.Equal(Limit, await Drain(grain, Guid.NewGuid()));
    }

    [Fact]
    public async Task Keeps_its_count_when_its_silo_stops_in_good_order()
    {
        var leaver = await fixture.Cluster.StartAdditionalSiloAsync();
        var grains = Enumerable.Range(0, 20).Select(number => Grain($"moved-{number}")).ToList();
        foreach (var grain in grains)
            await Ask(grain, Guid.NewGuid(), wanted: 40);

        await fixture.Cluster.StopSiloAsync(leaver, TestContext.Current.CancellationToken);

        foreach (var grain in grains)
            Assert.Equal(Limit - 40, await Drain(grain, Guid.NewGuid()));
    }

    private static async Task<int> Drain(IConventionGrain grain, Guid frontEnd)
    {
        var total = 0;
        long window = 0;
        for (var sequence = 1; ; sequence++)
        {
            var grant = await Ask(grain, frontEnd, wanted: 1, window, total, sequence);
            window = grant.Window;
            total += grant.Granted;
            if (grant.Granted == 0)
                return total;
        }
    }

    private static async Task<QuotaGrant> Ask(
        IConventionGrain grain, Guid frontEnd, int wanted, long window = 0, int taken = 0, long sequence = 1)
    {
        var lease = await grain.Lease(
            new QuotaLeaseRequest
            {
                FrontEnd = frontEnd,
                Sequence = sequence,
                Minute = new QuotaClaim { Limit = Limit, Window = window, Taken = taken, Wanted = wanted },
            },
            TestContext.Current.CancellationToken);
        return lease.Minute!;
    }

    private IConventionGrain Grain(string convention) =>
        fixture.Cluster.Client.GetGrain<IConventionGrain>(ConventionKey.Of(convention));
}
