using System.Globalization;
using DroitsAmeli.Grains.RegimeSi;
using Xunit;

namespace DroitsAmeli.Tests.Rules.RegimeSi;

public sealed class MaintenanceWindowsTests
{
    [Theory]
    // Winter: Paris is one hour ahead of UTC; summer: two.
    [InlineData("02:00-03:30", "2026-01-15T00:59:59Z", null)]
    [InlineData("02:00-03:30", "2026-01-15T01:00:00Z", "2026-01-15T02:30:00Z")]
    [InlineData("02:00-03:30", "2026-01-15T02:29:59Z", "2026-01-15T02:30:00Z")]
    [InlineData("02:00-03:30", "2026-01-15T02:30:00Z", null)]
    [InlineData("02:00-03:30", "2026-07-15T00:30:00Z", "2026-07-15T01:30:00Z")]
    [InlineData("23:00-01:00", "2026-01-15T22:30:00Z", "2026-01-16T00:00:00Z")]
    [InlineData("23:00-01:00", "2026-01-15T23:30:00Z", "2026-01-16T00:00:00Z")]
    [InlineData("23:00-01:00", "2026-01-15T12:00:00Z", null)]
    // 2026-03-29: 02:00 becomes 03:00, at 01:00Z.
    [InlineData("02:00-03:30", "2026-03-29T00:59:59Z", null)]
    [InlineData("02:00-03:30", "2026-03-29T01:00:00Z", "2026-03-29T01:30:00Z")]
    [InlineData("02:15-02:45", "2026-03-29T01:00:00Z", null)]
    [InlineData("01:30-02:30", "2026-03-29T00:45:00Z", "2026-03-29T01:00:00Z")]
    // 2026-10-25: 03:00 becomes 02:00, at 01:00Z; 02:00 to 03:00 comes twice, from 00:00Z and from 01:00Z.
    [InlineData("02:00-03:30", "2026-10-25T00:00:00Z", "2026-10-25T02:30:00Z")]
    [InlineData("02:00-03:30", "2026-10-24T23:59:59Z", null)]
    [InlineData("01:00-02:30", "2026-10-25T00:45:00Z", "2026-10-25T01:30:00Z")]
    [InlineData("22:00-02:30", "2026-10-25T01:15:00Z", "2026-10-25T01:30:00Z")]
    public void Says_when_the_si_opens_again(string window, string now, string? opens) => Assert.Equal(At(opens), Windows(window).ClosedUntil(At(now)!.Value));

    [Fact]
    public void Joins_windows_that_touch_or_overlap()
    {
        var windows = Windows("22:00-00:00", "00:00-01:00", "00:30-02:00", "12:00-13:00");
        Assert.Equal(At("2026-01-16T01:00:00Z"), windows.ClosedUntil(At("2026-01-15T21:30:00Z")!.Value));
    }

    [Fact]
    public void Ends_even_where_windows_leave_no_gap()
    {
        var now = At("2026-01-15T21:30:00Z")!.Value;
        var opens = Windows("00:00-12:00", "12:00-00:00").ClosedUntil(now);
        Assert.InRange(opens!.Value, now.AddDays(1), now.AddDays(2));
    }

    [Fact]
    public void No_window_never_closes() => Assert.Null(Windows().ClosedUntil(At("2026-01-15T01:00:00Z")!.Value));

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("02:00")]
    [InlineData("2:00-03:00")]
    [InlineData("02:00-24:00")]
    [InlineData("02:00-02:00")]
    [InlineData("02:00-03:00-04:00")]
    [InlineData("02:00 - 03:00")]
    public void Refuses(string? text) => Assert.False(MaintenanceWindows.TryParse([text!], out _));

    private static MaintenanceWindows Windows(params string[] texts)
    {
        Assert.True(MaintenanceWindows.TryParse(texts, out var windows));
        return windows;
    }

    private static DateTimeOffset? At(string? text) => text is null ? null : DateTimeOffset.Parse(text, CultureInfo.InvariantCulture);
}
