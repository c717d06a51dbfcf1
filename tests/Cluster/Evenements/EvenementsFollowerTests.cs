using System.Collections.Concurrent;
using DroitsAmeli.Grains.Familles;
using Microsoft.AspNetCore.Http;
using Xunit;

namespace DroitsAmeli.Tests.Cluster.Evenements;

public sealed class EvenementsFollowerTests
{
    private static readonly TimeSpan Second = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan Spread = TimeSpan.FromMinutes(7);

    [Fact]
    public async Task An_si_that_never_knows_its_own_cursor_is_asked_more_and_more_rarely_and_makes_everything_stale_once_in_each_spread()
    {
        await using var feed = await FakeFeed.Start();
        await using var follower = new RunningFollower(feed.Url, Spread, waitSeconds: 600);
        var silo = follower.Add();
        var polls = new ConcurrentQueue<DateTimeOffset>();
        feed.Instead = context =>
        {
            polls.Enqueue(follower.Time.GetUtcNow());
            context.Response.StatusCode = 410;
            return context.Response.WriteAsync($$"""{ "curseur": "x{{polls.Count}}" }""");
        };

        var least = follower.Time.GetUtcNow();
        follower.Start();
        await follower.Until(() => polls.Count >= 40, 5 * Second);
        await follower.Until(() => !silo.Ordres.IsEmpty, Second);

        Assert.All(polls.Zip([0, 1, 2, 4, 8, 16, .. Enumerable.Repeat(30, 40)]), poll =>
        {
            least += Second * poll.Second;
            Assert.InRange(poll.First, least, DateTimeOffset.MaxValue);
        });

        var ordres = silo.Ordres.DistinctBy(ordre => ordre.Id).OrderBy(ordre => ordre.Instant).ToArray();
        Assert.All(ordres, ordre => Assert.Equal((OrdreKind.Stale, Spread), (ordre.Kind, ordre.Spread)));
        Assert.All(ordres.Zip(ordres.Skip(1)), pair => Assert.InRange(pair.Second.Instant - pair.First.Instant, Spread, TimeSpan.MaxValue));
        Assert.Contains(follower.Logged, line => line.Contains("told nothing that can be followed", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_page_that_cannot_be_read_is_told_at_once_and_left_out_when_it_stays_so()
    {
        await using var feed = await FakeFeed.Start();
        feed.Publish(new Evenement("F0", 1));
        await using var follower = new RunningFollower(feed.Url, Spread, beginsAll: true, waitSeconds: 600);
        var silo = follower.Add();
        follower.Start(new("c0", null));
        await follower.Until(() => silo.Versions.ContainsKey("F0"), Second);
        Assert.Empty(silo.Ordres);
        var tooLong = new string('x', 381);
        feed.PageSize = 1;
        feed.Publish(new Evenement(tooLong, 1), new Evenement("F1", 2));

        await follower.Until(() => follower.Logged.Any(line => line.Contains("cannot be read (WrongType)", StringComparison.Ordinal)), TimeSpan.Zero);
        await follower.Until(() => silo.Versions.ContainsKey("F1") && !silo.Ordres.IsEmpty, Second);

        var ordre = Assert.Single(silo.Ordres);
        Assert.Equal((OrdreKind.Stale, Spread), (ordre.Kind, ordre.Spread));
        Assert.Equal(5, feed.Polls.Count(poll => poll.Apres == "c1"));
        Assert.Single(follower.Logged, line => line.Contains("cannot be read (WrongType)", StringComparison.Ordinal));
        Assert.Single(follower.Logged, line => line.Contains("were missed (refused)", StringComparison.Ordinal));
        Assert.DoesNotContain(follower.Logged, line => line.Contains("xxx", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_page_that_can_be_read_again_before_it_is_left_out_makes_nothing_stale()
    {
        await using var feed = await FakeFeed.Start();
        feed.Publish(new Evenement("F0", 1));
        await using var follower = new RunningFollower(feed.Url, Spread, beginsAll: true, waitSeconds: 600);
        var silo = follower.Add();
        var refused = 0;
        feed.Instead = context =>
        {
            if (++refused == 4)
                feed.Instead = null;
            return context.Response.WriteAsync("""{ "evenements": [ {} ], "curseur": "c1" }""");
        };
        follower.Start(new("c0", null));
        await follower.Until(() => silo.Versions.ContainsKey("F0"), Second);

        Assert.Equal((4, 5), (refused, feed.Polls.Count(poll => poll.Apres == "c0")));
        Assert.Empty(silo.Ordres);
    }

    [Theory]
    [InlineData(true, 0)]
    [InlineData(false, 1)]
    public async Task What_is_held_when_the_feed_begins_was_missed_unless_all_begins_with_it(bool beginsAll, int reports)
    {
        await using var feed = await FakeFeed.Start();
        await using var follower = new RunningFollower(feed.Url, Spread, beginsAll: beginsAll);
        var silo = follower.Add();
        silo.Held["F1"] = true;
        follower.Start();
        await follower.Until(() => !silo.Ordres.IsEmpty, Second);
        feed.Publish(new Evenement("last", 1));
        await follower.Until(() => silo.Versions.ContainsKey("last"), Second);

        Assert.Equal(reports, follower.Logged.Count(line => line.Contains("were missed", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task A_silo_that_comes_while_very_much_has_happened_lately_is_not_behind()
    {
        await using var feed = await FakeFeed.Start();
        feed.PageSize = 20_000;
        await using var follower = new RunningFollower(feed.Url, Spread);
        var one = follower.Add();
        follower.Start();
        await follower.Until(() => !one.Ordres.IsEmpty, Second);
        feed.Publish([.. Enumerable.Range(0, 250_000).Select(n => new Evenement($"F{n}", 1))]);
        await follower.Until(() => one.Versions.Count == 250_000, TimeSpan.Zero);

        var other = follower.Add();
        feed.Publish(new Evenement("last", 1));
        await follower.Until(() => other.Versions.Count == 250_001, TimeSpan.Zero);

        Assert.Equal(one.Ordres, other.Ordres);
    }
}
