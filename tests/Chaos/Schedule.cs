namespace DroitsAmeli.Tests.Chaos;

/// <summary>One disturbance of a schedule.</summary>
/// <param name="At">Since the load began.</param>
/// <param name="Kind">What is done.</param>
/// <param name="Target">Which silo or front end, as an index among those that run.</param>
internal sealed record PlannedDisturbance(TimeSpan At, Disturbance Kind, int Target);

/// <summary>Which disturbance comes when. The same seed gives the same schedule.</summary>
internal static class Schedule
{
    /// <summary>Disturbances at equal distances, every kind once before any comes again, in an order that the seed draws.</summary>
    /// <param name="seed">Of the order and of the targets.</param>
    /// <param name="calm">What comes before the first disturbance, and after the last.</param>
    /// <param name="distance">From the beginning of a disturbance to that of the next.</param>
    /// <param name="duration">Of the whole load.</param>
    public static IReadOnlyList<PlannedDisturbance> Of(int seed, TimeSpan calm, TimeSpan distance, TimeSpan duration)
    {
        var random = new Random(seed);
        var kinds = new Queue<Disturbance>();
        var planned = new List<PlannedDisturbance>();
        for (var at = calm; at + distance + calm <= duration; at += distance)
        {
            if (kinds.Count == 0)
            {
                var all = Enum.GetValues<Disturbance>();
                random.Shuffle(all);
                kinds = new(all);
            }

            planned.Add(new(at, kinds.Dequeue(), random.Next(int.MaxValue)));
        }

        return planned;
    }
}
