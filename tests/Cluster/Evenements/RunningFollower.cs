using System.Collections.Concurrent;
using System.Net;
using DroitsAmeli.Grains.Evenements;
using DroitsAmeli.Grains.Familles;
using DroitsAmeli.Grains.RegimeSi;
using DroitsAmeli.Grains.Storage;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Microsoft.Extensions.Time.Testing;
using Orleans.Configuration;
using Orleans.Runtime;

namespace DroitsAmeli.Tests.Cluster.Evenements;

/// <summary>A follower without a cluster around it, on a fake clock: the silos are no more than what they were told.</summary>
public sealed class RunningFollower : IAsyncDisposable
{
    private readonly ConcurrentDictionary<SiloAddress, Told> silos = new();
    private readonly TaskFactory turns = new(new ConcurrentExclusiveSchedulerPair().ExclusiveScheduler);
    private readonly CancellationTokenSource stop = new();
    private readonly EvenementsClient client;
    private readonly EvenementsStore store;
    private readonly EvenementsFollower follower;
    private Task running = Task.CompletedTask;

    /// <param name="url">Of the régime SI.</param>
    /// <param name="staleSpread">Over how long everything becomes stale.</param>
    /// <param name="connectionString">Of the database; null for none.</param>
    /// <param name="beginsAll">See <see cref="EvenementsFollower.BeginsAll"/>.</param>
    /// <param name="waitSeconds">See <see cref="EvenementsOptions.WaitSeconds"/>: long enough that no step of the clock ends a poll.</param>
    public RunningFollower(string url, TimeSpan staleSpread, string? connectionString = null, bool beginsAll = false, int waitSeconds = 1)
    {
        var si = Options.Create(new RegimeSiOptions { BaseUrl = url, TimeoutSeconds = 4 });
        var options = Options.Create(new EvenementsOptions { WaitSeconds = waitSeconds, StaleSpreadMinutes = staleSpread.TotalMinutes });
        client = new EvenementsClient(si, options, Time);
        store = new EvenementsStore(
            Options.Create(new StorageOptions { ConnectionString = connectionString }),
            Options.Create(new ClusterOptions { ServiceId = FollowingCluster.ServiceId }));
        var told = new FamillesSilos(
            () => [.. silos.Keys],
            async (silo, evenements) =>
            {
                await Task.Yield();
                return await silos[silo].Announce(evenements);
            },
            async (silo, ordre) =>
            {
                await Task.Yield();
                return await silos[silo].Obey(ordre);
            });
        follower = new(client, store, told, new RecentEvenements(Time), options, si, Time, new Lines(Logged)) { BeginsAll = beginsAll };
    }

    public FakeTimeProvider Time { get; } = new(new DateTimeOffset(2026, 11, 23, 9, 0, 0, TimeSpan.Zero));

    /// <summary>What an operator reads.</summary>
    public ConcurrentQueue<string> Logged { get; } = new();

    /// <summary>A silo comes.</summary>
    public Told Add()
    {
        var told = new Told();
        silos[SiloAddress.New(IPAddress.Loopback, 11_111 + silos.Count, 1)] = told;
        return told;
    }

    public void Start(Handover? handedOver = null) => running = turns.StartNew(() => follower.Run(handedOver, stop.Token)).Unwrap();

    /// <summary>Ends it as a silo that stops does.</summary>
    public async Task<Handover?> Stop()
    {
        await turns.StartNew(() => follower.Finish(TimeSpan.FromSeconds(30))).Unwrap();
        await stop.CancelAsync();
        await running.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        return await turns.StartNew(() => follower.Handover);
    }

    /// <summary>Lets time pass until something is so.</summary>
    public Task Until(Func<bool> condition, TimeSpan step) => FollowingCluster.Until(() =>
    {
        if (condition())
            return true;
        Time.Advance(step);
        return false;
    });

    public async ValueTask DisposeAsync()
    {
        await stop.CancelAsync();
        await running.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        follower.Dispose();
        client.Dispose();
        await store.DisposeAsync();
        stop.Dispose();
    }

    private sealed class Lines(ConcurrentQueue<string> to) : ILogger<EvenementsFollower>
    {
        public IDisposable? BeginScope<TState>(TState state) where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
            to.Enqueue(formatter(state, exception));
    }
}
