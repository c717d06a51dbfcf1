using DroitsAmeli.Api;
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
        var called = new GrainCalls(time).Call(
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
    public async Task A_call_whose_deadline_has_come_is_not()
    {
        using var deadline = new CancellationTokenSource();
        var tries = 0;
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => new GrainCalls(new FakeTimeProvider()).Call<int, string>(
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
}
