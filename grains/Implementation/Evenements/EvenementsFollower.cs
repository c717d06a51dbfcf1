using DroitsAmeli.Grains.Familles;
using DroitsAmeli.Grains.RegimeSi;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace DroitsAmeli.Grains.Evenements;

/// <summary>
/// Follows the régime SI's change feed: for each batch the stored families first, then every silo, then again the stored ones of the families
/// that were held, and only then the cursor. A silo or a database that does not answer holds back the cursor, nothing else.
/// </summary>
/// <remarks>
/// Must run on a scheduler that does one thing at a time, such as a grain's. Its parts: <see cref="FeedReader"/> reads ahead,
/// <see cref="StoreLane"/> and <see cref="SiloLanes"/> tell, <see cref="CurseurKeeper"/> stores how far everybody was told.
/// </remarks>
public sealed class EvenementsFollower : IDisposable
{
    private const int EnoughForABatch = 10_000;
    private static readonly TimeSpan StorePatience = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan Upkeep = TimeSpan.FromMilliseconds(200);
    private static readonly TimeSpan FinishPause = TimeSpan.FromMilliseconds(20);

    private readonly EvenementsStore store;
    private readonly TimeProvider time;
    private readonly FeedProgress progress = new();
    private readonly FeedAlarms alarms;
    private readonly FeedReader reader;
    private readonly MissedEvenements missed;
    private readonly StoreLane stored;
    private readonly SiloLanes lanes;
    private readonly CurseurKeeper keeper;

    private CancellationToken stopping;
    private long digesting = long.MaxValue;

    public EvenementsFollower(
        EvenementsClient client,
        EvenementsStore store,
        FamillesSilos silos,
        RecentEvenements recent,
        IOptions<EvenementsOptions> options,
        IOptions<RegimeSiOptions> si,
        TimeProvider time,
        ILogger<EvenementsFollower> logger)
    {
        (this.store, this.time) = (store, time);
        alarms = new(time, logger);
        reader = new(client, alarms, time);
        missed = new(silos, NewOrdres(), store.IsConfigured, alarms, time);
        stored = new(store, (number, evenements) => lanes!.Tell(number, evenements), time);
        lanes = new(silos, recent, missed, progress, StoreHeld, NewOrdres, StoreCover, time);
        keeper = new(store, progress, OldestPending, alarms, time);

        StaleOrdres NewOrdres() => new(options.Value.StaleSpread, si.Value.Timeout);
    }

    /// <summary>True when no family can be held from before it: what its beginning makes stale was never missed.</summary>
    public bool BeginsAll { get; init; }

    /// <summary>What the next follower goes on from; null when there is nothing to go on from.</summary>
    public Handover? Handover => keeper.Handover;

    /// <summary>Follows the feed until it is told to stop.</summary>
    /// <param name="handedOver">What the follower before has left; null when there was none, or it was lost.</param>
    /// <param name="stop">Ends it, with an <see cref="OperationCanceledException"/>.</param>
    /// <exception cref="CurseurTakenOverException">Another follower has taken the cursor over.</exception>
    public async Task Run(Handover? handedOver, CancellationToken stop)
    {
        using var end = CancellationTokenSource.CreateLinkedTokenSource(stop);
        stopping = end.Token;
        Task[] work = [];
        try
        {
            lanes.Open(stopping);
            await FindStart(handedOver);
            work = [reader.Run(stopping), Digest(), keeper.Keep(stored, reader.ReadAgainFrom, stopping), WatchSilos(), stored.Run(stopping)];
            await await Task.WhenAny(work);
        }
        finally
        {
            await end.CancelAsync();
            await Task.WhenAll([.. work, .. lanes.Talks]).ContinueWith(_ => { }, CancellationToken.None, TaskContinuationOptions.None, TaskScheduler.Current);
        }
    }

    /// <summary>Reads no more, and waits for what was read to be carried out, so that <see cref="Handover"/> leaves nothing to repeat.</summary>
    /// <param name="patience">For so long, by the system's clock; what is not carried out by then is read again by whoever goes on.</param>
    public async Task Finish(TimeSpan patience)
    {
        reader.Finish();
        var since = TimeProvider.System.GetTimestamp();
        while ((reader.Pages.TryPeek(out _) || OldestPending() != long.MaxValue) && TimeProvider.System.GetElapsedTime(since) < patience)
            await Task.Delay(FinishPause, TimeProvider.System);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        reader.Dispose();
        stored.Dispose();
        lanes.Dispose();
    }

    private async Task FindStart(Handover? handedOver)
    {
        var (curseur, storesNothing) = await keeper.TakeOver(handedOver, stopping);
        var isFirst = storesNothing || (BeginsAll && !store.IsConfigured);
        reader.BeginAt(curseur, curseur is not null ? null : isFirst ? RestartReason.First : RestartReason.Lost);
    }

    private async Task Digest()
    {
        while (await reader.Pages.WaitToReadAsync(stopping))
        {
            var evenements = new List<Evenement>();
            string? curseur = null;
            while (evenements.Count < EnoughForABatch && reader.Pages.TryPeek(out var read) && (read.Restart is null || curseur is null))
            {
                await reader.Pages.ReadAsync(stopping);
                if (!reader.Counts(read))
                    continue;
                if (read.Restart is not null)
                    StartAnew(read.Curseur, read.Restart);
                evenements.AddRange(read.Evenements);
                curseur = read.Curseur;
            }
            if (curseur is not null)
                await Carry(progress.Begin(curseur), Coalesce.Newest(evenements));
        }
    }

    private async Task Carry(long number, Evenement[] evenements)
    {
        if (evenements.Length == 0)
            return;

        digesting = number;
        var closings = lanes.Closings;
        if (store.IsConfigured && (stored.IsFailing || stored.GivenUp is not null || !await TrySupersede(evenements)))
            stored.Add(number, evenements, tellAgain: true);
        lanes.Tell(number, evenements);

        // A silo that has died since the first statement may have written rows that the statement did not see.
        if (lanes.Closings != closings)
            StoreHeld(number, evenements);
        digesting = long.MaxValue;
    }

    private async Task<bool> TrySupersede(Evenement[] evenements)
    {
        using var patience = new CancellationTokenSource(StorePatience, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(patience.Token, stopping);
        try
        {
            await store.Supersede(evenements, either.Token);
            return true;
        }
        catch (Exception error) when (!stopping.IsCancellationRequested)
        {
            alarms.StoreFailed(error);
            return false;
        }
    }

    private void StoreHeld(long number, Evenement[] held)
    {
        if (store.IsConfigured)
            stored.Add(number, held, tellAgain: false);
    }

    private void StoreCover(long number, Ordre ordre)
    {
        if (store.IsConfigured)
            stored.Add(number, ordre);
    }

    private async Task WatchSilos()
    {
        while (true)
        {
            lanes.Meet();
            alarms.RecordLag();
            await Task.Delay(Upkeep, time, stopping);
        }
    }

    /// <summary>Makes everything that was loaded before now stale, and goes on from a cursor that has nothing to do with the last one.</summary>
    private void StartAnew(string curseur, string reason)
    {
        lanes.Meet();
        var number = progress.Begin(curseur);
        var ordre = missed.Cover(reason, out var isNew);

        // One that was given before as well: the feed may have been read again from before it, and what waited for the database was dropped.
        if (store.IsConfigured && reason != RestartReason.First)
            stored.Add(number, ordre);
        if (!isNew)
            return;

        lanes.Tell(number, ordre);
        missed.Report(reason, ordre);
    }

    private long OldestPending() => Math.Min(digesting, Math.Min(stored.Oldest, lanes.Oldest));
}
