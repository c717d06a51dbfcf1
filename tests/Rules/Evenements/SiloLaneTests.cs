using DroitsAmeli.Grains.Evenements;
using DroitsAmeli.Grains.Familles;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace DroitsAmeli.Tests.Rules.Evenements;

public sealed class SiloLaneTests
{
    private static readonly TimeSpan Spread = TimeSpan.FromMinutes(15);

    private readonly FakeTimeProvider time = new();
    private readonly List<Ordre> obeyed = [];
    private readonly HashSet<string> told = [];

    [Fact]
    public async Task What_is_kept_elsewhere_too_takes_no_room()
    {
        var lane = Lane();
        lane.AddKnown(1, Evenements("recent", 500_000));
        lane.Add(2, Evenements("new", SiloLane.Capacity));
        await TellAll(lane);
        Assert.Equal((500_000 + SiloLane.Capacity, 0), (told.Count, obeyed.Count));
    }

    [Fact]
    public async Task Too_many_events_give_way_to_one_order_and_the_orders_that_wait_stay()
    {
        var lane = Lane();
        var given = new StaleOrdres(Spread, default).Cover(time.GetUtcNow().AddHours(1), out _);
        lane.Add(3, Evenements("a", 10));
        lane.Add(4, given);
        for (var number = 5; number < 10; number++)
            lane.Add(number, Evenements("b", SiloLane.Capacity));
        Assert.Equal(3, lane.Oldest);

        await TellAll(lane);
        Assert.DoesNotContain("a0", told);
        Assert.Equal(2, obeyed.Count);
        Assert.Contains(given, obeyed);
        Assert.True(obeyed.Single(ordre => ordre != given).Instant >= time.GetUtcNow());
        Assert.Equal(long.MaxValue, lane.Oldest);
    }

    [Fact]
    public async Task The_lane_of_a_dead_silo_ends_for_good()
    {
        var lane = Lane();
        var running = lane.Run(TestContext.Current.CancellationToken);
        lane.Add(1, Evenements("a", 10));
        lane.Close();
        await running;
        Assert.Equal(long.MaxValue, lane.Oldest);
        Assert.Throws<ObjectDisposedException>(() => lane.Add(2, Evenements("b", 1)));
    }

    [Fact]
    public async Task A_late_answer_tells_what_was_held_and_is_waited_for()
    {
        var (late, again) = (new TaskCompletionSource<string[]>(), new TaskCompletionSource());
        var held = new List<string>();
        var calls = 0;
        var lane = new SiloLane(
            _ =>
            {
                if (++calls == 1)
                    return late.Task;
                again.SetResult();
                return Task.FromResult<string[]>([]);
            },
            _ => Task.FromResult(0),
            (number, evenements) => held.AddRange(evenements.Select(evenement => $"{number} {evenement.Famille}")),
            new StaleOrdres(Spread, TimeSpan.FromSeconds(4)),
            time);
        using var stop = new CancellationTokenSource();
        var turns = new TaskFactory(new ConcurrentExclusiveSchedulerPair().ExclusiveScheduler);
        var running = turns.StartNew(() => lane.Run(stop.Token), stop.Token).Unwrap();
        await Turn(() =>
        {
            lane.Add(7, Evenements("a", 2));
            return true;
        });
        while (!again.Task.IsCompleted)
        {
            time.Advance(TimeSpan.FromMilliseconds(250));
            await Turn(() => 0);
        }

        Assert.Equal(7, await Turn(() => lane.Oldest));
        late.SetResult(["a1"]);
        await Turn(() => 0);
        Assert.Equal(["7 a1"], held);
        Assert.Equal((long.MaxValue, 2), (await Turn(() => lane.Oldest), calls));
        await stop.CancelAsync();
        await running;

        async Task<T> Turn<T>(Func<T> action) => await turns.StartNew(action, TestContext.Current.CancellationToken);
    }

    private static Evenement[] Evenements(string name, int count) => [.. Enumerable.Range(0, count).Select(n => new Evenement($"{name}{n}", 1))];

    private SiloLane Lane() => new(
        evenements =>
        {
            told.UnionWith(evenements.Select(evenement => evenement.Famille));
            return Task.FromResult<string[]>([]);
        },
        ordre =>
        {
            obeyed.Add(ordre);
            return Task.FromResult(0);
        },
        (_, _) => { },
        new StaleOrdres(Spread, TimeSpan.FromSeconds(4)),
        time);

    /// <summary>The silo answers at once, so that all is told by the time the lane waits.</summary>
    private static async Task TellAll(SiloLane lane)
    {
        using var stop = new CancellationTokenSource();
        var running = lane.Run(stop.Token);
        await stop.CancelAsync();
        await running;
    }
}
