using DroitsAmeli.Grains.Evenements;
using DroitsAmeli.Grains.Familles;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace DroitsAmeli.Tests.Rules.Evenements;

public sealed class RecentEvenementsTests
{
    private readonly FakeTimeProvider time = new();

    [Fact]
    public void Knows_the_newest_version_announced_of_a_family()
    {
        var recent = new RecentEvenements(time);
        recent.Add([new("F1", 7), new("F2", 1)]);
        recent.Add([new("F1", 5)]);
        time.Advance(TimeSpan.FromSeconds(6));
        recent.Add([new("F1", 6)]);

        Assert.Equal((7, 1, 0), (recent.VersionOf("F1"), recent.VersionOf("F2"), recent.VersionOf("F3")));
    }

    [Fact]
    public void Remembers_for_thirty_seconds_and_not_much_longer()
    {
        var recent = new RecentEvenements(time);
        recent.Add([new("F1", 7)]);
        time.Advance(TimeSpan.FromSeconds(4.9));
        recent.Add([new("F2", 8)]);

        time.Advance(RecentEvenements.Memory);
        Assert.Equal((7, 8), (recent.VersionOf("F1"), recent.VersionOf("F2")));

        time.Advance(TimeSpan.FromSeconds(0.2));
        Assert.Equal((0, 0, 0), (recent.VersionOf("F1"), recent.VersionOf("F2"), recent.Count));
    }

    [Fact]
    public void Forgets_the_oldest_when_they_are_too_many()
    {
        var recent = new RecentEvenements(time, capacity: 4);
        recent.Add([new("F1", 1), new("F2", 1)]);
        time.Advance(TimeSpan.FromSeconds(5));
        recent.Add([new("F3", 1), new("F4", 1)]);
        Assert.Equal(1, recent.VersionOf("F1"));

        recent.Add([new("F5", 1)]);

        Assert.Equal((0, 1, 1), (recent.VersionOf("F1"), recent.VersionOf("F3"), recent.VersionOf("F5")));
        Assert.Equal(3, recent.Count);
    }

    [Fact]
    public void Tells_all_it_knows_each_family_once()
    {
        var recent = new RecentEvenements(time);
        recent.Add([new("F1", 1), new("F2", 9)]);
        time.Advance(TimeSpan.FromSeconds(5));
        recent.Add([new("F1", 2), new("F2", 3)]);

        Assert.Equal([new Evenement("F1", 2), new Evenement("F2", 9)], recent.All());
    }
}
