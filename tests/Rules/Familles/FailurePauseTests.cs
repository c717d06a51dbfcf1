using DroitsAmeli.Grains.Familles;
using Xunit;

namespace DroitsAmeli.Tests.Rules.Familles;

public sealed class FailurePauseTests
{
    private static readonly DateTimeOffset Now = new(2026, 11, 23, 8, 0, 0, TimeSpan.Zero);

    [Fact]
    public void Doubles_from_one_second_to_sixty()
    {
        var pause = new FailurePause();
        foreach (var seconds in (int[])[1, 2, 4, 8, 16, 32, 60, 60])
        {
            pause.Failed(Now, null);
            Assert.Equal(TimeSpan.FromSeconds(seconds), pause.Remaining(Now));
        }
    }

    [Fact]
    public void Ends_and_starts_small_again_after_a_success()
    {
        var pause = new FailurePause();
        pause.Failed(Now, null);
        pause.Failed(Now, null);
        Assert.True(pause.IsOn(Now.AddSeconds(1.9)));
        Assert.False(pause.IsOn(Now.AddSeconds(2)));

        pause.Succeeded();
        Assert.False(pause.IsOn(Now));
        pause.Failed(Now, null);
        Assert.False(pause.IsOn(Now.AddSeconds(1)));
    }

    [Fact]
    public void A_try_that_was_not_made_does_not_lengthen_it()
    {
        var pause = new FailurePause();
        for (var i = 0; i < 10; i++)
            pause.Deferred(Now, TimeSpan.FromMinutes(90));
        Assert.False(pause.IsOn(Now.AddSeconds(1)));
        Assert.Equal(TimeSpan.FromMinutes(90), pause.Remaining(Now));

        pause.Failed(Now, null);
        Assert.False(pause.IsOn(Now.AddSeconds(1)));
    }

    [Fact]
    public void Tells_the_callers_what_the_SI_said_of_its_return()
    {
        var pause = new FailurePause();
        pause.Failed(Now, TimeSpan.FromMinutes(90));
        Assert.Equal(TimeSpan.FromMinutes(90), pause.Remaining(Now));
        Assert.False(pause.IsOn(Now.AddSeconds(1)));
    }
}
