using DroitsAmeli.Grains.Familles;

namespace DroitsAmeli.Grains.Evenements;

/// <summary>
/// What the silos are still to be told: a lane to each that is there, opened when it comes and closed when it is dead. Lives on one scheduler; not
/// thread-safe.
/// </summary>
/// <param name="silos">Who is there.</param>
/// <param name="recent">What those that come are told too.</param>
/// <param name="missed">The orders that stand for missed events.</param>
/// <param name="progress">Numbers what is told.</param>
/// <param name="held">Called with the events of a batch whose families a silo held, or may have.</param>
/// <param name="newOrdres">Makes the orders of one lane.</param>
/// <param name="covered">Called with an order that stands for what was too much to keep for one silo, and the number of the first such event.</param>
/// <param name="time">The clock.</param>
internal sealed class SiloLanes(
    FamillesSilos silos,
    RecentEvenements recent,
    MissedEvenements missed,
    FeedProgress progress,
    Action<long, Evenement[]> held,
    Func<StaleOrdres> newOrdres,
    Action<long, Ordre> covered,
    TimeProvider time) : IDisposable
{
    private readonly Dictionary<SiloAddress, SiloLane> lanes = [];
    private readonly List<Task> talks = [];
    private CancellationToken stopping;

    /// <summary>The least number of what a silo is still to be told; <see cref="long.MaxValue"/> when nothing.</summary>
    public long Oldest => lanes.Values.Select(lane => lane.Oldest).Append(long.MaxValue).Min();

    /// <summary>Counts the lanes that were closed.</summary>
    public int Closings { get; private set; }

    /// <summary>What is said at the moment.</summary>
    public IReadOnlyCollection<Task> Talks => talks;

    /// <summary>Meets the silos for the first time.</summary>
    /// <param name="stop">Ends all lanes.</param>
    public void Open(CancellationToken stop)
    {
        stopping = stop;
        Meet();
    }

    /// <summary>Opens a lane to each silo that has come, and closes those to the dead.</summary>
    public void Meet()
    {
        var present = silos.Present();
        foreach (var (silo, lane) in lanes.Where(known => !present.Contains(known.Key)).ToList())
        {
            lanes.Remove(silo);
            lane.Close();
            Closings++;
        }

        foreach (var silo in present.Where(silo => !lanes.ContainsKey(silo)))
        {
            var lane = new SiloLane(evenements => silos.Announce(silo, evenements), ordre => missed.Obey(silo, ordre), held, newOrdres(), covered, time);
            lanes.Add(silo, lane);

            // Families may have come to it before we knew of it, from silos that were told after they left.
            lane.AddKnown(progress.Last, recent.All());
            foreach (var ordre in missed.Lately())
                lane.Add(progress.Last, ordre);
            talks.RemoveAll(talk => talk.IsCompleted);
            talks.Add(lane.Run(stopping));
        }
    }

    /// <summary>Tells every silo.</summary>
    /// <param name="number">Of the batch.</param>
    /// <param name="evenements">Each family once.</param>
    public void Tell(long number, Evenement[] evenements)
    {
        Meet();
        recent.Add(evenements);
        foreach (var lane in lanes.Values)
            lane.Add(number, evenements);
    }

    /// <summary>Has every silo that was met obey.</summary>
    public void Tell(long number, Ordre ordre)
    {
        foreach (var lane in lanes.Values)
            lane.Add(number, ordre);
    }

    public void Dispose()
    {
        foreach (var lane in lanes.Values)
            lane.Dispose();
    }
}
