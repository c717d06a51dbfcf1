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
    private readonly List<(long Number, Ordre Ordre)> covered = [];
    private readonly List<string> held = [];
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
        Assert.NotEmpty(covered);
        Assert.All(covered, cover => Assert.Equal((3, covered[0].Ordre), cover));

        await TellAll(lane);
        Assert.DoesNotContain("a0", told);
        Assert.Equal(2, obeyed.Count);
        Assert.Contains(given, obeyed);
        Assert.Same(covered[0].Ordre, obeyed.Single(ordre => ordre != given));
        Assert.True(covered[0].Ordre.Instant >= time.GetUtcNow());
        Assert.Equal(long.MaxValue, lane.Oldest);
    }

    [Fact]
    public async Task The_lane_of_a_dead_silo_ends_for_good()
    {
        var lane = Lane();
        var running = lane.Run(TestContext.Current.CancellationToken);
        lane.Close();
        await running;
        Assert.Equal(long.MaxValue, lane.Oldest);
        Assert.Throws<ObjectDisposedException>(() => lane.Add(2, Evenements("b", 1)));
    }

    [Fact]
    public async Task A_late_answer_tells_what_was_held_and_is_waited_for()
    {
        var first = new TaskCompletionSource<string[]>();
        await TellTwice(first, async (lane, turn) =>
        {
            Assert.Equal(7, lane.Oldest);
            first.SetResult(["a1"]);
            await turn();
            Assert.Equal(["7 a1"], held);
            Assert.Equal(long.MaxValue, lane.Oldest);
        });
    }

    [Fact]
    public async Task What_was_held_when_an_answer_was_lost_nobody_knows()
    {
        var first = new TaskCompletionSource<string[]>();
        first.SetException(new TimeoutException());
        await TellTwice(first, (lane, _) =>
        {
            Assert.Equal(["7 a0", "7 a1"], held);
            Assert.Equal(long.MaxValue, lane.Oldest);
            return Task.CompletedTask;
        });
    }

    [Fact]
    public async Task What_was_held_when_a_late_answer_is_lost_nobody_knows()
    {
        var first = new TaskCompletionSource<string[]>();
        await TellTwice(first, async (lane, turn) =>
        {
            first.SetException(new TimeoutException());
            await turn();
            Assert.Equal(["7 a0", "7 a1"], held);
            Assert.Equal(long.MaxValue, lane.Oldest);
        });
    }

    [Fact]
    public void What_a_dead_silo_has_not_said_it_may_have_held()
    {
        var lane = Lane();
        lane.Add(2, Evenements("a", 2));
        lane.AddKnown(3, Evenements("known", 2));
        lane.Add(4, Evenements("b", 1));
        lane.Close();
        Assert.Equal(["2 a0", "2 a1", "4 b0"], held);
        Assert.Equal(long.MaxValue, lane.Oldest);
    }

    /// <summary>Two events under number 7: the silo's first answer is that, and to the second call it answers at once that it holds neither.</summary>
    private async Task TellTwice(TaskCompletionSource<string[]> first, Func<SiloLane, Func<Task>, Task> then)
    {
        var again = new TaskCompletionSource();
        var calls = 0;
        var lane = Lane(_ =>
        {
            if (++calls == 1)
                return first.Task;
            again.SetResult();
            return Task.FromResult<string[]>([]);
        });
        using var stop = new CancellationTokenSource();
        var turns = new TaskFactory(new ConcurrentExclusiveSchedulerPair().ExclusiveScheduler);
        var running = turns.StartNew(() => lane.Run(stop.Token), stop.Token).Unwrap();
        await turns.StartNew(() => lane.Add(7, Evenements("a", 2)), stop.Token);
        while (!again.Task.IsCompleted)
        {
            time.Advance(TimeSpan.FromMilliseconds(250));
            await Turn();
        }

        await turns.StartNew(() => then(lane, Turn), stop.Token).Unwrap();
        Assert.Equal(2, calls);
        await stop.CancelAsync();
        await running;

        async Task Turn()
        {
            for (var turn = 0; turn < 3; turn++)
                await turns.StartNew(() => { }, TestContext.Current.CancellationToken);
        }
    }

    private static Evenement[] Evenements(string name, int count) => [.. Enumerable.Range(0, count).Select(n => new Evenement($"{name}{n}", 1))];

    private SiloLane Lane() => Lane(evenements =>
    {
        told.UnionWith(evenements.Select(evenement => evenement.Famille));
        return Task.FromResult<string[]>([]);
    });

    private SiloLane Lane(Func<Evenement[], Task<string[]>> announce) => new(
        announce,
        ordre =>
        {
            obeyed.Add(ordre);
            return Task.FromResult(0);
        },
        (number, evenements) => held.AddRange(evenements.Select(evenement => $"{number} {evenement.Famille}")),
        new StaleOrdres(Spread, TimeSpan.FromSeconds(4)),
        (number, ordre) => covered.Add((number, ordre)),
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
