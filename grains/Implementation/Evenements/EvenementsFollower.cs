using System.Threading.Channels;
using DroitsAmeli.Grains.Familles;
using DroitsAmeli.Grains.RegimeSi;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace DroitsAmeli.Grains.Evenements;

/// <summary>
/// Follows the régime SI's change feed: for each batch the stored families first, then every silo, then again the stored ones of the families
/// that were held, and only then the cursor. A silo or a database that does not answer holds back the cursor, nothing else.
/// </summary>
/// <remarks>Must run on a scheduler that does one thing at a time, such as a grain's.</remarks>
public sealed partial class EvenementsFollower : IDisposable
{
    private const string First = "first";
    private const string Lost = "lost";
    private const string Gone = "gone";
    private const int PagesAhead = 16;
    private const int EnoughForABatch = 10_000;
    private static readonly TimeSpan StorePatience = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan ClaimPatience = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan ShortestPause = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan Upkeep = TimeSpan.FromMilliseconds(200);
    private static readonly TimeSpan FinishPause = TimeSpan.FromMilliseconds(20);
    private static readonly TimeSpan Heartbeat = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan AlarmAfter = TimeSpan.FromMinutes(5);

    private readonly EvenementsClient client;
    private readonly EvenementsStore store;
    private readonly FamillesSilos silos;
    private readonly RecentEvenements recent;
    private readonly EvenementsOptions options;
    private readonly TimeSpan longestLoad;
    private readonly TimeProvider time;
    private readonly ILogger logger;

    private readonly FeedProgress progress = new();
    private readonly StaleOrdres missed;
    private readonly StoreLane stored;
    private readonly Dictionary<SiloAddress, SiloLane> lanes = [];
    private readonly List<Task> talks = [];
    private readonly Channel<PageRead> pages = Channel.CreateBounded<PageRead>(PagesAhead);

