using DroitsAmeli.Api;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace DroitsAmeli.Tests.Rules.Callers;

public sealed class AdmissionTests
{
    private const int Most = 400;
    private static readonly TimeSpan Fast = TimeSpan.FromMilliseconds(2);
    private static readonly TimeSpan Slow = TimeSpan.FromMilliseconds(900);

    private readonly FakeTimeProvider time = new();
    private readonly Admission admission;

    public AdmissionTests() => admission = new(Options.Create(new ApiOptions { MaxConcurrentCalls = Most }), time, NullLogger<Admission>.Instance);

    [Fact]
    public void Every_call_is_let_in_up_to_the_setting()
    {
        Assert.Equal(Most, Enter("a", 2 * Most).Count);
    }

    [Fact]
    public void Who_leaves_makes_room()
    {
        var entries = Enter("a", Most);
        Assert.Null(admission.TryEnter("a"));
        entries[0].Dispose();
        Assert.NotNull(admission.TryEnter("a"));
    }

    [Fact]
    public void Where_even_the_fastest_answer_is_slow_fewer_are_let_in_each_interval_and_never_fewer_than_the_least()
    {
        Enter("a", 200);
        Pass(Slow);
        Assert.Equal(100, admission.Limit);
        Pass(Slow);
        Assert.Equal(Admission.Least, admission.Limit);
        Assert.Null(admission.TryEnter("a"));
    }

    [Fact]
    public void Where_nothing_at_all_is_answered_fewer_are_let_in()
    {
        Enter("a", 200);
        time.Advance(Admission.Interval);
        Assert.Null(admission.TryEnter("a"));
        Assert.Equal(100, admission.Limit);
    }

    [Fact]
    public void A_burst_that_came_a_moment_ago_is_no_queue_yet_whenever_the_limit_is_judged()
    {
        time.Advance(0.9 * Admission.Interval);
        Enter("a", 200);
        time.Advance(0.2 * Admission.Interval);
        Assert.NotNull(admission.TryEnter("a"));
        Assert.Equal(Most, admission.Limit);
    }

    [Fact]
    public void While_the_calls_of_a_flood_that_were_let_in_before_still_wait_another_convention_has_its_share()
    {
        Enter("flood", Most);
        for (var interval = 0; interval < 5; interval++)
            Pass(Slow);
        Assert.Equal(Admission.Least, admission.Limit);
        Assert.Equal(Admission.Least / 4, Enter("other", Most).Count);
        Assert.Null(admission.TryEnter("flood"));
    }

    [Fact]
    public void One_fast_answer_shows_that_the_others_wait_for_an_upstream()
    {
        Enter("a", 200);
        for (var interval = 0; interval < 10; interval++)
        {
            for (var answer = 0; answer < 50; answer++)
                admission.Observe(Slow);
            Pass(Fast);
        }

        Assert.Equal(Most, admission.Limit);
    }

    [Fact]
    public void A_few_calls_that_are_slow_are_no_queue()
    {
        Enter("a", Admission.Least - 1);
        Pass(Slow);
        Assert.Equal(Most, admission.Limit);
    }

    [Fact]
    public void When_answers_are_fast_again_all_are_let_in_again()
    {
        Enter("a", 200);
        for (var interval = 0; interval < 5; interval++)
            Pass(Slow);
        for (var interval = 0; interval < 10; interval++)
            Pass(Fast);
        Assert.Equal(Most, admission.Limit);
    }

    [Fact]
    public void The_flood_of_one_convention_leaves_another_its_share()
    {
        Enter("flood", 2 * Most);
        Assert.Equal(Most / 4, Enter("other", Most).Count);
        Assert.Null(admission.TryEnter("flood"));
    }

    private List<IDisposable> Enter(string convention, int calls) =>
        [.. Enumerable.Range(0, calls).Select(_ => admission.TryEnter(convention)).OfType<IDisposable>()];

    private void Pass(TimeSpan fastest)
    {
        time.Advance(Admission.Interval);
        admission.Observe(fastest);
    }
}
