using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using DroitsAmeli.Api.Callers;
using DroitsAmeli.Grains;
using DroitsAmeli.Grains.Conventions;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace DroitsAmeli.Tests.Rules.Callers;

public sealed class QuotaCounterTests
{
    private readonly FakeTimeProvider time = new(new DateTimeOffset(2026, 3, 10, 12, 0, 20, TimeSpan.Zero));
    private readonly LocalGrain grain;

    public QuotaCounterTests() => grain = new LocalGrain(time);

    private static CancellationToken Ended => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(1)]
    [InlineData(5)]
    [InlineData(300)]
    public async Task Counts_down_one_by_one_and_refuses_the_next_call(int limit)
    {
        var counter = FrontEnd();
        for (var call = 1; call <= limit; call++)
        {
            var decision = await counter.Count(PerMinute(limit), Ended);
            Assert.Equal(
                new QuotaDecision { Allowed = true, Limit = limit, Remaining = limit - call, ResetSeconds = 40 },
                decision);
        }

        var refusal = new QuotaDecision { Allowed = false, Limit = limit, Remaining = 0, ResetSeconds = 40, RetryAfter = TimeSpan.FromSeconds(40) };
        Assert.Equal(refusal, await counter.Count(PerMinute(limit), Ended));
        var asked = grain.Requests.Count;
        Assert.Equal(refusal, await counter.Count(PerMinute(limit), Ended));
        Assert.Equal(asked, grain.Requests.Count);
    }

    [Fact]
    public async Task Opens_again_with_the_next_minute()
    {
        var counter = FrontEnd();
        await Use(counter, PerMinute(20), 21);
        time.Advance(TimeSpan.FromSeconds(39.9));
        Assert.False((await counter.Count(PerMinute(20), Ended)).Allowed);
        time.Advance(TimeSpan.FromSeconds(0.1));
        Assert.Equal(20, await Use(counter, PerMinute(20), 30));
    }

    [Fact]
    public async Task A_day_is_exact_over_many_minutes_and_ends_at_midnight_in_Paris()
    {
        var counter = FrontEnd();
        var partner = new Partner("c", 40, 100);
        var allowed = 0;
        for (var minute = 0; minute < 5; minute++)
        {
            allowed += await Use(counter, partner, 50);
            time.Advance(TimeSpan.FromMinutes(1));
        }

        Assert.Equal(100, allowed);
        time.SetUtcNow(new DateTimeOffset(2026, 3, 10, 22, 59, 59, TimeSpan.Zero));
        var refused = await counter.Count(partner, Ended);
        Assert.Equal((false, 100, 1), (refused.Allowed, refused.Limit, refused.ResetSeconds));
        time.Advance(TimeSpan.FromSeconds(1));
        Assert.True((await counter.Count(partner, Ended)).Allowed);
    }

    [Fact]
    public async Task Tells_the_window_with_fewer_calls_and_on_a_tie_the_one_that_ends_later()
    {
        var counter = FrontEnd();
        var partner = new Partner("c", 2, 3);
        Assert.Equal((2, 1), Seen(await counter.Count(partner, Ended)));
        time.Advance(TimeSpan.FromMinutes(1));
        Assert.Equal((3, 1), Seen(await counter.Count(partner, Ended)));
        Assert.Equal((3, 0), Seen(await counter.Count(partner, Ended)));
        var refused = await counter.Count(partner, Ended);
        Assert.Equal((false, 3, 0), (refused.Allowed, refused.Limit, refused.Remaining));
        Assert.Equal(TimeSpan.FromHours(11) - TimeSpan.FromSeconds(80), refused.RetryAfter);
    }

    [Fact]
    public async Task Concurrent_calls_get_exactly_the_quota_on_few_leases()
    {
        var counter = FrontEnd();
        var partner = new Partner("c", 200, 10_000);
        var calls = Enumerable.Range(0, 500).Select(_ => Task.Run(async () => await counter.Count(partner, Ended), Ended)).ToList();
        var decisions = await Task.WhenAll(calls);
        Assert.Equal(200, decisions.Count(decision => decision.Allowed));
        Assert.Equal(200, decisions.Where(decision => decision.Allowed).Select(decision => decision.Remaining).Distinct().Count());
        Assert.InRange(grain.Requests.Count, 1, 100);
    }

    [Fact]
    public async Task A_large_quota_costs_few_leases()
    {
        await Use(FrontEnd(), PerMinute(6000), 1000);
        Assert.InRange(grain.Requests.Count, 1, 5);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(7)]
    [InlineData(1000)]
    public async Task All_front_ends_together_get_exactly_the_quota(int limit)
    {
        var random = new Random(limit);
        QuotaCounter[] counters = [FrontEnd(), FrontEnd(), FrontEnd()];
        var allowed = 0;
        for (var call = 0; call < limit * 6; call++)
        {
            if ((await counters[random.Next(3)].Count(PerMinute(limit), Ended)).Allowed)
                allowed++;
        }

        foreach (var counter in counters)
            allowed += await Use(counter, PerMinute(limit), limit);
        Assert.Equal(limit, allowed);
    }

    [Fact]
    public async Task A_convention_without_limits_is_never_counted()
    {
        Assert.Equal(QuotaDecision.Unlimited, await FrontEnd().Count(new Partner("c", null, null), Ended));
        Assert.Empty(grain.Requests);
    }

    [Fact]
    public async Task A_changed_quota_holds_at_the_next_call()
    {
        var counter = FrontEnd();
        Assert.Equal(30, await Use(counter, PerMinute(100), 30));
        Assert.Equal((40, 9), Seen(await counter.Count(PerMinute(40), Ended)));
        Assert.False((await counter.Count(PerMinute(20), Ended)).Allowed);
        Assert.Equal(19, await Use(counter, PerMinute(50), 100));
    }

    [Fact]
    public async Task Passes_within_one_quota_per_window_while_the_grain_fails()
    {
        using var alarms = new AlarmCount("quota_unreachable");
        var counter = FrontEnd();
        grain.Failure = new TimeoutException();
        Assert.Equal(10, await Use(counter, PerMinute(10), 30));
        Assert.InRange(alarms.Count, 1, 30);
        time.Advance(TimeSpan.FromMinutes(1));
        Assert.Equal(10, await Use(counter, PerMinute(10), 30));
    }

    [Fact(Timeout = 30_000)]
    public async Task Asks_again_after_a_failure_until_the_grain_answers()
    {
        var counter = FrontEnd();
        grain.Failure = new TimeoutException();
        await counter.Count(PerMinute(10), TestContext.Current.CancellationToken);
        grain.Failure = null;
        while (grain.Answers == 0)
        {
            time.Advance(TimeSpan.FromSeconds(1));
            await counter.Count(PerMinute(10), TestContext.Current.CancellationToken);
            await Task.Yield();
            TestContext.Current.CancellationToken.ThrowIfCancellationRequested();
        }
    }

    [Fact]
    public void The_grain_is_told_of_what_passed_alone()
    {
        var account = new QuotaAccount(Guid.NewGuid());
        var quota = new Quota();
        var now = time.GetUtcNow();
        for (var call = 0; call < 4; call++)
            Assert.True(account.CountAlone(PerMinute(10), TimeSpan.Zero, now).Allowed);

        var allowed = 0;
        while (true)
        {
            if (account.TryCount(PerMinute(10), TimeSpan.Zero) is not { } decision)
                account.Apply(quota.Lease(account.Ask(1, TimeSpan.Zero), now), TimeSpan.Zero);
            else if (decision.Allowed)
                allowed++;
            else
                break;
        }

        Assert.Equal(6, allowed);
    }

    [Fact]
    public void What_passed_alone_while_a_lease_was_under_way_comes_off_that_lease()
    {
        var account = new QuotaAccount(Guid.NewGuid());
        var quota = new Quota();
        var now = time.GetUtcNow();
        Assert.True(account.CountAlone(PerMinute(10), TimeSpan.Zero, now).Allowed);
        var lease = quota.Lease(account.Ask(1, TimeSpan.Zero), now);
        for (var used = 2; used <= 10; used++)
            Assert.True(account.CountAlone(PerMinute(10), TimeSpan.Zero, now).Allowed);
        account.Apply(lease, TimeSpan.Zero);
        Assert.False(account.TryCount(PerMinute(10), TimeSpan.Zero)!.Value.Allowed);
    }

    [Fact]
    public async Task Waits_half_a_second_for_a_silent_grain_and_then_not_at_all()
    {
        var counter = FrontEnd();
        grain.Silent = true;
        var first = counter.Count(PerMinute(10), Ended).AsTask();
        await grain.Asked.WaitAsync(Ended);
        time.Advance(TimeSpan.FromMilliseconds(499));
        Assert.False(first.IsCompleted);
        time.Advance(TimeSpan.FromMilliseconds(1));
        Assert.Equal((10, 9), Seen(await first));

        var second = counter.Count(PerMinute(10), Ended);
        Assert.True(second.IsCompletedSuccessfully);
        Assert.True((await second).Allowed);
    }

    [Fact]
    public async Task A_caller_who_leaves_does_not_end_the_lease_of_others()
    {
        var counter = FrontEnd();
        grain.Silent = true;
        using var leaving = new CancellationTokenSource();
        var left = counter.Count(PerMinute(10), leaving.Token).AsTask();
        await grain.Asked.WaitAsync(Ended);
        var staying = counter.Count(PerMinute(10), Ended).AsTask();
        await leaving.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => left);
        grain.Speak();
        Assert.Equal((10, 9), Seen(await staying));
        Assert.Single(grain.Requests);
    }

    [Fact]
    public async Task A_grain_that_lost_its_count_learns_it_from_the_front_end()
    {
        var counter = FrontEnd();
        Assert.Equal(70, await Use(counter, PerMinute(100), 70));
        grain.Forget();
        Assert.Equal(30, await Use(counter, PerMinute(100), 100));
    }

    private static (int?, int?) Seen(QuotaDecision decision) => (decision.Limit, decision.Remaining);

    private static Partner PerMinute(int limit) => new("c", limit, null);

    private static async Task<int> Use(QuotaCounter counter, Partner partner, int calls)
    {
        var allowed = 0;
        for (var call = 0; call < calls; call++)
        {
            if ((await counter.Count(partner, Ended)).Allowed)
                allowed++;
        }

        return allowed;
    }

    private QuotaCounter FrontEnd() => new(_ => grain, time, new ListLogger<QuotaCounter>());

    private sealed class LocalGrain(TimeProvider time) : IConventionGrain
    {
        private readonly Lock gate = new();
        private readonly TaskCompletionSource spoken = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private Quota quota = new();
        private int answers;

        public int Answers => Volatile.Read(ref answers);

        public ConcurrentQueue<QuotaLeaseRequest> Requests { get; } = [];

        public SemaphoreSlim Asked { get; } = new(0);

        public Exception? Failure { get; set; }

        public bool Silent { get; set; }

        public void Forget() => quota = new Quota();

        public void Speak() => spoken.SetResult();

        public async Task<QuotaLease> Lease(QuotaLeaseRequest request, CancellationToken cancellationToken = default)
        {
            Requests.Enqueue(request);
            Asked.Release();
            if (Failure is not null)
                throw Failure;
            if (Silent)
                await spoken.Task;
            Interlocked.Increment(ref answers);
            lock (gate)
                return quota.Lease(request, time.GetUtcNow());
        }
    }

    private sealed class AlarmCount : IDisposable
    {
        private readonly MeterListener listener = new();
        private long count;

        public AlarmCount(string alarm)
        {
            listener.InstrumentPublished = (instrument, self) =>
            {
                if (instrument.Meter.Name == Telemetry.MeterName && instrument.Name == "droits.alarms")
                    self.EnableMeasurementEvents(instrument);
            };
            listener.SetMeasurementEventCallback<long>((_, value, tags, _) =>
            {
                foreach (var tag in tags)
                {
                    if (tag is { Key: "alarm", Value: string name } && name == alarm)
                        Interlocked.Add(ref count, value);
                }
            });
            listener.Start();
        }

        public long Count => Interlocked.Read(ref count);

        public void Dispose() => listener.Dispose();
    }
}
