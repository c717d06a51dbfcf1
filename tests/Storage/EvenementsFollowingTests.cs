using DroitsAmeli.Grains.Familles;
using DroitsAmeli.Tests.Cluster.Evenements;
using DroitsAmeli.Tests.Postgres;

namespace DroitsAmeli.Tests.Storage;

/// <summary>The change feed followed by silos in one process, with the cursor in PostgreSQL.</summary>
public sealed class EvenementsFollowingTests(Databases databases)
{
    private const string Service = FollowingCluster.ServiceId;

    [Fact]
    public async Task A_first_start_begins_now_and_makes_nothing_stale_for_good()
    {
        await using var feed = await FakeFeed.Start();
        await using var database = await EvenementsDatabase.Create(await databases.Create());
        feed.Publish(new Evenement("before", 1));
        await using var cluster = await FollowingCluster.Start(feed.Url, settings: database.Settings);
        await cluster.Started();

        feed.Publish(new Evenement("F1", 1));
        await cluster.Known("F1", 1);
        await Saved(database, feed.Last);

        Assert.All(cluster.Told, told => Assert.DoesNotContain("before", told.Versions.Keys));
        Assert.Equal(0, await database.Ordres(Service));
    }

    [Fact]
    public async Task A_cursor_that_is_missing_while_families_are_stored_was_lost()
    {
        await using var feed = await FakeFeed.Start();
        await using var database = await EvenementsDatabase.Create(await databases.Create());
        await database.Hold(Service, ["F1"]);
        await using var cluster = await FollowingCluster.Start(feed.Url, silos: 1, settings: database.Settings);

        await cluster.Started();
        await Saved(database, feed.Last);

        Assert.Equal(1, await database.Ordres(Service));
    }

    [Fact]
    public async Task A_follower_that_is_killed_loses_no_event()
    {
        await using var feed = await FakeFeed.Start();
        await using var database = await EvenementsDatabase.Create(await databases.Create());
        await using var cluster = await FollowingCluster.Start(feed.Url, settings: database.Settings);
        await cluster.Started();
        feed.Publish(new Evenement("F1", 1));
        await cluster.Known("F1", 1);
        await Saved(database, feed.Last);

        var killing = cluster.Kill(await cluster.Host());
        for (var n = 0; n < 100; n++)
        {
            feed.Publish(new Evenement($"G{n}", 1));
            await Task.Delay(TimeSpan.FromMilliseconds(5), TimeProvider.System, TestContext.Current.CancellationToken);
        }
        await killing;
        feed.Publish(new Evenement("last", 1));
        await cluster.Known("last", 1);
        await Saved(database, feed.Last);

        Assert.All(cluster.Told, told => Assert.Equal(102, told.Versions.Count));
        Assert.All(cluster.Told, told => Assert.Single(told.Ordres));
        Assert.Single(feed.Polls, poll => poll.Apres is null);
    }

    [Fact]
    public async Task Stored_families_are_superseded_before_any_silo_is_told_and_again_once_it_was()
    {
        await using var feed = await FakeFeed.Start();
        await using var database = await EvenementsDatabase.Create(await databases.Create());
        await database.Hold(Service, ["stored"]);
        await using var cluster = await FollowingCluster.Start(feed.Url, silos: 2, settings: database.Settings, held: ["late", "stored"]);
        await cluster.Started();
        var least = new List<long>();
        foreach (var told in cluster.Told)
        {
            told.Before = async evenements =>
            {
                if (evenements.All(evenement => evenement.Famille != "late"))
                    return;
                var seen = await database.LeastVersion(Service, "stored");
                lock (least)
                    least.Add(seen);

                // What this silo was writing of a family it holds: after the first statement, and before it answers.
                await PostgresServer.Execute(database.ConnectionString, $"""
                    INSERT INTO orleansstorage
                        (serviceid, graintypehash, grainidhash, grainidn0, grainidn1, graintypestring, grainidextensionstring, version, payloadbinary)
                    VALUES ('{Service}', 1, 77, 0, 0, 'famille', '{FamilleKey.Of("late")}', 1, 'x') ON CONFLICT DO NOTHING
                    """);
            };
        }

        feed.Publish(new Evenement("stored", 4), new Evenement("late", 9));
        await Saved(database, feed.Last);

        Assert.All(least, version => Assert.Equal(4, version));
        Assert.InRange(least.Count, 2, int.MaxValue);
        Assert.Equal(9, await database.LeastVersion(Service, "late"));
    }

