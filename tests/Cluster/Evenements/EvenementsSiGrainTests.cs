using DroitsAmeli.Grains.Familles;
using Microsoft.AspNetCore.Http;
using Xunit;

namespace DroitsAmeli.Tests.Cluster.Evenements;

public sealed class EvenementsSiGrainTests
{
    [Fact]
    public async Task Every_silo_is_told_what_the_feed_says()
    {
        await using var feed = await FakeFeed.Start();
        await using var cluster = await FollowingCluster.Start(feed.Url);
        await cluster.Started();

        feed.Publish(new("F1", 7), new("F2", 1), new("F1", 8));
        feed.Publish([.. Enumerable.Range(0, 2_000).Select(n => new Evenement($"G{n}", n))]);
        await FollowingCluster.Until(() => cluster.Told.All(told => told.Versions.Count >= 2_002 && told.Versions["F1"] >= 8));

        Assert.All(cluster.Told, told =>
        {
            Assert.Equal((8, 1), (told.Versions["F1"], told.Versions["F2"]));
            Assert.Equal(2_002, told.Versions.Count);
            Assert.Single(told.Ordres.Distinct());
        });
    }

    [Fact]
    public async Task A_silo_that_stops_hands_the_cursor_over()
    {
        await using var feed = await FakeFeed.Start();
        await using var cluster = await FollowingCluster.Start(feed.Url, held: ["F1"]);
        await cluster.Started();
        feed.Publish(new Evenement("F1", 1));
        await cluster.Known("F1", 1);

        var host = await cluster.Host();
        var stopping = cluster.Stop(host);
        for (var version = 2; !stopping.IsCompleted; version++)
        {
            feed.Publish(new Evenement($"F{version}", version));
            await Task.WhenAny(stopping, Task.Delay(TimeSpan.FromMilliseconds(10), TimeProvider.System, TestContext.Current.CancellationToken));
        }
        await stopping;
        feed.Publish(new Evenement("last", 1));
        await cluster.Known("last", 1);

        var published = int.Parse(feed.Last.AsSpan(1), System.Globalization.CultureInfo.InvariantCulture);
        Assert.NotEqual(host.SiloAddress, (await cluster.Host()).SiloAddress);
        Assert.Single(feed.Polls, poll => poll.Apres is null);
        Assert.All(cluster.Told, told => Assert.Equal(published, told.Versions.Count));
        Assert.All(cluster.Told, told => Assert.Single(told.Ordres));
    }

    [Fact]
    public async Task A_follower_that_dies_with_its_cursor_is_followed_by_another_that_makes_everything_stale()
    {
        await using var feed = await FakeFeed.Start();
        await using var cluster = await FollowingCluster.Start(feed.Url, held: ["F1"]);
        await cluster.Started();
        feed.Publish(new Evenement("F1", 1));
        await cluster.Known("F1", 1);
        var before = cluster.Told.SelectMany(told => told.Ordres).Select(ordre => ordre.Id).Distinct().Single();

        await cluster.Kill(await cluster.Host());
        await FollowingCluster.Until(() => cluster.Told.All(told => told.Ordres.Count == 2));
        feed.Publish(new Evenement("F1", 2));
        await cluster.Known("F1", 2);

        var ordres = cluster.Told.Select(told => told.Ordres.Last()).ToList();
        Assert.All(ordres, ordre => Assert.Equal((OrdreKind.Stale, TimeSpan.FromMinutes(7)), (ordre.Kind, ordre.Spread)));
        Assert.NotEqual(before, Assert.Single(ordres.Select(ordre => ordre.Id).Distinct()));
    }

    [Fact]
    public async Task A_cursor_that_the_si_no_longer_knows_makes_everything_stale_once()
    {
        await using var feed = await FakeFeed.Start();
        await using var cluster = await FollowingCluster.Start(feed.Url);
        await cluster.Started();
        feed.Publish(new Evenement("F1", 1));
        await cluster.Known("F1", 1);

        var forgotAt = TimeProvider.System.GetUtcNow();
        feed.Forget();
        feed.Publish(new Evenement("F1", 2));
        await FollowingCluster.Until(() => cluster.Told.All(told => told.Ordres.Count == 2));
        feed.Publish(new Evenement("F1", 3));
        await cluster.Known("F1", 3);

        Assert.All(cluster.Told, told => Assert.Equal(2, told.Ordres.Count));
        var ordre = cluster.Told.First().Ordres.Last();
        Assert.Equal((OrdreKind.Stale, TimeSpan.FromMinutes(7)), (ordre.Kind, ordre.Spread));

        // A load that was on its way when the feed was forgotten must be concerned too; a timer may be a little early by the wall clock.
        Assert.True(ordre.Instant >= forgotAt + TimeSpan.FromSeconds(0.95), $"{ordre.Instant - forgotAt} after it was forgotten.");
    }

