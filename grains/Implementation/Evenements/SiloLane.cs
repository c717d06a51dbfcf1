using DroitsAmeli.Grains.Familles;

namespace DroitsAmeli.Grains.Evenements;

/// <summary>
/// What one silo is still to be told. Each silo has its own lane, so that one that does not answer delays nobody but the stored cursor; and a
/// batch whose answer is late, because the silo first has to write what it was writing, does not delay the next. The order is of no account:
/// versions only grow. Lives on one scheduler; not thread-safe.
/// </summary>
/// <param name="announce">Tells the silo; returns the families held there.</param>
/// <param name="obey">Gives the silo an order.</param>
/// <param name="held">Called with the number and the events of the families that were held, or may have been, before they count as told.</param>
/// <param name="missed">The orders that stand for events that were too many to keep.</param>
/// <param name="covered">Called with such an order, and the number of the first event it stands for.</param>
/// <param name="time">The clock.</param>
internal sealed class SiloLane(
    Func<Evenement[], Task<string[]>> announce,
    Func<Ordre, Task<int>> obey,
    Action<long, Evenement[]> held,
    StaleOrdres missed,
    Action<long, Ordre> covered,
    TimeProvider time) : IDisposable
{
    /// <summary>Events kept for a silo that does not answer.</summary>
    internal const int Capacity = 200_000;

    private const int LargestBatch = 5_000;
    private const int CallsAtOnce = 8;
    private static readonly TimeSpan ShortestPatience = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan LongestPatience = TimeSpan.FromSeconds(8);
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(250);

    private readonly HashSet<Item> open = [];
    private readonly Queue<Item> untold = new();
    private readonly Queue<Item> unanswered = new();
    private readonly SemaphoreSlim waiting = new(0);
    private readonly CancellationTokenSource gone = new();
    private int kept;

    /// <summary>The least number of what is still to be told; <see cref="long.MaxValue"/> when nothing.</summary>
    public long Oldest => open.Count == 0 ? long.MaxValue : open.Min(item => item.Number);

    public void Add(long number, Evenement[] evenements)
    {
        if (kept + evenements.Length > Capacity && open.Count > 0)
        {
            number = Math.Min(number, Oldest);
            var ordres = open.Where(item => item.Ordre is not null).ToArray();
            Clear();
            foreach (var ordre in ordres)
                Open(ordre);
            var cover = missed.Cover(time.GetUtcNow(), out var isNew);
            if (isNew)
                Add(number, cover);

            // What the silo writes until it obeys outlives it: who reads the store must obey too, all silos. One that was given before may have
            // been dropped on its way to the store.
            covered(number, cover);
            Telemetry.EvenementsResets.Add(1, new KeyValuePair<string, object?>("reason", "silo_behind"));
            return;
        }

        foreach (var batch in evenements.Chunk(LargestBatch))
            Open(new Item(number, batch, null) { Weight = batch.Length });
    }

    public void Add(long number, Ordre ordre) => Open(new Item(number, [], ordre));

    /// <summary>Adds events that are kept elsewhere too, however many: they leave as much room as there was.</summary>
    public void AddKnown(long number, Evenement[] evenements)
    {
        foreach (var batch in evenements.Chunk(LargestBatch))
            Open(new Item(number, batch, null));
    }

    /// <summary>Tells the silo until it is dead, which ends the lane for good, or <paramref name="stop"/> is cancelled.</summary>
    public async Task Run(CancellationToken stop)
    {
        using var end = CancellationTokenSource.CreateLinkedTokenSource(stop, gone.Token);
        try
        {
            await Task.WhenAll(Enumerable.Range(0, CallsAtOnce).Select(_ => Work(end.Token)));
        }
        catch (OperationCanceledException) when (end.IsCancellationRequested)
        {
            // The silo is dead, or the follower stops.
        }
        finally
        {
            if (gone.IsCancellationRequested)
                Dispose();
        }
    }

    /// <summary>The silo is dead: nothing is to be told to it any more. It may have held, and written, what it never answered for.</summary>
    public void Close()
    {
        foreach (var item in open.Where(item => item.Weight > 0).OrderBy(item => item.Number))
            held(item.Number, item.Evenements);
        Clear();
        gone.Cancel();
    }

    public void Dispose()
    {
        gone.Dispose();
        waiting.Dispose();
    }

    private void Open(Item item)
    {
        open.Add(item);
        kept += item.Weight;
        untold.Enqueue(item);
        waiting.Release();
    }

    private void Clear()
    {
        open.Clear();
        untold.Clear();
        unanswered.Clear();
        kept = 0;
    }

    private async Task Work(CancellationToken stop)
    {
        while (true)
        {
            await waiting.WaitAsync(stop);
            if ((untold.TryDequeue(out var item) || unanswered.TryDequeue(out item)) && open.Contains(item) && !await TryTell(item, stop))
            {
                // Whatever the reason, it may hold families that do not know yet.
                Telemetry.EvenementsRetries.Add(1, new KeyValuePair<string, object?>("target", "silo"));
                await Task.Delay(Pause, time, stop);
                if (open.Contains(item) && !item.IsTold)
                {
                    unanswered.Enqueue(item);
                    waiting.Release();
                }
            }
        }
    }

    private async Task<bool> TryTell(Item item, CancellationToken stop)
    {
        var telling = Tell(item);
        telling.Ignore();
        try
        {
            await telling.WaitAsync(item.NextPatience(), time, stop);
            return true;
        }
        catch (Exception) when (!stop.IsCancellationRequested)
        {
            return item.IsTold;
        }
    }

    private async Task Tell(Item item)
    {
        item.Calls++;
        try
        {
            if (item.Ordre is { } ordre)
                await obey(ordre);
            else if (await announce(item.Evenements) is var familles && open.Contains(item))
                NoteHeld(item, familles);
            item.IsTold = true;
        }
        catch (Exception)
        {
            // What it found, and has written by now, nobody says again.
            item.HasLostAnswer = true;
            if (item.IsTold && open.Contains(item))
                held(item.Number, item.Evenements);
            throw;
        }
        finally
        {
            // A late answer may name families that no other names: what they were writing is written by now.
            if (--item.Calls == 0 && item.IsTold && open.Remove(item))
                kept -= item.Weight;
        }
    }

    private void NoteHeld(Item item, string[] familles)
    {
        if (item.HasLostAnswer && item.Evenements.Length > 0)
        {
            held(item.Number, item.Evenements);
            return;
        }

        if (familles.Length == 0)
            return;
        var names = familles.ToHashSet(StringComparer.Ordinal);
        held(item.Number, [.. item.Evenements.Where(evenement => names.Contains(evenement.Famille))]);
    }

    private sealed class Item(long number, Evenement[] evenements, Ordre? ordre)
    {
        private TimeSpan patience = ShortestPatience;

        public long Number => number;
        public Evenement[] Evenements => evenements;
        public Ordre? Ordre => ordre;
        public int Weight { get; init; }

        /// <summary>Calls that are not answered yet.</summary>
        public int Calls { get; set; }

        /// <summary>True once the silo has answered one.</summary>
        public bool IsTold { get; set; }

        /// <summary>True once a call has failed: it may have been carried out.</summary>
        public bool HasLostAnswer { get; set; }

        /// <summary>How long to wait this time: longer each time, for a silo that is alive may need it.</summary>
        public TimeSpan NextPatience()
        {
            var now = patience;
            patience = patience * 2 < LongestPatience ? patience * 2 : LongestPatience;
            return now;
        }
    }
}
