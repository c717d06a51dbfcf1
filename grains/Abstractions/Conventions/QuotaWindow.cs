using DroitsAmeli.Grains.Droits;

namespace DroitsAmeli.Grains.Conventions;

/// <summary>A fixed window in which a quota is counted: a UTC minute, or a calendar day in Paris.</summary>
/// <param name="Id">Grows with time; the same wherever it is computed.</param>
/// <param name="End">The first instant that is no longer in the window.</param>
public readonly record struct QuotaWindow(long Id, DateTimeOffset End)
{
    /// <summary>The UTC minute that holds that instant.</summary>
    public static QuotaWindow MinuteOf(DateTimeOffset instant)
    {
        var minute = instant.UtcTicks / TimeSpan.TicksPerMinute;
        return new QuotaWindow(minute, new DateTimeOffset((minute + 1) * TimeSpan.TicksPerMinute, TimeSpan.Zero));
    }

    /// <summary>The day in Paris that holds that instant: 23 or 25 hours when the clocks change.</summary>
    public static QuotaWindow DayOf(DateTimeOffset instant)
    {
        var day = Paris.DayOf(instant);
        var midnight = day.AddDays(1).ToDateTime(TimeOnly.MinValue);
        return new QuotaWindow(day.DayNumber, new DateTimeOffset(midnight, Paris.Zone.GetUtcOffset(midnight)).ToUniversalTime());
    }
}