    [Fact]
    public async Task A_silo_that_does_not_answer_delays_nobody_and_is_told_when_it_does()
    {
        await using var feed = await FakeFeed.Start();
        await using var cluster = await FollowingCluster.Start(feed.Url);
        await cluster.Started();
        var host = await cluster.Host();
        var silent = cluster.Silos.First(silo => silo != host);
        var others = cluster.Silos.Where(silo => silo != silent).ToArray();
        var told = cluster.ToldOf(silent);

        told.Freeze();
        for (var version = 1; version <= 20; version++)
        {
            feed.Publish(new Evenement("F1", version), new Evenement($"F1-{version}", 1));
            await cluster.Known("F1", version, others);
        }
        Assert.Empty(told.Versions);

        told.Thaw();
        await cluster.Known("F1", 20);
        Assert.Equal(21, told.Versions.Count);
        Assert.Single(told.Ordres);
    }

    [Fact]
    public async Task What_is_too_much_to_keep_for_a_silo_that_does_not_answer_makes_it_stale_and_no_other()
    {
        await using var feed = await FakeFeed.Start();
        feed.PageSize = 20_000;
        await using var cluster = await FollowingCluster.Start(feed.Url, silos: 2);
        await cluster.Started();
        var host = await cluster.Host();
        var silent = cluster.ToldOf(cluster.Silos.First(silo => silo != host));

        silent.Freeze();
        for (var batch = 0; batch < 26; batch++)
        {
            feed.Publish([.. Enumerable.Range(0, 10_000).Select(n => new Evenement($"F{n}", batch))]);
            await cluster.Known("F9999", batch, host);
        }
        silent.Thaw();
        feed.Publish(new Evenement("last", 1));
        await cluster.Known("last", 1);

        Assert.Equal(2, silent.Ordres.Count);
        Assert.Equal(OrdreKind.Stale, silent.Ordres.Last().Kind);
        Assert.Single(cluster.ToldOf(host).Ordres);
    }

    [Fact]
    public async Task A_silo_that_comes_is_told_what_happened_lately()
    {
        await using var feed = await FakeFeed.Start();
        await using var cluster = await FollowingCluster.Start(feed.Url, silos: 1);
        await cluster.Started();
        feed.Publish(new Evenement("F1", 7));
        await cluster.Known("F1", 7);

        var silo = await cluster.Add();

        await cluster.Known("F1", 7, silo);
        await cluster.Started();
        Assert.Single(cluster.Told.SelectMany(told => told.Ordres).Select(ordre => ordre.Id).Distinct());
    }

    [Fact]
    public async Task Answers_that_are_no_feed_are_passed_over()
    {
        await using var feed = await FakeFeed.Start();
        await using var cluster = await FollowingCluster.Start(feed.Url, silos: 1);
        await cluster.Started();
        var bad = 0;
        feed.Instead = context =>
        {
            switch (Interlocked.Increment(ref bad))
            {
                case 1:
                    return context.Response.WriteAsync("<html>");
                case 2:
                    context.Response.StatusCode = 500;
                    return Task.CompletedTask;
                default:
                    feed.Instead = null;
                    return context.Response.WriteAsync("""{ "evenements": [ { "curseur": "c1", "famille": "F1" } ], "curseur": "c1" }""");
            }
        };

        feed.Publish(new Evenement("F1", 7));
        await FollowingCluster.Until(() => bad == 3);
        feed.Publish(new Evenement("F2", 8));
        await cluster.Known("F2", 8);

        Assert.Equal(7, cluster.Told.Single().Versions["F1"]);
        Assert.Single(feed.Polls, poll => poll.Apres is null);
    }

    [Fact]
    public async Task An_si_that_answers_at_once_with_nothing_is_asked_once_a_second()
    {
        await using var feed = await FakeFeed.Start();
        await using var cluster = await FollowingCluster.Start(feed.Url, silos: 1);
        await cluster.Started();
        feed.Instead = context => context.Response.WriteAsync("""{ "evenements": [], "curseur": "c0" }""");
        await FollowingCluster.Until(() => feed.Polls.Count > 1);
        var before = feed.Polls.Count + 1;

        await FollowingCluster.Until(() => feed.Polls.Count >= before + 4);

        Assert.All(feed.Polls.Skip(before).Zip(feed.Polls.Skip(before + 1)), polls =>
            Assert.True(System.Diagnostics.Stopwatch.GetElapsedTime(polls.First.At, polls.Second.At).TotalSeconds > 0.9));
    }
}
