using DroitsAmeli.Grains.Familles;

namespace DroitsAmeli.Grains.Evenements;

/// <summary>
/// What was announced on this silo lately. A family that becomes active here between an event and its announcement, or comes from a silo
/// that was told before it left, learns of it from here. Thread-safe.
/// </summary>
public sealed class RecentEvenements
{
    /// <summary>How long an event is remembered at least.</summary>
    public static readonly TimeSpan Memory = TimeSpan.FromSeconds(30);

    private static readonly TimeSpan Slice = TimeSpan.FromSeconds(5);

    private readonly Lock gate = new();
    private readonly LinkedList<(long Since, Dictionary<string, long> Versions)> slices = new();
    private readonly TimeProvider time;
    private readonly int capacity;
    private bool followed;

    public RecentEvenements(TimeProvider time)
        : this(time, 500_000)
    {
    }

    /// <summary>With another bound than the product's.</summary>
    /// <param name="time">The clock.</param>
    /// <param name="capacity">Beyond so many, the oldest are forgotten, and that is counted; the bound may be exceeded by the newest slice of 5 s.</param>
    public RecentEvenements(TimeProvider time, int capacity) => (this.time, this.capacity) = (time, capacity);

    /// <summary>How many are remembered.</summary>
    public int Count
    {
        get
        {
            lock (gate)
            {
                Forget();
                return slices.Sum(slice => slice.Versions.Count);
            }
        }
    }

    /// <summary>True for the first follower of the feed on this silo, and for no other.</summary>
    public bool BeginsFirst() => !Interlocked.Exchange(ref followed, true);

    /// <summary>Remembers what is being announced.</summary>
    public void Add(IReadOnlyCollection<Evenement> evenements)
    {
        lock (gate)
        {
            Forget();
            var now = time.GetTimestamp();
            if (slices.Last is not { } last || time.GetElapsedTime(last.Value.Since, now) >= Slice)
                slices.AddLast((now, new Dictionary<string, long>(StringComparer.Ordinal)));

            var versions = slices.Last!.Value.Versions;
            foreach (var (famille, version) in evenements)
            {
                if (!versions.TryGetValue(famille, out var known) || known < version)
                    versions[famille] = version;
            }

            while (slices.Count > 1 && slices.Sum(slice => slice.Versions.Count) > capacity)
            {
                Telemetry.EvenementsForgotten.Add(slices.First!.Value.Versions.Count);
                slices.RemoveFirst();
            }
        }
    }

    /// <summary>The newest version announced of that family lately; 0 when none.</summary>
    public long VersionOf(string famille)
    {
        lock (gate)
        {
            Forget();
            long newest = 0;
            foreach (var (_, versions) in slices)
            {
                if (versions.TryGetValue(famille, out var version) && version > newest)
                    newest = version;
            }
            return newest;
        }
    }

    /// <summary>All that is remembered, each family once.</summary>
    public Evenement[] All()
    {
        lock (gate)
        {
            Forget();
            return Coalesce.Newest(slices.SelectMany(slice => slice.Versions.Select(known => new Evenement(known.Key, known.Value))));
        }
    }

    private void Forget()
    {
        while (slices.First is { } first && time.GetElapsedTime(first.Value.Since) >= Memory + Slice)
            slices.RemoveFirst();
    }
}
