using DroitsAmeli.Grains.Evenements;
using DroitsAmeli.Grains.Familles;
using DroitsAmeli.Grains.Storage;
using Microsoft.Extensions.Options;
using Microsoft.Extensions.Time.Testing;
using Orleans.Configuration;
using Xunit;

namespace DroitsAmeli.Tests.Rules.Evenements;

public sealed class StoreLaneTests : IAsyncDisposable
{
    private readonly EvenementsStore store = new(Options.Create(new StorageOptions()), Options.Create(new ClusterOptions()));
    private readonly StoreLane lane;

    public StoreLaneTests() => lane = new(store, (_, _) => { }, new FakeTimeProvider());

    public ValueTask DisposeAsync()
    {
        lane.Dispose();
        return store.DisposeAsync();
    }

    [Fact]
    public void The_oldest_is_the_least_number_though_it_came_last()
    {
        Assert.Equal(long.MaxValue, lane.Oldest);
        lane.Add(5, [new Evenement("F1", 2)], tellAgain: false);
        lane.Add(3, [new Evenement("F2", 1)], tellAgain: false);
        Assert.Equal(3, lane.Oldest);
    }

    [Fact]
    public void The_feed_is_read_again_from_before_all_that_was_given_up_though_it_came_later()
    {
        lane.Add(40, [new Evenement("F1", 2)], tellAgain: false);
        lane.Add(41, new Evenement[StoreLane.Capacity], tellAgain: false);
        Assert.Equal(40, lane.GivenUp);

        lane.Add(35, [new Evenement("F2", 1)], tellAgain: false);
        Assert.Equal((35, 35), (lane.GivenUp, lane.Oldest));

        lane.Add(31, new Ordre { Id = Guid.NewGuid(), Kind = OrdreKind.Stale, Instant = DateTimeOffset.UnixEpoch });
        Assert.Equal(31, lane.Oldest);
    }
}
