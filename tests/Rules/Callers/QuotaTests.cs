using DroitsAmeli.Grains.Conventions;
using Xunit;

namespace DroitsAmeli.Tests.Rules.Callers;

public sealed class QuotaTests
{
    private static readonly DateTimeOffset Noon = new(2026, 3, 10, 12, 0, 0, TimeSpan.Zero);
    private static readonly Guid Front = Guid.NewGuid();
    private readonly Quota quota = new();

    [Fact]
    public void A_request_that_was_overtaken_gets_nothing()
    {
        var second = Ask(sequence: 2, wanted: 3);
        Assert.Equal((3, 7), (second.Granted, second.Left));
        Assert.Equal(0, Ask(sequence: 1, wanted: 3).Granted);
        Assert.Equal(0, Ask(sequence: 2, wanted: 3).Granted);
        Assert.Equal(7, Ask(sequence: 3, wanted: 100, window: second.Window, taken: 3).Granted);
    }

    [Fact]
    public void What_a_lost_reply_handed_out_comes_back()
    {
        var lost = Ask(sequence: 1, wanted: 10);
        Assert.Equal(0, lost.Left);
        Assert.Equal(10, Ask(sequence: 2, wanted: 10).Granted);
    }

    [Fact]
    public void A_clock_that_is_set_back_opens_no_window_again()
    {
        var first = Ask(sequence: 1, wanted: 10);
        var back = Ask(sequence: 2, wanted: 10, window: first.Window, taken: 10, now: Noon.AddMinutes(-1));
        Assert.Equal((first.Window, 0, 0), (back.Window, back.Granted, back.Left));
    }

    [Fact]
    public void What_was_taken_in_another_window_does_not_count()
    {
        var first = Ask(sequence: 1, wanted: 10);
        var next = Ask(sequence: 2, wanted: 10, window: first.Window, taken: 10, now: Noon.AddMinutes(1));
        Assert.Equal((first.Window + 1, 10), (next.Window, next.Granted));
    }

    [Fact]
    public void Nothing_of_the_minute_is_lost_on_a_day_that_is_used_up()
    {
        var lease = quota.Lease(
            new QuotaLeaseRequest
            {
                FrontEnd = Front,
                Sequence = 1,
                Minute = new QuotaClaim { Limit = 5, Window = 0, Taken = 0, Wanted = 1 },
                Day = new QuotaClaim { Limit = 5, Window = QuotaWindow.DayOf(Noon).Id, Taken = 5, Wanted = 1 },
            },
            Noon);
        Assert.Equal((0, 5), (lease.Minute!.Granted, lease.Minute.Left));
        Assert.Equal((0, 0), (lease.Day!.Granted, lease.Day.Left));
    }

    [Theory]
    [InlineData("2026-03-28T23:00:00Z", 23)]
    [InlineData("2026-10-24T22:00:00Z", 25)]
    [InlineData("2026-07-01T22:00:00Z", 24)]
    public void A_day_is_a_calendar_day_in_Paris(string midnight, int hours)
    {
        var start = DateTimeOffset.Parse(midnight, System.Globalization.CultureInfo.InvariantCulture);
        var day = QuotaWindow.DayOf(start);
        Assert.Equal(start.AddHours(hours), day.End);
        Assert.Equal(day, QuotaWindow.DayOf(day.End.AddTicks(-1)));
        Assert.Equal(day.Id + 1, QuotaWindow.DayOf(day.End).Id);
        Assert.Equal(day.Id - 1, QuotaWindow.DayOf(start.AddTicks(-1)).Id);
    }

    private QuotaGrant Ask(long sequence, int wanted, long window = 0, int taken = 0, DateTimeOffset? now = null) =>
        quota.Lease(
            new QuotaLeaseRequest
            {
                FrontEnd = Front,
                Sequence = sequence,
                Minute = new QuotaClaim { Limit = 10, Window = window, Taken = taken, Wanted = wanted },
            },
            now ?? Noon).Minute!;
}
