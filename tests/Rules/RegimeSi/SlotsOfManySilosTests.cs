using CsCheck;
using DroitsAmeli.Grains.RegimeSi;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace DroitsAmeli.Tests.Rules.RegimeSi;

/// <summary>
/// Many silos, one keeper and one SI, in steps of 10 ms of a clock that only the test moves: each silo asks as <see cref="SlotHolding"/> says,
/// polls every 50 ms while it lacks slots, asks at once when it is told to or can give back what it owes, and else within a second.
/// </summary>
public sealed class SlotsOfManySilosTests
{
    private const int Cap = 32;
    private static readonly TimeSpan Step = TimeSpan.FromMilliseconds(10);

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    [InlineData(20)]
    [InlineData(40)]
    public void Saturated_silos_keep_the_slots_busy_and_share_them(int silos)
    {
        var cluster = new Simulation(silos, seed: 7);
        cluster.Run(TimeSpan.FromSeconds(60), silo => 3.0 * 76 / silos);

        Assert.Equal(Cap, cluster.MostAtOnce);
        Assert.InRange(cluster.Busy, silos <= Cap ? 0.98 : 0.93, 1);
        var mean = cluster.Served.Average();
        Assert.All(cluster.Served, served => Assert.InRange(served, 0.6 * mean, 1.4 * mean));
        Assert.All(cluster.LongestWithoutSlot, wait => Assert.InRange(wait, TimeSpan.Zero, TimeSpan.FromSeconds(3)));
    }

    [Fact]
    public void Slots_go_where_the_calls_are()
    {
        var cluster = new Simulation(silos: 40, seed: 8);
        cluster.Run(TimeSpan.FromSeconds(20), _ => 0.5);
        cluster.Run(TimeSpan.FromSeconds(20), silo => silo < 2 ? 100 : 0);

        Assert.InRange(cluster.MostAtOnce, 1, Cap);
        Assert.InRange(cluster.Busy, 0.98, 1);
    }

    [Fact]
    public void A_call_on_a_quiet_silo_waits_for_no_lease_of_another()
    {
        var cluster = new Simulation(silos: 40, seed: 9);
        cluster.Run(TimeSpan.FromSeconds(60), _ => 0.6);

        Assert.All(cluster.LongestWithoutSlot, wait => Assert.InRange(wait, TimeSpan.Zero, SlotTiming.MaxFirstWait));
    }

    [Fact]
    public void A_flooded_silo_leaves_the_others_their_share()
    {
        var cluster = new Simulation(silos: 4, seed: 10);
        cluster.Run(TimeSpan.FromSeconds(60), silo => silo == 0 ? 800 : 15);

        Assert.All(cluster.Served.Zip(cluster.Arrived).Skip(1), silo => Assert.InRange(silo.First, 0.97 * silo.Second, silo.Second));
        Assert.InRange(cluster.Busy, 0.93, 1);
    }

    /// <summary>Loads that change every two seconds, silos that die with calls in flight, and answers of the keeper that are lost.</summary>
    [Fact]
    public void Never_more_than_the_cap_whatever_the_load_and_whoever_dies() =>
        Gen.Select(Gen.Int[1, 45], Gen.Int[0, 1_000_000], Gen.Double[0, 60].Array[5]).Sample((silos, seed, rates) =>
        {
            var cluster = new Simulation(silos, seed) { LostAnswers = 0.05 };
            foreach (var rate in rates)
            {
                cluster.Run(TimeSpan.FromSeconds(2), silo => rate * (1 + silo % 3) / 2);
                Assert.InRange(cluster.MostAtOnce, 0, Cap + cluster.InFlightOfTheDead);
                cluster.Kill();
            }
        }, iter: 30);

    private sealed class Simulation
    {
        private readonly FakeTimeProvider time = new();
        private readonly RegimeSiOptions options = new() { BaseUrl = "http://127.0.0.1", MaxConcurrentCalls = Cap };
        private readonly Random random;
        private readonly SlotLedger ledger;
        private readonly Silo[] silos;
        private double busySteps;
        private int steps;

        public Simulation(int silos, int seed)
        {
            random = new Random(seed);
            ledger = new SlotLedger(Cap, options.Lease, time);
            this.silos = [.. Enumerable.Range(0, silos).Select(at => new Silo($"silo {at}", new SlotHolding($"silo {at}", options, time)))];
            Served = new int[silos];
            Arrived = new int[silos];
            LongestWithoutSlot = new TimeSpan[silos];
        }

        public double LostAnswers { get; init; }

        public int MostAtOnce { get; private set; }

        public int InFlightOfTheDead { get; private set; }

