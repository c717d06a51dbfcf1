namespace DroitsAmeli.Grains.Droits;

/// <summary>The civil calendar of the régimes: the day of the call is the day in Europe/Paris.</summary>
public static class Paris
{
    /// <summary>Europe/Paris.</summary>
    public static TimeZoneInfo Zone { get; } = TimeZoneInfo.FindSystemTimeZoneById("Europe/Paris");

    /// <summary>The day in Paris at that instant.</summary>
    public static DateOnly DayOf(DateTimeOffset instant) => DayIn(Zone, instant);

    /// <summary>The instant at which that day begins in Paris.</summary>
    public static DateTimeOffset StartOf(DateOnly day)
    {
        var midnight = day.ToDateTime(TimeOnly.MinValue);
        return new DateTimeOffset(midnight, Zone.GetUtcOffset(midnight)).ToUniversalTime();
    }

    /// <summary>The day in Paris now.</summary>
    public static DateOnly Today(this TimeProvider time) => DayOf(time.GetUtcNow());

    internal static DateOnly DayIn(TimeZoneInfo zone, DateTimeOffset instant) =>
        DateOnly.FromDateTime(TimeZoneInfo.ConvertTime(instant, zone).DateTime);
}