    [Fact]
    public async Task The_cursor_waits_for_a_silo_that_does_not_answer_and_goes_on_when_it_is_dead()
    {
        await using var feed = await FakeFeed.Start();
        await using var database = await EvenementsDatabase.Create(await databases.Create());
        await using var cluster = await FollowingCluster.Start(feed.Url, settings: database.Settings);
        await cluster.Started();
        feed.Publish(new Evenement("F1", 1));
        await cluster.Known("F1", 1);
        var reached = feed.Last;
        await Saved(database, reached);
        var host = await cluster.Host();
        var silent = cluster.Silos.First(silo => silo != host);
        var others = cluster.Silos.Where(silo => silo != silent).ToArray();

        cluster.ToldOf(silent).Freeze();
        for (var version = 2; version < 30; version++)
        {
            feed.Publish(new Evenement("F1", version));
            await cluster.Known("F1", version, others);
            Assert.Equal(reached, await database.Curseur(Service));
        }

        await cluster.Kill(silent);
        await Saved(database, feed.Last);
    }

    [Fact]
    public async Task What_a_silo_stored_and_did_not_answer_for_before_it_died_is_raised_before_the_cursor_goes_on()
    {
        await using var feed = await FakeFeed.Start();
        await using var database = await EvenementsDatabase.Create(await databases.Create());
        await using var cluster = await FollowingCluster.Start(feed.Url, settings: database.Settings);
        await cluster.Started();
        feed.Publish(new Evenement("F1", 1));
        await Saved(database, feed.Last);
        var host = await cluster.Host();
        var silent = cluster.Silos.First(silo => silo != host);
        cluster.ToldOf(silent).Freeze();
        feed.Publish(new Evenement("late", 9));
        await cluster.Known("late", 9, [.. cluster.Silos.Where(silo => silo != silent)]);
        await database.Hold(Service, ["late"]);
        Assert.Equal(0, await database.LeastVersion(Service, "late"));

        await cluster.Kill(silent);
        await Saved(database, feed.Last);
        Assert.Equal(9, await database.LeastVersion(Service, "late"));
    }

    [Fact]
    public async Task While_the_database_is_away_the_silos_are_told_and_afterwards_it_is_told_too()
    {
        Databases.SkipWithoutPostgres();
        await using var server = await PostgresServer.Create(fsync: false);
        await using var feed = await FakeFeed.Start();
        await using var database = await EvenementsDatabase.Create(await server.CreateDatabase());
        await database.Hold(Service, ["F1", "F2"]);
        await using var cluster = await FollowingCluster.Start(feed.Url, silos: 2, settings: database.Settings);
        await cluster.Started();
        feed.Publish(new Evenement("F1", 1));
        await Saved(database, feed.Last);

        await server.Kill();
        for (var version = 2; version < 20; version++)
        {
            feed.Publish(new Evenement("F1", version));
            await cluster.Known("F1", version);
        }
        var toldAway = cluster.Told.First();
        toldAway.Versions.Clear();
        await server.Start();

        await Saved(database, feed.Last);
        Assert.Equal(19, await database.LeastVersion(Service, "F1"));
        Assert.Equal(0, await database.LeastVersion(Service, "F2"));

        // Between the announcement and the database's return a silo may have read F1 from there: it is told again.
        Assert.Equal(19, toldAway.Versions["F1"]);
        Assert.Single(feed.Polls, poll => poll.Apres is null);
    }

