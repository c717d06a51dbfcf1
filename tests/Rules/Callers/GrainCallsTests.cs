using DroitsAmeli.Api;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace DroitsAmeli.Tests.Rules.Callers;

public sealed class GrainCallsTests
{
    [Fact]
    public async Task A_call_that_the_cluster_cancels_is_tried_again()
    {
        var time = new FakeTimeProvider();
        var tries = 0;
        var called = Calls(time).Call(
            (_, _) => ++tries == 1 ? Task.FromException<string>(new OperationCanceledException()) : Task.FromResult("rights"),
            0,
            TestContext.Current.CancellationToken);
        while (!called.IsCompleted)
        {
            time.Advance(TimeSpan.FromSeconds(1));
            await Task.Yield();
        }

        Assert.Equal(("rights", 2), (await called, tries));
    }

    [Fact]
    public async Task A_call_that_nobody_answers_is_made_again_soon_and_what_is_slow_is_asked_for_ever_more_rarely()
    {
        var time = new FakeTimeProvider();
        var began = time.GetUtcNow();
        var tries = new List<TimeSpan>();
        var rights = new TaskCompletionSource<string>();
        var called = Calls(time).Call(
            async (_, cancellation) =>
            {
                tries.Add(time.GetUtcNow() - began);
                return await rights.Task.WaitAsync(cancellation);
            },
            0,
            TestContext.Current.CancellationToken);
        while (!called.IsCompleted)
        {
            if (time.GetUtcNow() - began >= TimeSpan.FromSeconds(7))
                rights.TrySetResult("rights");
            for (var turn = 0; turn < 20; turn++)
                await Task.Yield();
            time.Advance(TimeSpan.FromMilliseconds(10));
        }

        Assert.Equal("rights", await called);
        Assert.InRange(tries[1], TimeSpan.FromMilliseconds(400), TimeSpan.FromMilliseconds(600));
        Assert.InRange(tries.Count, 5, 9);
    }

    [Fact]
    public async Task Whenever_a_silo_is_replaced_its_calls_are_made_again_within_the_time_that_the_check_of_the_settings_counts()
    {
        var counted = TimeSpan.FromSeconds(1.85);
        for (var replaced = TimeSpan.FromSeconds(3); replaced < TimeSpan.FromSeconds(6); replaced += TimeSpan.FromMilliseconds(100))
        {
            var time = new FakeTimeProvider();
            var began = time.GetUtcNow();
            var nobody = new TaskCompletionSource<string>();
            var called = Calls(time).Call(
                async (silo, cancellation) => time.GetUtcNow() - began < silo ? await nobody.Task.WaitAsync(cancellation) : "rights",
                replaced,
                TestContext.Current.CancellationToken);
            while (!called.IsCompleted && time.GetUtcNow() - began < replaced + counted)
            {
                for (var turn = 0; turn < 20; turn++)
                    await Task.Yield();
                time.Advance(TimeSpan.FromMilliseconds(10));
            }

            for (var turn = 0; turn < 20; turn++)
                await Task.Yield();
            Assert.True(called.IsCompletedSuccessfully, $"A silo replaced after {replaced} was not called again within {counted}.");
        }
    }

    [Fact]
    public async Task A_call_that_is_lost_when_its_deadline_comes_has_ended_with_it()
    {
        using var deadline = new CancellationTokenSource();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => Calls(new FakeTimeProvider()).Call<int, string>(
            async (_, _) =>
            {
                await deadline.CancelAsync();
                throw new TimeoutException();
            },
            0,
            deadline.Token));
    }

    [Fact]
    public async Task A_call_whose_deadline_has_come_is_not()
    {
        using var deadline = new CancellationTokenSource();
        var tries = 0;
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => Calls(new FakeTimeProvider()).Call<int, string>(
            async (_, cancellation) =>
            {
                tries++;
                await deadline.CancelAsync();
                throw new OperationCanceledException(cancellation);
            },
            0,
            deadline.Token));
        Assert.Equal(1, tries);
    }

    private static GrainCalls Calls(TimeProvider time) => new(new Admission(Options.Create(new ApiOptions()), time, NullLogger<Admission>.Instance), time);
}
