namespace DroitsAmeli.Grains.Evenements;

/// <summary>Knows up to where everybody was told, and stores it. Lives on one scheduler; not thread-safe.</summary>
/// <param name="store">Where the cursor is stored.</param>
/// <param name="progress">What was begun.</param>
/// <param name="oldestPending">The least number of what is still to be done; <see cref="long.MaxValue"/> when nothing.</param>
/// <param name="alarms">Are told of the progress, and of a database that fails.</param>
/// <param name="time">The clock.</param>
internal sealed class CurseurKeeper(EvenementsStore store, FeedProgress progress, Func<long> oldestPending, FeedAlarms alarms, TimeProvider time)
{
    private static readonly TimeSpan ClaimPatience = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan Upkeep = TimeSpan.FromMilliseconds(200);
    private static readonly TimeSpan Heartbeat = TimeSpan.FromSeconds(10);

    private string? carried;
    private string? saved;
    private long? epoch;
    private bool chainBroken;

    /// <summary>Up to where everybody was told; null when that is nowhere.</summary>
    public string? Curseur
    {
        get
        {
            if (progress.Advance(oldestPending()) is { } reached)
                carried = reached;
            return carried;
        }
    }

    /// <summary>What the next follower goes on from; null when there is nothing to go on from.</summary>
    public Handover? Handover => Curseur is { } curseur ? new(curseur, epoch) : null;

    /// <summary>Takes the cursor over, if the database answers in time.</summary>
    /// <param name="handedOver">What the follower before has left.</param>
    /// <param name="stopping">Ends the wait.</param>
    /// <returns>Where to go on, null when that is not known; and whether nothing can be stored from before.</returns>
    public async Task<(string? Curseur, bool StoresNothing)> TakeOver(Handover? handedOver, CancellationToken stopping)
    {
        var claim = await Claim(handedOver is null ? ClaimPatience : TimeSpan.Zero, stopping);
        epoch = claim?.Epoch;
        saved = claim?.Curseur;

        // While nobody has it in between, what is stored is not newer than what is handed over.
        var isNext = claim is not null && claim.Epoch == handedOver?.Epoch + 1;
        carried = isNext ? handedOver!.Curseur : saved ?? handedOver?.Curseur;

        // What was missed meanwhile is read when the database is back; until then the families that are held must not look current.
        chainBroken = store.IsConfigured && claim is null && handedOver is null;
        return (carried, claim is { StoresFamilies: false });
    }

    /// <summary>Stores the cursor as it advances, until it is told to stop.</summary>
    /// <param name="stored">What the database is still to be told; when it has given something up the feed is read again.</param>
    /// <param name="readAgainFrom">Called with the cursor from which the feed is to be read again; null: it is lost.</param>
    /// <param name="stopping">Ends it.</param>
    /// <exception cref="CurseurTakenOverException">Another follower has taken it over.</exception>
    public async Task Keep(StoreLane stored, Action<string?> readAgainFrom, CancellationToken stopping)
    {
        var savedAt = time.GetTimestamp();
        while (true)
        {
            await Task.Delay(Upkeep, time, stopping);
            alarms.LookAt(Curseur, oldestPending() == long.MaxValue);
            if (!store.IsConfigured)
                continue;

            try
            {
                if (epoch is null)
                    await TakeOverLate(ReadAgain, stopping);
                else if (Curseur is var saving && (saving != saved || time.GetElapsedTime(savedAt) >= Heartbeat || stored.GivenUp is not null))
                {
                    if (!await store.Save(saving, epoch.Value, stopping))
                        throw new CurseurTakenOverException();
                    (saved, savedAt) = (saving, time.GetTimestamp());
                    if (stored.GivenUp is not null)
                        ReadAgain(saving);
                }
            }
            catch (Exception error) when (error is not CurseurTakenOverException && !stopping.IsCancellationRequested)
            {
                alarms.StoreFailed(error);
                await Task.Delay(Pause, time, stopping);
            }
        }

        void ReadAgain(string? curseur)
        {
            progress.Rewind();
            stored.Clear();
            carried = curseur;
            readAgainFrom(curseur);
        }
    }

    private async Task<CurseurClaim?> Claim(TimeSpan patience, CancellationToken stopping)
    {
        if (!store.IsConfigured)
            return null;

        var since = time.GetTimestamp();
        while (true)
        {
            if (await TryClaim(stopping) is { } claim)
                return claim;
            if (time.GetElapsedTime(since) >= patience)
                return null;
            await Task.Delay(Pause, time, stopping);
        }
    }

    private async Task<CurseurClaim?> TryClaim(CancellationToken stopping)
    {
        try
        {
            return await store.Claim(stopping);
        }
        catch (Exception error) when (!stopping.IsCancellationRequested)
        {
            alarms.StoreFailed(error);
            return null;
        }
    }

    private async Task TakeOverLate(Action<string?> readAgain, CancellationToken stopping)
    {
        var claim = await store.Claim(stopping);
        epoch = claim.Epoch;
        if (chainBroken && claim.Curseur is not null)
            readAgain(claim.Curseur);
        chainBroken = false;
    }
}
