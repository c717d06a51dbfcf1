using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using DroitsAmeli.Grains.Familles;
using DroitsAmeli.Simulators;
using DroitsAmeli.Simulators.RegimeSi;
using DroitsAmeli.Tests.Cache;
using DroitsAmeli.Tests.Cluster.Evenements;
using DroitsAmeli.Tests.Postgres;

namespace DroitsAmeli.Tests.Storage;

/// <summary>How much of a feed one activation digests. On a machine that does other things too the short version asks for a tenth.</summary>
public sealed class EvenementsBench(Databases databases)
{
    private const string Service = FollowingCluster.ServiceId;
    private const int Stored = 100_000;
    private const double DigestedWanted = 10_000;

    /// <summary>T14: p99 from the event to the silos.</summary>
    private const double ToldWithinMs = 2_000;

    private static readonly double LeastDigested = Scale.Of(DigestedWanted / 10, DigestedWanted);

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_hundred_thousand_events_at_once_are_told_to_three_silos_and_to_the_database()
    {
        const int Events = 100_000;
        await using var database = await EvenementsDatabase.Create(await databases.Create());
        var population = new Population(1, 1_000_000, TimeProvider.System);
        await database.HoldMany(Service, Enumerable.Range(0, Stored).Select(n => population.IdAt(n)));
        await using var si = RegimeSiSimulator.Create(
            new RegimeSiSimulatorOptions { Port = 0, AdminPort = 0, FeedCapacity = 1_000_000, EnvironmentName = "Sandbox" }, population: population);
        await si.StartAsync(Cancellation);
        await using var cluster = await FollowingCluster.Start(
            RegimeSiSimulator.BaseUrl(si).ToString(), settings: database.Settings, held: [.. Enumerable.Range(0, 20_000).Select(n => population.IdAt(n * 5L))]);
        await cluster.Started();
        using var admin = new HttpClient { BaseAddress = RegimeSiSimulator.AdminUrl(si) };
        using var http = new HttpClient { BaseAddress = RegimeSiSimulator.BaseUrl(si) };

        var began = Stopwatch.GetTimestamp();
        var answer = await admin.PostAsJsonAsync("/sandbox/evenements/rafale", new { nombre = Events }, Cancellation);
        answer.EnsureSuccessStatusCode();
        var published = Stopwatch.GetElapsedTime(began);
        await FollowingCluster.Until(() => cluster.Told.All(told => told.Versions.Count == Events), seconds: 120);
        var told = Stopwatch.GetElapsedTime(began);
        var end = (string)JsonNode.Parse(await http.GetStringAsync("/si/v1/evenements", Cancellation))!["curseur"]!;
        await FollowingCluster.Until(async () => await database.Curseur(Service) == end, seconds: 120);
        var saved = Stopwatch.GetElapsedTime(began);

        var raised = await PostgresServer.Scalar<long>(database.ConnectionString, "SELECT count(*) FROM orleansstorage WHERE least_version > 0");
        var (toldPerSecond, savedPerSecond) = (Events / told.TotalSeconds, Events / saved.TotalSeconds);
        Figures.Add(
            "feed", $"burst of {Events}, {Stored} stored, 3 silos: published in {published.TotalSeconds:F1} s",
            $"told {toldPerSecond:F0} events/s, cursor stored after {saved.TotalSeconds:F1} s ({savedPerSecond:F0} events/s)", $">= {DigestedWanted:F0} events/s",
            ("told_per_second", toldPerSecond), ("saved_per_second", savedPerSecond));
        Assert.Equal(Stored, raised);
        Assert.InRange(toldPerSecond, LeastDigested, double.MaxValue);
        Assert.InRange(savedPerSecond, LeastDigested, double.MaxValue);
    }

    [Fact]
    public async Task Ten_thousand_events_a_second_are_told_to_three_silos_in_good_time()
    {
        const int PerTick = 500;
        const int Ticks = 200;
        await using var database = await EvenementsDatabase.Create(await databases.Create());
        await database.HoldMany(Service, Enumerable.Range(0, Stored).Select(Name));
        await using var feed = await FakeFeed.Start();
        feed.PageSize = 5_000;
        await using var cluster = await FollowingCluster.Start(
            feed.Url, settings: database.Settings, held: [.. Enumerable.Range(0, 20_000).Select(n => Name(n * 5))]);
        await cluster.Started();
        var delays = new ConcurrentBag<double>();
        foreach (var told in cluster.Told)
        {
            told.Before = evenements =>
            {
                foreach (var evenement in evenements.Where(evenement => evenement.Version > told.Versions.GetValueOrDefault(evenement.Famille)))
                    delays.Add(Stopwatch.GetElapsedTime(evenement.Version).TotalMilliseconds);
                return Task.CompletedTask;
            };
        }

        // A version is the instant of its event, so that whoever hears of it knows its age.
        var began = Stopwatch.GetTimestamp();
        for (var tick = 0; tick < Ticks; tick++)
        {
            var now = Stopwatch.GetTimestamp();
            feed.Publish([.. Enumerable.Range(tick * PerTick, PerTick).Select(n => new Evenement(Name(n), now))]);
            if (TimeSpan.FromMilliseconds(50 * (tick + 1)) - Stopwatch.GetElapsedTime(began) is { Ticks: > 0 } rest)
                await Task.Delay(rest, TimeProvider.System, Cancellation);
        }
        var published = Stopwatch.GetElapsedTime(began);
        await FollowingCluster.Until(() => cluster.Told.All(told => told.Versions.Count == PerTick * Ticks), seconds: 120);
        await FollowingCluster.Until(async () => await database.Curseur(Service) == feed.Last, seconds: 120);
        var saved = Stopwatch.GetElapsedTime(began);

        var sorted = delays.Order().ToArray();
        var (perSecond, digested, p99) = (PerTick * Ticks / published.TotalSeconds, PerTick * Ticks / saved.TotalSeconds, sorted[sorted.Length * 99 / 100]);
        Figures.Add(
            "feed", $"{perSecond:F0} events/s for {published.TotalSeconds:F1} s, {Stored} stored, 3 silos",
            $"to a silo p50 {sorted[sorted.Length / 2]:F0} ms, p99 {p99:F0} ms, worst {sorted[^1]:F0} ms; cursor stored {(saved - published).TotalSeconds:F1} s after the last event",
            "p99 <= 2 s",
            ("per_second", perSecond), ("digested_per_second", digested), ("p99_ms", p99), ("worst_ms", sorted[^1]), ("cursor_late_seconds", (saved - published).TotalSeconds));
        Assert.InRange(sorted.Length, 3 * PerTick * Ticks, int.MaxValue);

        // The stream itself was as fast as it should be, and what was late at its end is small beside it.
        Assert.InRange(perSecond, Scale.Of(0.5, 0.99) * DigestedWanted, double.MaxValue);
        Assert.InRange(digested, Scale.Of(0.1, 0.8) * DigestedWanted, double.MaxValue);
        Assert.InRange(p99, 0, Scale.Of(5 * ToldWithinMs, ToldWithinMs));
        Assert.Equal(Stored, await PostgresServer.Scalar<long>(database.ConnectionString, "SELECT count(*) FROM orleansstorage WHERE least_version > 0"));
    }

    private static string Name(int n) => "F" + n.ToString(CultureInfo.InvariantCulture);
}
