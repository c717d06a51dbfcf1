using DroitsAmeli.Grains.RegimeSi;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace DroitsAmeli.Tests.Rules.RegimeSi;

public sealed class SiSlotsTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);
    private static readonly TimeSpan Lease = new RegimeSiOptions().Lease;

    private readonly FakeTimeProvider time = new();
    private int renewals;

    private static CancellationToken Ends => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Calls_in_a_row_cost_no_renewal_each()
    {
        var slots = Slots(cap: 8);
        for (var i = 0; i < 200; i++)
        {
            using var slot = await slots.Acquire(SiPriority.Present, Ends);
            Assert.NotNull(slot);
        }
        Assert.InRange(renewals, 1, 3);
    }

    [Fact]
    public async Task Waiting_calls_cost_no_renewal_each_when_all_slots_are_here()
    {
        var slots = Slots(cap: 2);
        var calls = Enumerable.Range(0, 18).Select(_ => slots.Acquire(SiPriority.Present, Ends).AsTask()).ToList();
        foreach (var call in calls)
            (await call)!.Dispose();
        Assert.InRange(renewals, 1, 4);
    }

    [Fact]
    public async Task Never_more_than_the_cap_and_what_ends_a_visit_first()
    {
        var slots = Slots(cap: 1);
        var first = await slots.Acquire(SiPriority.WarmUp, Ends);
        var order = new List<string>();
        var waiting = new List<Task>
        {
            Use(order, "warm", slots.Acquire(SiPriority.WarmUp, Ends)),
            Use(order, "refresh", slots.Acquire(SiPriority.Refresh, SiStage.Droits, Ends)),
            Use(order, "event", slots.Acquire(SiPriority.Evenement, SiStage.Composition, Ends)),
            Use(order, "new visit 1", slots.Acquire(SiPriority.Present, SiStage.Identification, Ends)),
            Use(order, "new visit 2", slots.Acquire(new SiDemand(SiPriority.Present, First: true), SiStage.Composition, Ends)),
            Use(order, "new visit 3", slots.Acquire(new SiDemand(SiPriority.Ahead, First: true), SiStage.Droits, Ends)),
            Use(order, "ahead", slots.Acquire(SiPriority.Ahead, SiStage.Droits, Ends)),
            Use(order, "composition", slots.Acquire(SiPriority.Present, SiStage.Composition, Ends)),
            Use(order, "rights 1", slots.Acquire(SiPriority.Present, SiStage.Droits, Ends)),
            Use(order, "rights 2", slots.Acquire(SiPriority.Present, SiStage.Droits, Ends)),
        };
        Assert.All(waiting, task => Assert.False(task.IsCompleted));
        first!.Dispose();
        await Task.WhenAll(waiting).WaitAsync(Patience, Ends);
        Assert.Equal(
            ["rights 1", "rights 2", "composition", "ahead", "new visit 1", "new visit 2", "new visit 3", "event", "refresh", "warm"], order);
    }

    [Fact]
    public async Task Conventions_take_turns()
    {
        var slots = Slots(cap: 1);
        var first = await slots.Acquire(SiPriority.Present, Ends);
        var order = new List<string>();
        var waiting = new List<Task>();
        foreach (var convention in new[] { "a", "a", "a", "a", "b", "b", "c" })
            waiting.Add(Use(order, convention, slots.Acquire(new SiDemand(SiPriority.Present, convention), Ends)));
        first!.Dispose();
        await Task.WhenAll(waiting).WaitAsync(Patience, Ends);
        Assert.Equal(["a", "b", "c", "a", "b", "a", "a"], order);
    }

    [Fact]
    public async Task A_visit_that_begins_does_not_wait_for_the_visits_of_another_convention_to_end()
    {
        var slots = Slots(cap: 1);
        var first = await slots.Acquire(SiPriority.Present, Ends);
        var order = new List<string>();
        var waiting = Enumerable.Range(0, 6).Select(_ => Use(order, "flood", slots.Acquire(new SiDemand(SiPriority.Present, "flood"), SiStage.Droits, Ends))).ToList();
        waiting.Add(Use(order, "modest begins", slots.Acquire(new SiDemand(SiPriority.Present, "modest"), Ends)));
        waiting.Add(Use(order, "modest goes on", slots.Acquire(new SiDemand(SiPriority.Present, "modest"), SiStage.Composition, Ends)));
        first!.Dispose();
        await Task.WhenAll(waiting).WaitAsync(Patience, Ends);
        Assert.Equal(["flood", "modest goes on", "flood", "modest begins", "flood", "flood", "flood", "flood"], order);
    }

    [Fact]
    public async Task Whoever_was_served_less_lately_is_next()
    {
        var slots = Slots(cap: 1);
        var first = await slots.Acquire(SiPriority.Present, Ends);
        var order = new List<string>();
        var flood = Enumerable.Range(0, 5).Select(_ => Use(order, "flood", slots.Acquire(new SiDemand(SiPriority.Present, "flood"), Ends))).ToList();
        first!.Dispose();
        await Task.WhenAll(flood).WaitAsync(Patience, Ends);

        first = await slots.Acquire(SiPriority.Present, Ends);
        var waiting = new[] { "flood", "modest", "modest", "modest" }
            .Select(convention => Use(order, convention, slots.Acquire(new SiDemand(SiPriority.Present, convention), Ends))).ToList();
        first!.Dispose();
        await Task.WhenAll(waiting).WaitAsync(Patience, Ends);
        Assert.Equal(["modest", "modest", "modest", "flood"], order[5..]);
    }

    [Fact]
    public async Task Nobody_is_forgotten_where_the_clock_moves_while_it_is_seen_who_is_next()
    {
        for (var reads = 1; reads <= 40; reads++)
        {
            var moving = new MovingTime();
            var ledger = new SlotLedger(1, Lease, moving);
            var slots = new SiSlots(
                "silo",
                request => Task.FromResult(ledger.Renew(request.Silo, request.Sequence, request.Held, request.Wanted)),
                Settings(1), moving, NullLogger<SiSlots>.Instance);
            var first = await slots.Acquire(SiPriority.Present, Ends);
            var waiting = new[] { "a", "b", "a", "b" }.Select(convention => slots.Acquire(new SiDemand(SiPriority.Present, convention), Ends).AsTask()).ToList();

            moving.Reads = reads;
            first!.Dispose();
            var left = waiting.ToList();
            while (left.Count > 0)
            {
                var started = await Task.WhenAny(left).WaitAsync(Patience, Ends);
                left.Remove(started);
                (await started)!.Dispose();
            }
        }
    }

    [Fact]
    public async Task A_flood_costs_another_convention_none_of_its_calls()
    {
        var slots = Slots(cap: 1);
        using var taken = await slots.Acquire(SiPriority.Present, Ends);
        var flood = Enumerable.Range(0, 40).Select(_ => slots.Acquire(new SiDemand(SiPriority.Present, "flood"), Ends).AsTask()).ToList();
        var modest = slots.Acquire(new SiDemand(SiPriority.Present, "modest"), Ends).AsTask();

        // The queue is full: those who are turned away are of the flood, the last of it first.
        Assert.All(await Task.WhenAll(flood[15..]).WaitAsync(Patience, Ends), Assert.Null);
        Assert.All(flood[..15].Append(modest), call => Assert.False(call.IsCompleted));
    }

    [Fact]
    public async Task Whoever_joins_a_call_that_waits_moves_it_forward()
    {
        var slots = Slots(cap: 1);
        var first = await slots.Acquire(SiPriority.Present, Ends);
        var order = new List<string>();
        var refresh = new SharedDemand(SiPriority.Refresh);
        var waiting = new List<Task>
        {
            Use(order, "refresh that is joined", slots.Acquire(refresh, SiStage.Droits, Ends)),
            Use(order, "event", slots.Acquire(SiPriority.Evenement, Ends)),
            Use(order, "new visit", slots.Acquire(new SiDemand(SiPriority.Present, "a"), Ends)),
        };
        refresh.Join(SiPriority.WarmUp);
        refresh.Join(new SiDemand(SiPriority.Present, "a"));
        first!.Dispose();
        await Task.WhenAll(waiting).WaitAsync(Patience, Ends);
        Assert.Equal(["refresh that is joined", "new visit", "event"], order);
    }

    [Fact]
    public async Task Whoever_joins_waits_as_long_as_anybody()
    {
        var slots = Slots(cap: 1);
        using var taken = await slots.Acquire(SiPriority.Present, Ends);
        var shared = new SharedDemand(SiPriority.Refresh);
        var waiting = slots.Acquire(shared, SiStage.Droits, Ends).AsTask();
        time.Advance(TimeSpan.FromSeconds(1.9));
        shared.Join(SiPriority.Present);
        time.Advance(TimeSpan.FromSeconds(1.9));
        Assert.Equal(2, slots.Pending);
        time.Advance(TimeSpan.FromSeconds(0.1));
        Assert.Null(await waiting.WaitAsync(Patience, Ends));
    }

    [Fact]
    public async Task A_call_whose_token_has_ended_is_not_made()
    {
        var slots = Slots(cap: 1);
        var taken = await slots.Acquire(SiPriority.Present, Ends);
        var ends = time.GetUtcNow() + TimeSpan.FromMilliseconds(500);
        var ended = slots.Acquire(new SiDemand(SiPriority.Present, "a", ends), SiStage.Droits, Ends).AsTask();
        var shared = new SharedDemand(new SiDemand(SiPriority.Present, "a", ends));
        var joined = slots.Acquire(shared, SiStage.Droits, Ends).AsTask();
        shared.Join(new SiDemand(SiPriority.Present, "b", ends + TimeSpan.FromSeconds(30)));

        time.Advance(TimeSpan.FromMilliseconds(500));
        Assert.False(ended.IsCompleted);
        taken!.Dispose();
        Assert.Null(await ended.WaitAsync(Patience, Ends));
        using var slot = await joined.WaitAsync(Patience, Ends);
        Assert.NotNull(slot);
        slot.Dispose();
        Assert.Null(await slots.Acquire(new SiDemand(SiPriority.Present, "a", ends), Ends).AsTask().WaitAsync(Patience, Ends));
        Assert.NotNull(await slots.Acquire(new SiDemand(SiPriority.Present, "a", ends + TimeSpan.FromTicks(1)), Ends).AsTask().WaitAsync(Patience, Ends));
    }

    [Fact]
    public async Task One_start_in_32_is_for_those_behind()
    {
        var slots = Slots(cap: 8);
        var taken = new List<SiSlot?>();
        for (var i = 0; i < 8; i++)
            taken.Add(await slots.Acquire(SiPriority.Present, Ends));
        var order = new List<string>();
        var waiting = new List<Task> { Use(order, "refresh", slots.Acquire(SiPriority.Refresh, Ends)), Use(order, "refresh", slots.Acquire(SiPriority.Refresh, Ends)) };
        for (var i = 0; i < 65; i++)
            waiting.Add(Use(order, "present", slots.Acquire(SiPriority.Present, Ends)));
        taken[0]!.Dispose();
        await Task.WhenAll(waiting).WaitAsync(Patience, Ends);
        Assert.Equal([31, 63], order.Index().Where(served => served.Item == "refresh").Select(served => served.Index));
    }

    [Fact]
    public async Task A_visit_begins_within_six_tenths_of_a_second_or_not_at_all()
    {
        var slots = Slots(cap: 1);
        using var taken = await slots.Acquire(SiPriority.Present, Ends);
        var waiting = slots.Acquire(SiPriority.Present, Ends).AsTask();
        time.Advance(TimeSpan.FromSeconds(0.59));
        Assert.Equal(2, slots.Pending);
        time.Advance(TimeSpan.FromSeconds(0.01));
        Assert.Null(await waiting.WaitAsync(Patience, Ends));
    }

    [Fact]
    public async Task A_visit_that_would_begin_too_late_is_turned_away_at_once()
    {
        var slots = Slots(cap: 1);
        var held = await slots.Acquire(SiPriority.Present, Ends);

        // Four calls have been seen to start behind one another, 0.28 s apart.
        for (var i = 0; i < 4; i++)
        {
            var next = slots.Acquire(new SiDemand(SiPriority.Present, "a"), Ends).AsTask();
            time.Advance(TimeSpan.FromSeconds(0.28));
            held!.Dispose();
            held = await next.WaitAsync(Patience, Ends);
            Assert.NotNull(held);
        }

        var first = slots.Acquire(new SiDemand(SiPriority.Present, "a"), Ends).AsTask();
        var second = slots.Acquire(new SiDemand(SiPriority.Present, "a"), Ends).AsTask();
        Assert.Null(await slots.Acquire(new SiDemand(SiPriority.Present, "a"), Ends).AsTask().WaitAsync(Patience, Ends));

        // Another convention's turn comes sooner, and rights do not wait behind those who arrive.
        var other = slots.Acquire(new SiDemand(SiPriority.Present, "b"), Ends).AsTask();
        var rights = slots.Acquire(new SiDemand(SiPriority.Present, "a"), SiStage.Droits, Ends).AsTask();
        Assert.All([first, second, other, rights], call => Assert.False(call.IsCompleted));
    }

    [Fact]
    public async Task What_a_line_did_ten_seconds_ago_turns_nobody_away()
    {
        var slots = Slots(cap: 1);
        var held = await slots.Acquire(SiPriority.Present, Ends);
        for (var i = 0; i < 4; i++)
        {
            var next = slots.Acquire(SiPriority.Present, Ends).AsTask();
            time.Advance(TimeSpan.FromSeconds(0.5));
            held!.Dispose();
            held = await next.WaitAsync(Patience, Ends);
        }

        time.Advance(TimeSpan.FromSeconds(11));
        var waiting = Enumerable.Range(0, 5).Select(_ => slots.Acquire(SiPriority.Present, Ends).AsTask()).ToList();
        Assert.All(waiting, call => Assert.False(call.IsCompleted));
    }

    [Fact]
    public async Task Other_calls_wait_two_seconds_at_most()
    {
        var slots = Slots(cap: 1);
        using var taken = await slots.Acquire(SiPriority.Present, Ends);
        var waiting = slots.Acquire(SiPriority.Present, SiStage.Composition, Ends).AsTask();
        time.Advance(TimeSpan.FromSeconds(1.9));
        Assert.Equal(2, slots.Pending);
        time.Advance(TimeSpan.FromSeconds(0.1));
        Assert.Null(await waiting.WaitAsync(Patience, Ends));
    }

    [Fact]
    public async Task A_full_queue_turns_away_the_least_urgent_at_once()
    {
        var slots = Slots(cap: 1);
        using var taken = await slots.Acquire(SiPriority.Present, Ends);
        var warm = slots.Acquire(SiPriority.WarmUp, Ends).AsTask();
        var present = Enumerable.Range(0, 16).Select(_ => slots.Acquire(SiPriority.Present, Ends).AsTask()).ToList();
        Assert.Null(await warm.WaitAsync(Patience, Ends));
        Assert.Null(await slots.Acquire(SiPriority.Refresh, Ends).AsTask().WaitAsync(Patience, Ends));
        Assert.Null(await slots.Acquire(SiPriority.Present, Ends).AsTask().WaitAsync(Patience, Ends));
        Assert.All(present, task => Assert.False(task.IsCompleted));
    }

    [Fact]
    public async Task A_call_that_is_given_up_leaves_the_queue()
    {
        var slots = Slots(cap: 1);
        var taken = await slots.Acquire(SiPriority.Present, Ends);
        using var stop = new CancellationTokenSource();
        var given = slots.Acquire(SiPriority.Present, stop.Token).AsTask();
        var next = slots.Acquire(SiPriority.Present, Ends).AsTask();
        await stop.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => given);
        taken!.Dispose();
        Assert.NotNull(await next);
    }

    [Fact]
    public async Task Disposing_twice_gives_back_once()
    {
        var slots = Slots(cap: 1);
        var slot = await slots.Acquire(SiPriority.Present, Ends);
        slot!.Dispose();
        slot.Dispose();
        using var second = await slots.Acquire(SiPriority.Present, Ends);
        var third = slots.Acquire(SiPriority.Present, Ends).AsTask();
        time.Advance(TimeSpan.FromSeconds(2));
        Assert.Null(await third.WaitAsync(Patience, Ends));
    }

    [Fact]
    public async Task No_call_begins_when_the_lease_no_longer_covers_its_time_out()
    {
        var granted = new TaskCompletionSource<SlotGrant>();
        var slots = new SiSlots("silo", _ => Interlocked.Increment(ref renewals) == 1 ? Task.FromResult(new SlotGrant(4, Lease)) : granted.Task,
            Settings(4), time, NullLogger<SiSlots>.Instance);
        (await slots.Acquire(SiPriority.Present, Ends))!.Dispose();
        time.Advance(TimeSpan.FromSeconds(1.9));
        (await slots.Acquire(SiPriority.Present, Ends))!.Dispose();
        time.Advance(TimeSpan.FromSeconds(0.1));
        var late = slots.Acquire(SiPriority.Present, Ends).AsTask();
        Assert.False(late.IsCompleted);
        time.Advance(TimeSpan.FromSeconds(2));
        Assert.Null(await late.WaitAsync(Patience, Ends));
    }

    [Fact]
    public async Task Without_a_keeper_calls_wait_four_seconds_and_get_nothing()
    {
        var slots = SlotsOf(_ => Task.FromException<SlotGrant>(new TimeoutException()));
        var waiting = slots.Acquire(SiPriority.Present, Ends).AsTask();
        Advance(TimeSpan.FromSeconds(3.9));
        Assert.False(waiting.IsCompleted);
        Advance(TimeSpan.FromSeconds(0.4));
        Assert.Null(await waiting.WaitAsync(Patience, Ends));
    }

    [Fact]
    public async Task A_keeper_that_refuses_is_told_once_and_once_that_it_answers_again()
    {
        var logged = new Logs.Written();
        var (found, asked) = (false, 0);
        var slots = new SiSlots(
            "silo",
            request =>
            {
                Interlocked.Increment(ref asked);
                return found ? Task.FromResult(new SlotGrant(request.Wanted, Lease)) : Task.FromException<SlotGrant>(new TimeoutException());
            },
            Settings(4), time, new Logger<SiSlots>(new LoggerFactory([logged])));
        var waiting = slots.Acquire(SiPriority.Present, Ends).AsTask();
        while (Volatile.Read(ref asked) < 10)
        {
            time.Advance(TimeSpan.FromMilliseconds(50));
            await Task.Yield();
        }

        found = true;
        while (!waiting.IsCompleted)
        {
            time.Advance(TimeSpan.FromMilliseconds(50));
            await Task.Yield();
        }

        Assert.Equal(["cannot be asked", "answers again"], logged.Values.Select(line => line.ContainsKey("Error") ? "cannot be asked" : "answers again"));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_call_that_began_to_wait_while_the_keeper_was_lost_gets_its_slot_from_the_next_one(bool hangs)
    {
        var found = false;
        var slots = SlotsOf(
            request => found ? Task.FromResult(new SlotGrant(request.Wanted, Lease))
                : hangs ? new TaskCompletionSource<SlotGrant>().Task : Task.FromException<SlotGrant>(new TimeoutException()));
        var waiting = slots.Acquire(SiPriority.Present, Ends).AsTask();
        Advance(TimeSpan.FromSeconds(2.5));
        Assert.False(waiting.IsCompleted);

        found = true;
        Advance(TimeSpan.FromSeconds(1.2));
        Assert.NotNull(await waiting.WaitAsync(Patience, Ends));
    }

    [Fact]
    public async Task While_the_keeper_is_lost_no_more_calls_are_patient_than_the_si_serves_at_once()
    {
        var slots = SlotsOf(_ => Task.FromException<SlotGrant>(new TimeoutException()));
        var waiting = Enumerable.Range(0, 10).Select(_ => slots.Acquire(SiPriority.Present, Ends).AsTask()).ToList();
        Advance(TimeSpan.FromSeconds(3));
        Assert.True(SpinWait.SpinUntil(() => waiting.Count(call => call.IsCompleted) >= 6, Patience));

        var turnedAway = waiting.Where(call => call.IsCompleted).ToList();
        Assert.Equal(6, turnedAway.Count);
        Assert.All(await Task.WhenAll(turnedAway), Assert.Null);
    }

    [Fact]
    public async Task Who_waits_when_a_keeper_is_found_that_has_nothing_is_turned_away_soon()
    {
        var found = false;
        var slots = SlotsOf(_ => found ? Task.FromResult(new SlotGrant(0, Lease)) : Task.FromException<SlotGrant>(new TimeoutException()));
        var waiting = slots.Acquire(SiPriority.Present, Ends).AsTask();
        Advance(TimeSpan.FromSeconds(2));
        Assert.False(waiting.IsCompleted);

        found = true;
        Advance(TimeSpan.FromSeconds(0.5));
        Assert.Null(await waiting.WaitAsync(Patience, Ends));
    }

    [Fact]
    public async Task An_answer_that_was_under_way_when_a_new_keeper_asked_is_void()
    {
        var first = new TaskCompletionSource<SlotGrant>();
        var asked = new TaskCompletionSource();
        var slots = new SiSlots("silo", _ =>
        {
            if (Interlocked.Increment(ref renewals) > 1)
                return Task.FromResult(new SlotGrant(0, Lease));
            asked.SetResult();
            return first.Task;
        }, Settings(4), time, NullLogger<SiSlots>.Instance);
        var waiting = slots.Acquire(SiPriority.Present, Ends).AsTask();
        await asked.Task;
        Assert.Equal(0, slots.Report().Held);
        first.SetResult(new SlotGrant(4, Lease));
        while (Volatile.Read(ref renewals) < 2)
        {
            time.Advance(TimeSpan.FromMilliseconds(50));
            await Task.Yield();
        }
        time.Advance(TimeSpan.FromSeconds(2));
        Assert.Null(await waiting.WaitAsync(Patience, Ends));
    }

    [Fact]
    public async Task A_call_that_comes_after_a_short_grant_has_the_keeper_asked_again()
    {
        var (slots, ledger) = await GrantedTwoOfFour();
        time.Advance(TimeSpan.FromMilliseconds(50));
        ledger.Renew("other", 2, held: 0, wanted: 0);

        Assert.NotNull(await slots.Acquire(SiPriority.Present, Ends).AsTask().WaitAsync(Patience, Ends));
        Assert.Equal(2, renewals);
    }

    [Fact]
    public async Task After_a_short_grant_the_keeper_is_not_asked_again_within_50_ms()
    {
        var (slots, _) = await GrantedTwoOfFour();
        var asked = time.GetTimestamp();
        _ = slots.Acquire(SiPriority.Present, Ends).AsTask();
        while (Volatile.Read(ref renewals) < 2)
        {
            time.Advance(TimeSpan.FromMilliseconds(5));
            await Task.Yield();
        }
        Assert.True(time.GetElapsedTime(asked) >= TimeSpan.FromMilliseconds(50));
    }

    [Fact]
    public async Task Gives_everything_back_when_idle()
    {
        var last = -1;
        var slots = new SiSlots("silo", request =>
        {
            last = request.Wanted;
            return Task.FromResult(new SlotGrant(request.Wanted, Lease));
        }, Settings(8), time, NullLogger<SiSlots>.Instance);
        (await slots.Acquire(SiPriority.Present, Ends))!.Dispose();
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(20));
        while (last != 0 && !patience.IsCancellationRequested)
        {
            time.Advance(TimeSpan.FromMilliseconds(100));
            await Task.Yield();
        }
        Assert.Equal(0, last);
        Assert.Equal(0, slots.Report().Held);
        Assert.NotNull(await slots.Acquire(SiPriority.Present, Ends));
    }

    /// <summary>Lets time pass in steps between which the loop that asks the keeper has a moment to ask.</summary>
    private void Advance(TimeSpan duration)
    {
        var step = TimeSpan.FromMilliseconds(50);
        for (var passed = TimeSpan.Zero; passed < duration; passed += step)
        {
            var before = Volatile.Read(ref renewals);
            time.Advance(step);
            SpinWait.SpinUntil(() => Volatile.Read(ref renewals) > before, TimeSpan.FromMilliseconds(10));
        }
    }

    private static async Task Use(List<string> order, string name, ValueTask<SiSlot?> acquiring)
    {
        using var slot = await acquiring;
        Assert.NotNull(slot);
        lock (order)
            order.Add(name);
    }

    /// <summary>Slots asked for in batches of four, of which another silo left two; both are in use.</summary>
    private async Task<(SiSlots Slots, SlotLedger Ledger)> GrantedTwoOfFour()
    {
        var ledger = Ledger(cap: 32);
        ledger.Renew("other", 1, held: 0, wanted: 30);
        var slots = Slots(ledger, cap: 32);
        Assert.NotNull(await slots.Acquire(SiPriority.Present, Ends));
        Assert.NotNull(await slots.Acquire(SiPriority.Present, Ends));
        Assert.Equal((1, 32), (renewals, ledger.Outstanding));
        return (slots, ledger);
    }

    private SiSlots SlotsOf(Func<SlotRequest, Task<SlotGrant>> keeper) => new(
        "silo",
        request =>
        {
            Interlocked.Increment(ref renewals);
            return keeper(request);
        },
        Settings(4), time, NullLogger<SiSlots>.Instance);

    private SlotLedger Ledger(int cap) => new(cap, Lease, time);

    private SiSlots Slots(int cap) => Slots(Ledger(cap), cap);

    private SiSlots Slots(SlotLedger ledger, int cap) => new(
        "silo",
        request =>
        {
            Interlocked.Increment(ref renewals);
            return Task.FromResult(ledger.Renew(request.Silo, request.Sequence, request.Held, request.Wanted));
        },
        Settings(cap), time, NullLogger<SiSlots>.Instance);

    private static IOptions<RegimeSiOptions> Settings(int cap) =>
        Options.Create(new RegimeSiOptions { BaseUrl = "http://127.0.0.1", MaxConcurrentCalls = cap });

    /// <summary>A clock that stands still but for one step, when it has been read so often.</summary>
    private sealed class MovingTime : FakeTimeProvider
    {
        private long moved;

        public int Reads { get; set; }

        public override long GetTimestamp()
        {
            if (Reads > 0 && --Reads == 0)
                moved = TimestampFrequency / 1_000;
            return base.GetTimestamp() + moved;
        }
    }
}

file static class FirstCalls
{
    /// <summary>A slot for the first call of a visit.</summary>
    public static ValueTask<SiSlot?> Acquire(this SiSlots slots, SharedDemand demand, CancellationToken cancellationToken) =>
        slots.Acquire(demand, SiStage.Identification, cancellationToken);
}
