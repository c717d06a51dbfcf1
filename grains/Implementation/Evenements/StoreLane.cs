using DroitsAmeli.Grains.Familles;

namespace DroitsAmeli.Grains.Evenements;

/// <summary>What the database is still to be told, in order. Lives on one scheduler; not thread-safe.</summary>
/// <param name="store">The database.</param>
/// <param name="tellSilos">
/// Called for events that the silos heard of before the database did: a family may have been read from the store in between, so they are told again.
/// </param>
/// <param name="time">The clock.</param>
internal sealed class StoreLane(EvenementsStore store, Action<long, Evenement[]> tellSilos, TimeProvider time) : IDisposable
{
    /// <summary>Events kept for a database that does not answer.</summary>
    internal const int Capacity = 500_000;

    private const int LargestStatement = 20_000;
    private static readonly TimeSpan ShortestPause = TimeSpan.FromMilliseconds(250);
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(4);

    private readonly Queue<Item> items = new();
    private readonly SemaphoreSlim arrived = new(0);
    private int kept;
    private TimeSpan pause = ShortestPause;

    /// <summary>True while the database does not answer.</summary>
    public bool IsFailing { get; private set; }

    /// <summary>The least number of what was given up because it was too much; null when nothing was. The feed has to be read again.</summary>
    public long? GivenUp { get; private set; }

    /// <summary>The least number of what is still to be done; <see cref="long.MaxValue"/> when nothing.</summary>
    public long Oldest => items.Select(item => item.Number).Append(GivenUp ?? long.MaxValue).Min();

    /// <summary>Adds events.</summary>
    /// <param name="number">Of their batch.</param>
    /// <param name="evenements">Each family once.</param>
    /// <param name="tellAgain">True when the silos know already, and the database should have before them.</param>
    public void Add(long number, Evenement[] evenements, bool tellAgain)
    {
        if (evenements.Length == 0)
            return;
        if (GivenUp is { } given)
            GivenUp = Math.Min(given, number);
        else
            Add(new Item(number, evenements, tellAgain, null));
    }

    public void Add(long number, Ordre ordre) => Add(new Item(number, [], false, ordre));

    /// <summary>Forgets everything: the feed is read again from a cursor before it.</summary>
    public void Clear()
    {
        items.Clear();
        kept = 0;
        GivenUp = null;
    }

    public async Task Run(CancellationToken stop)
    {
        while (true)
        {
            await arrived.WaitAsync(stop);
            while (items.Count > 0)
                await WriteSome(stop);
        }
    }

    public void Dispose() => arrived.Dispose();

    private void Add(Item item)
    {
        if (kept + item.Evenements.Length > Capacity)
        {
            var first = Oldest;
            var ordres = items.Where(waiting => waiting.Ordre is not null).ToArray();
            Clear();
            foreach (var ordre in ordres)
                items.Enqueue(ordre);
            GivenUp = Math.Min(first, item.Number);
            Telemetry.EvenementsResets.Add(1, new KeyValuePair<string, object?>("reason", "store_behind"));
            return;
        }

        kept += item.Evenements.Length;
        items.Enqueue(item);
        if (arrived.CurrentCount == 0)
            arrived.Release();
    }

    private async Task WriteSome(CancellationToken stop)
    {
        var some = Next();
        try
        {
            if (some[0].Ordre is { } ordre)
                await store.Keep(ordre, stop);
            else
                await store.Supersede(Coalesce.Newest(some.SelectMany(item => item.Evenements)), stop);
        }
        catch (Exception) when (!stop.IsCancellationRequested)
        {
            IsFailing = true;
            Telemetry.EvenementsRetries.Add(1, new KeyValuePair<string, object?>("target", "store"));
            await Task.Delay(pause, time, stop);
            pause = pause * 2 < LongestPause ? pause * 2 : LongestPause;
            return;
        }

        (IsFailing, pause) = (false, ShortestPause);
        foreach (var item in some)
        {
            if (items.TryPeek(out var first) && first == item)
            {
                kept -= item.Evenements.Length;
                items.Dequeue();
                if (item.TellAgain)
                    tellSilos(item.Number, item.Evenements);
            }
        }
    }

    private List<Item> Next()
    {
        var some = new List<Item>();
        var count = 0;
        foreach (var item in items)
        {
            count += item.Evenements.Length;
            if (some.Count > 0 && (count > LargestStatement || item.Ordre is not null || some[0].Ordre is not null))
                break;
            some.Add(item);
        }
        return some;
    }

    private sealed record Item(long Number, Evenement[] Evenements, bool TellAgain, Ordre? Ordre);
}
