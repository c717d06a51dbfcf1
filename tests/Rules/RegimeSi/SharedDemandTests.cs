using DroitsAmeli.Grains.RegimeSi;
using Xunit;

namespace DroitsAmeli.Tests.Rules.RegimeSi;

public sealed class SharedDemandTests
{
    private static readonly DateTimeOffset Noon = new(2026, 1, 15, 12, 0, 0, TimeSpan.Zero);

    [Fact]
    public void Lives_as_long_as_the_last_token()
    {
        var shared = new SharedDemand(new SiDemand(SiPriority.Present, "a", Noon));
        shared.Join(new SiDemand(SiPriority.Present, "b", Noon.AddSeconds(20)));
        shared.Join(new SiDemand(SiPriority.Present, "c", Noon.AddSeconds(10)));
        Assert.Equal(new SiDemand(SiPriority.Present, "a", Noon.AddSeconds(20)), shared.Current);
    }

    [Fact]
    public void Never_ends_for_those_who_have_no_token()
    {
        var shared = new SharedDemand(new SiDemand(SiPriority.Present, "a", Noon));
        shared.Join(SiPriority.Refresh);
        Assert.Equal(new SiDemand(SiPriority.Present, "a"), shared.Current);
    }

    [Fact]
    public void Is_as_urgent_as_the_most_urgent_who_joined_and_takes_that_ones_turn()
    {
        var shared = new SharedDemand(SiPriority.Refresh);
        shared.Join(new SiDemand(SiPriority.Present, "a", Noon, First: true));
        Assert.Equal(new SiDemand(SiPriority.Present, "a", null, First: true), shared.Current);
        shared.Join(new SiDemand(SiPriority.Present, "b", Noon));
        Assert.Equal(new SiDemand(SiPriority.Present, "b"), shared.Current);
        shared.Join(new SiDemand(SiPriority.Ahead, "c", Noon));
        Assert.Equal(new SiDemand(SiPriority.Present, "b"), shared.Current);
    }
}