        public int[] Served { get; private set; }

        public int[] Arrived { get; private set; }

        public TimeSpan[] LongestWithoutSlot { get; private set; }

        public double Busy => busySteps / steps / Cap;

        public void Run(TimeSpan length, Func<int, double> callsPerSecond)
        {
            (busySteps, steps) = (0, 0);
            Served = new int[silos.Length];
            Arrived = new int[silos.Length];
            LongestWithoutSlot = new TimeSpan[silos.Length];
            for (var end = time.GetUtcNow() + length; time.GetUtcNow() < end; time.Advance(Step))
            {
                for (var at = 0; at < silos.Length; at++)
                {
                    if (!silos[at].IsDead)
                        Move(at, callsPerSecond(at));
                }

                var atOnce = silos.Sum(silo => silo.Ends.RemoveAll(end => end <= time.GetUtcNow() && silo.IsDead) + silo.Ends.Count);
                MostAtOnce = Math.Max(MostAtOnce, atOnce);
                busySteps += atOnce;
                steps++;
            }
        }

        public void Kill()
        {
            if (silos.Where(silo => !silo.IsDead).Skip(1).FirstOrDefault() is not { } victim)
                return;
            victim.IsDead = true;
            InFlightOfTheDead += victim.Ends.Count;
        }

        private void Move(int at, double callsPerSecond)
        {
            var silo = silos[at];
            var now = time.GetUtcNow();
            for (var ended = silo.Ends.RemoveAll(end => end <= now); ended > 0; ended--)
                silo.Holding.End();

            // Sixteen wait at most, and for two seconds at most.
            var arrive = callsPerSecond * Step.TotalSeconds;
            for (var arriving = (int)arrive + (random.NextDouble() < arrive % 1 ? 1 : 0); arriving > 0; arriving--)
            {
                Arrived[at]++;
                if (silo.Waiting.Count < 16)
                    silo.Waiting.Enqueue(now);
            }
            while (silo.Waiting.TryPeek(out var since) && now - since > TimeSpan.FromSeconds(2))
                silo.Waiting.Dequeue();

            Start(at);
            if (now >= silo.AsksAt || silo.Told || silo.Holding.OwesFreeSlots || (!silo.Hungry && silo.Holding.WantsMore(silo.Waiting.Count)))
                Ask(at);
        }

        private void Ask(int at)
        {
            var silo = silos[at];
            silo.Told = false;
            var request = silo.Holding.Ask(silo.Waiting.Count, last: silo.Holding.InUse == 0 && silo.Waiting.Count == 0);
            var grant = ledger.Renew(request.Silo, request.Sequence, request.Held, request.Wanted, request.Needed);
            if (grant.Allowance < request.Needed)
            {
                foreach (var holder in ledger.Recall())
                    silos.Single(other => other.Name == holder).Told = true;
            }

            var lost = random.NextDouble() < LostAnswers;
            if (!lost)
                silo.Holding.Take(request, grant, time.GetTimestamp());
            Start(at);
            silo.Hungry = silo.Waiting.Count > 0 && (lost || grant.Allowance < request.Wanted);
            silo.AsksAt = time.GetUtcNow() + TimeSpan.FromMilliseconds(silo.Hungry ? 50 : 1000);
        }

        private void Start(int at)
        {
            var silo = silos[at];
            while (silo.Holding.CanStart && silo.Waiting.TryDequeue(out _))
            {
                silo.Holding.Start();
                silo.Ends.Add(time.GetUtcNow() + Latency());
                Served[at]++;
            }

            // Nothing in flight, and calls that wait.
            if (silo.Holding.InUse == 0 && silo.Waiting.TryPeek(out var since))
                LongestWithoutSlot[at] = TimeSpan.FromTicks(Math.Max(LongestWithoutSlot[at].Ticks, (time.GetUtcNow() - since).Ticks));
        }

        // Log-normal: median 300 ms, p99 2 s, and the time-out of 4 s.
        private TimeSpan Latency()
        {
            var normal = Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(2 * Math.PI * random.NextDouble());
            return TimeSpan.FromSeconds(Math.Min(4, 0.3 * Math.Exp(0.8155 * normal)));
        }

        private sealed class Silo(string name, SlotHolding holding)
        {
            public string Name => name;

            public SlotHolding Holding => holding;

            public Queue<DateTimeOffset> Waiting { get; } = new();

            public List<DateTimeOffset> Ends { get; } = [];

            public DateTimeOffset AsksAt { get; set; }

            public bool Hungry { get; set; }

            public bool Told { get; set; }

            public bool IsDead { get; set; }
        }
    }
}
