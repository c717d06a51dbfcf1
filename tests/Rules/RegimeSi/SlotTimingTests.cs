using DroitsAmeli.Grains.RegimeSi;
using Xunit;

namespace DroitsAmeli.Tests.Rules.RegimeSi;

public sealed class SlotTimingTests
{
    [Fact]
    public void Calls_go_on_while_a_lease_is_renewed()
    {
        Assert.True(SlotTiming.RenewBeforeEnd >= SlotTiming.MaxRenewal);
        Assert.True(SlotTiming.CallsBegin > SlotTiming.RenewBeforeEnd);
    }

    [Fact]
    public void Whoever_waits_to_begin_learns_that_the_keeper_is_silent() =>
        Assert.True(SlotTiming.Poll + SlotTiming.AnswersWithin < SlotTiming.MaxFirstWait);

    [Fact]
    public void Calls_outwait_a_keeper_that_begins_anew() => Assert.True(SlotTiming.MaxRecovery < SlotTiming.MaxWaitForKeeper);
}