    private CancellationToken stopping;
    private CancellationTokenSource? poll;
    private string? carried;
    private string? saved;
    private string? readUpTo;
    private bool finishing;
    private string? restart;
    private int reading;
    private long digesting = long.MaxValue;
    private long? epoch;
    private bool chainBroken;
    private Ordre? unreported;
    private long lastAnswer;
    private long lastAdvance;
    private string? lastCurseur;
    private long lastFeedAlarm;
    private long lastCursorAlarm;

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
        (this.client, this.store, this.silos, this.recent) = (client, store, silos, recent);
        (this.options, this.time, this.logger) = (options.Value, time, logger);
        longestLoad = si.Value.Timeout;
        missed = NewOrdres();
        stored = new StoreLane(store, TellSilos, time);
        lastAnswer = lastAdvance = lastFeedAlarm = lastCursorAlarm = time.GetTimestamp();
    }

    /// <summary>True when no family can be held from before it: what its beginning makes stale was never missed.</summary>
    public bool BeginsAll { get; init; }

    /// <summary>What the next follower goes on from; null when there is nothing to go on from.</summary>
    public Handover? Handover => Curseur is { } curseur ? new(curseur, epoch) : null;

    private string? Curseur
    {
        get
        {
            if (progress.Advance(OldestPending()) is { } reached)
                carried = reached;
            return carried;
        }
    }

    /// <summary>Follows the feed until it is told to stop.</summary>
    /// <param name="handedOver">What the follower before has left; null when there was none, or it was lost.</param>
    /// <param name="stop">Ends it, with an <see cref="OperationCanceledException"/>.</param>
    /// <exception cref="CurseurTakenOverException">Another follower has taken the cursor over.</exception>
    public async Task Run(Handover? handedOver, CancellationToken stop)
    {
        using var end = CancellationTokenSource.CreateLinkedTokenSource(stop);
        stopping = end.Token;
        try
        {
            MeetSilos();
            await FindStart(handedOver);
            Task[] work = [Read(), Digest(), KeepCurseur(), WatchSilos(), stored.Run(stopping)];
            talks.AddRange(work);
            await await Task.WhenAny(work);
        }
        finally
        {
            await end.CancelAsync();
            await Task.WhenAll(talks).ContinueWith(_ => { }, CancellationToken.None, TaskContinuationOptions.None, TaskScheduler.Current);
        }
    }

    /// <summary>Reads no more, and waits for what was read to be carried out, so that <see cref="Handover"/> leaves nothing to repeat.</summary>
    /// <param name="patience">For so long, by the system's clock; what is not carried out by then is read again by whoever goes on.</param>
    public async Task Finish(TimeSpan patience)
    {
        finishing = true;
        poll?.Cancel();
        var since = TimeProvider.System.GetTimestamp();
        while ((pages.Reader.TryPeek(out _) || OldestPending() != long.MaxValue) && TimeProvider.System.GetElapsedTime(since) < patience)
            await Task.Delay(FinishPause, TimeProvider.System);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        poll?.Dispose();
        stored.Dispose();
        foreach (var lane in lanes.Values)
            lane.Dispose();
    }

    private async Task FindStart(Handover? handedOver)
    {
        var claim = await Claim(handedOver is null ? ClaimPatience : TimeSpan.Zero);
        epoch = claim?.Epoch;
        saved = claim?.Curseur;

        // While nobody has it in between, what is stored is not newer than what is handed over.
        var isNext = claim is not null && claim.Epoch == handedOver?.Epoch + 1;
        carried = readUpTo = isNext ? handedOver!.Curseur : saved ?? handedOver?.Curseur;

        // What was missed meanwhile is read when the database is back; until then the families that are held must not look current.
        chainBroken = store.IsConfigured && claim is null && handedOver is null;
        if (readUpTo is null)
            restart = claim is { StoresFamilies: false } || (BeginsAll && !store.IsConfigured) ? First : Lost;
    }

    private async Task<CurseurClaim?> Claim(TimeSpan patience)
    {
        if (!store.IsConfigured)
            return null;

        var since = time.GetTimestamp();
        while (true)
        {
            if (await TryClaim() is { } claim)
                return claim;
            if (time.GetElapsedTime(since) >= patience)
                return null;
            await Task.Delay(ShortestPause, time, stopping);
        }
    }

    private async Task<CurseurClaim?> TryClaim()
    {
        try
        {
            return await store.Claim(stopping);
        }
        catch (Exception error) when (!stopping.IsCancellationRequested)
        {
            LogStoreFailed(logger, error.GetType().Name);
            return null;
        }
    }

    private async Task Read()
    {
        var (pause, pauseWhenGone) = (ShortestPause, ShortestPause);
        var wasGone = false;
        while (true)
        {
            if (finishing)
                await Task.Delay(Timeout.InfiniteTimeSpan, time, stopping);
            var began = time.GetTimestamp();
            var (asked, round) = (readUpTo, reading);
            FeedAnswer answer;
            using (poll = CancellationTokenSource.CreateLinkedTokenSource(stopping))
            {
                try
                {
                    answer = await client.Poll(asked, poll.Token);
                }
                catch (OperationCanceledException) when (!stopping.IsCancellationRequested)
                {
                    continue;
                }
                finally
                {
                    poll = null;
                }
            }
            if (round != reading || finishing)
                continue;

            var next = ShortestPause;
            switch (answer)
            {
                case FeedAnswer.Failed failed:
                    WatchFailure();
                    await Task.Delay(failed.RetryAfter is { } wait ? Within(wait, pause, LongestPause) : pause, time, stopping);
                    pause = Longer(pause);
                    continue;

                case FeedAnswer.Gone gone:
                    // That it does not know the cursor it has just given is no answer.
                    if (wasGone)
                        WatchFailure();
                    else
                        lastAnswer = time.GetTimestamp();
                    wasGone = true;
                    readUpTo = gone.Curseur;
                    (next, pauseWhenGone) = (pauseWhenGone, Longer(pauseWhenGone));
                    if (gone.Curseur is { } from)
                        await pages.Writer.WriteAsync(new PageRead(round, [], from, Gone), stopping);
                    else
                        restart = Gone;
                    break;

                case FeedAnswer.Page page:
                    (lastAnswer, wasGone) = (time.GetTimestamp(), false);
                    (pause, pauseWhenGone) = (ShortestPause, ShortestPause);
                    readUpTo = page.Curseur;
                    Telemetry.Evenements.Add(page.Evenements.Length);
                    if (page.Evenements.Length > 0 || page.Curseur != asked)
                        await pages.Writer.WriteAsync(new PageRead(round, page.Evenements, page.Curseur, asked is null ? restart : null), stopping);
                    if (page.Evenements.Length > 0 || asked is null)
                        next = TimeSpan.Zero;
                    break;
            }

            // An SI that answers without waiting, and has nothing to tell, is not asked again at once.
            if (next - time.GetElapsedTime(began) is { Ticks: > 0 } rest)
                await Task.Delay(rest, time, stopping);
        }
    }

    private async Task Digest()
    {
        while (await pages.Reader.WaitToReadAsync(stopping))
        {
            var evenements = new List<Evenement>();
            string? curseur = null;
            while (evenements.Count < EnoughForABatch && pages.Reader.TryPeek(out var read) && (read.Restart is null || curseur is null))
            {
                await pages.Reader.ReadAsync(stopping);
                if (read.Reading != reading)
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
        if (store.IsConfigured && (stored.IsFailing || stored.GivenUp is not null || !await TrySupersede(evenements)))
            stored.Add(number, evenements, tellAgain: true);
        TellSilos(number, evenements);
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
            LogStoreFailed(logger, error.GetType().Name);
            return false;
        }
    }

    private void TellSilos(long number, Evenement[] evenements)
    {
        MeetSilos();
        recent.Add(evenements);
        foreach (var lane in lanes.Values)
            lane.Add(number, evenements);
    }

    /// <summary>Opens a lane to each silo that has come, and closes those to the dead.</summary>
    private void MeetSilos()
    {
        var present = silos.Present();
        foreach (var (silo, lane) in lanes.Where(known => !present.Contains(known.Key)).ToList())
        {
            lanes.Remove(silo);
            lane.Close();
        }

        foreach (var silo in present.Where(silo => !lanes.ContainsKey(silo)))
        {
            var lane = new SiloLane(
                evenements => silos.Announce(silo, evenements),
                ordre => Obey(silo, ordre),
                (number, held) =>
                {
                    if (store.IsConfigured)
                        stored.Add(number, held, tellAgain: false);
                },
                NewOrdres(),
                time);
            lanes.Add(silo, lane);

            // Families may have come to it before we knew of it, from silos that were told after they left.
            lane.AddKnown(progress.Last, recent.All());
            foreach (var ordre in missed.Lately(time.GetUtcNow()))
                lane.Add(progress.Last, ordre);
            talks.RemoveAll(talk => talk.IsCompleted);
            talks.Add(lane.Run(stopping));
        }
    }

    private StaleOrdres NewOrdres() => new(options.StaleSpread, longestLoad);

    private async Task WatchSilos()
    {
        while (true)
        {
            MeetSilos();
            Telemetry.EvenementsLag.Record(time.GetElapsedTime(lastAnswer).TotalSeconds);
            await Task.Delay(Upkeep, time, stopping);
        }
    }

    /// <summary>Makes everything that was loaded before now stale, and goes on from a cursor that has nothing to do with the last one.</summary>
    private void StartAnew(string curseur, string reason)
    {
        MeetSilos();
        var number = progress.Begin(curseur);
        var isNew = true;
        var ordre = reason == First ? missed.Begin(time.GetUtcNow()) : missed.Cover(time.GetUtcNow(), out isNew);

        // One that was given before as well: the feed may have been read again from before it, and what waited for the database was dropped.
        if (store.IsConfigured && reason != First)
            stored.Add(number, ordre);
        if (!isNew)
            return;

        foreach (var lane in lanes.Values)
            lane.Add(number, ordre);
        if (reason == Gone || (store.IsConfigured && reason == Lost))
            Report(reason, ordre);
        else if (reason == Lost)
            unreported = ordre;
    }

    /// <summary>Where nothing is stored, a first start cannot be told from a lost cursor before it is known that a silo holds families.</summary>
    private async Task<int> Obey(SiloAddress silo, Ordre ordre)
    {
        var concerned = await silos.Obey(silo, ordre);
        if (concerned > 0 && unreported?.Id == ordre.Id)
        {
            unreported = null;
            Report(Lost, ordre);
        }
        return concerned;
    }

    private void Report(string reason, Ordre ordre)
    {
        Telemetry.EvenementsResets.Add(1, new KeyValuePair<string, object?>("reason", reason));
        LogReset(logger, reason, (ordre.Instant + ordre.Spread - time.GetUtcNow()).TotalMinutes);
    }

    private async Task KeepCurseur()
    {
        var savedAt = time.GetTimestamp();
        while (true)
        {
            await Task.Delay(Upkeep, time, stopping);
            WatchProgress();
            if (!store.IsConfigured)
                continue;

            try
            {
                if (epoch is null)
                    await TakeOverLate();
                else if (Curseur is var saving && (saving != saved || time.GetElapsedTime(savedAt) >= Heartbeat || stored.GivenUp is not null))
                {
                    if (!await store.Save(saving, epoch.Value, stopping))
                        throw new CurseurTakenOverException();
                    (saved, savedAt) = (saving, time.GetTimestamp());
                    if (stored.GivenUp is not null)
                        ReadAgainFrom(saving);
                }
            }
            catch (Exception error) when (error is not CurseurTakenOverException && !stopping.IsCancellationRequested)
            {
                LogStoreFailed(logger, error.GetType().Name);
                await Task.Delay(ShortestPause, time, stopping);
            }
        }
    }

    private async Task TakeOverLate()
    {
        var claim = await store.Claim(stopping);
        epoch = claim.Epoch;
        if (chainBroken && claim.Curseur is not null)
            ReadAgainFrom(claim.Curseur);
        chainBroken = false;
    }

    private void ReadAgainFrom(string? curseur)
    {
        progress.Rewind();
        stored.Clear();
        reading++;
        carried = readUpTo = curseur;
        if (curseur is null)
            restart = Lost;
        poll?.Cancel();
    }

    private long OldestPending()
    {
        var oldest = Math.Min(digesting, stored.Oldest);
        foreach (var lane in lanes.Values)
            oldest = Math.Min(oldest, lane.Oldest);
        return oldest;
    }

    private void WatchFailure()
    {
        if (time.GetElapsedTime(lastAnswer) < AlarmAfter || time.GetElapsedTime(lastFeedAlarm) < AlarmAfter)
            return;
        lastFeedAlarm = time.GetTimestamp();
        Telemetry.Alarms.Add(1, new KeyValuePair<string, object?>("alarm", "evenements"));
        LogFeedFails(logger, time.GetElapsedTime(lastAnswer).TotalMinutes);
    }

    private void WatchProgress()
    {
        if (Curseur is var now && (now != lastCurseur || OldestPending() == long.MaxValue))
            (lastAdvance, lastCurseur) = (time.GetTimestamp(), now);
        var held = time.GetElapsedTime(lastAdvance);
        Telemetry.EvenementsHeldBack.Record(held.TotalSeconds);
        if (held < AlarmAfter || time.GetElapsedTime(lastCursorAlarm) < AlarmAfter)
            return;
        lastCursorAlarm = time.GetTimestamp();
        Telemetry.Alarms.Add(1, new KeyValuePair<string, object?>("alarm", "evenements_held_back"));
        LogHeldBack(logger, held.TotalMinutes);
    }

    /// <summary>A page on its way from the reader; <paramref name="Restart"/> says why it does not follow the one before, null when it does.</summary>
    private sealed record PageRead(int Reading, Evenement[] Evenements, string Curseur, string? Restart);

    private static TimeSpan Longer(TimeSpan pause) => pause * 2 < LongestPause ? pause * 2 : LongestPause;

    private static TimeSpan Within(TimeSpan wait, TimeSpan least, TimeSpan most) => wait < least ? least : wait > most ? most : wait;

    [LoggerMessage(Level = LogLevel.Warning, Message = "Events of the régime SI were missed ({Reason}): everything held is asked again within {Minutes:F0} min.")]
    private static partial void LogReset(ILogger logger, string reason, double minutes);

    [LoggerMessage(Level = LogLevel.Warning, Message = "The database does not take the change feed's part: {Error}. The silos are told all the same.")]
    private static partial void LogStoreFailed(ILogger logger, string error);

    [LoggerMessage(Level = LogLevel.Error, Message = "The régime SI's change feed has told nothing that can be followed for {Minutes:F0} min.")]
    private static partial void LogFeedFails(ILogger logger, double minutes);

    [LoggerMessage(Level = LogLevel.Error, Message = "The change feed's cursor has waited for a silo or the database for {Minutes:F0} min.")]
    private static partial void LogHeldBack(ILogger logger, double minutes);
}

/// <summary>What one follower leaves to the next.</summary>
/// <param name="Curseur">Up to where everybody was told: whoever goes on from here misses nothing.</param>
/// <param name="Epoch">Its own, see <see cref="CurseurClaim"/>; null when it never could store the cursor.</param>
public sealed record Handover(string Curseur, long? Epoch);

/// <summary>Another follower has taken the cursor over.</summary>
public sealed class CurseurTakenOverException : Exception
{
    public CurseurTakenOverException()
        : base("Another follower has taken the change feed's cursor over.")
    {
    }
}