    [Fact]
    public async Task A_follower_that_starts_without_the_database_begins_now_and_reads_what_it_missed_when_it_is_back()
    {
        Databases.SkipWithoutPostgres();
        await using var server = await PostgresServer.Create(fsync: false);
        await using var feed = await FakeFeed.Start();
        await using var database = await EvenementsDatabase.Create(await server.CreateDatabase());
        await database.Hold(Service, ["missed"]);
        await using (var before = await FollowingCluster.Start(feed.Url, silos: 1, settings: database.Settings))
        {
            await before.Started();
            await Saved(database, feed.Last);
        }
        await server.Stop();
        feed.Publish(new Evenement("missed", 5));

        await using var cluster = await FollowingCluster.Start(feed.Url, silos: 1, settings: database.Settings, held: ["F1"]);
        await cluster.Started();
        feed.Publish(new Evenement("F1", 6));
        await cluster.Known("F1", 6);
        Assert.DoesNotContain("missed", cluster.Told.Single().Versions.Keys);

        await server.Start();
        await Saved(database, feed.Last);
        Assert.Equal(5, await database.LeastVersion(Service, "missed"));
        Assert.Equal(5, cluster.Told.Single().Versions["missed"]);
    }

    [Fact]
    public async Task A_follower_whose_cursor_was_taken_over_stops_and_another_misses_nothing()
    {
        await using var feed = await FakeFeed.Start();
        await using var database = await EvenementsDatabase.Create(await databases.Create());
        await using var one = await FollowingCluster.Start(feed.Url, silos: 1, settings: database.Settings);
        await one.Started();
        await Saved(database, feed.Last);
        var epoch = await Epoch(database);

        // A second cluster of the same service is what a partition makes of one: two activations that do not know of each other.
        await using var other = await FollowingCluster.Start(feed.Url, silos: 1, settings: database.Settings);
        await FollowingCluster.Until(async () => await Epoch(database) > epoch + 1);
        feed.Publish(new Evenement("F1", 1));

        await one.Known("F1", 1);
        await other.Known("F1", 1);
        await Saved(database, feed.Last);
        Assert.Single(feed.Polls, poll => poll.Apres is null);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task What_was_told_but_not_stored_is_told_again_only_if_another_had_the_cursor_in_between(bool another)
    {
        await using var feed = await FakeFeed.Start();
        await using var database = await EvenementsDatabase.Create(await databases.Create());
        await using var before = new RunningFollower(feed.Url, TimeSpan.FromMinutes(7), database.ConnectionString);
        var silo = before.Add();
        before.Start();
        await before.Until(() => !silo.Ordres.IsEmpty, TimeSpan.FromSeconds(1));
        await FollowingCluster.Until(async () =>
        {
            before.Time.Advance(TimeSpan.FromSeconds(1));
            return await database.Curseur(Service) == feed.Last;
        });
        var stored = feed.Last;

        // Time stands still: nothing more is stored.
        feed.Publish(new Evenement("F1", 1));
        await before.Until(() => silo.Versions.ContainsKey("F1"), TimeSpan.Zero);
        var handover = await before.Stop();
        Assert.Equal((feed.Last, stored), (handover?.Curseur, await database.Curseur(Service)));
        if (another)
            await database.Store(Service).Claim(TestContext.Current.CancellationToken);

        await using var after = new RunningFollower(feed.Url, TimeSpan.FromMinutes(7), database.ConnectionString);
        after.Add();
        feed.Polls.Clear();
        after.Start(handover);
        await after.Until(() => !feed.Polls.IsEmpty, TimeSpan.Zero);
        Assert.Equal(another ? stored : handover!.Curseur, feed.Polls.First().Apres);
    }

    private static Task<long> Epoch(EvenementsDatabase database) =>
        PostgresServer.Scalar<long>(database.ConnectionString, $"SELECT epoch FROM evenements_curseur WHERE service_id = '{Service}'");

    private static Task Saved(EvenementsDatabase database, string curseur) =>
        FollowingCluster.Until(async () => await database.Curseur(Service) == curseur);
}
