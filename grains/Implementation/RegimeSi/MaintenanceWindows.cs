using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using DroitsAmeli.Grains.Droits;

namespace DroitsAmeli.Grains.RegimeSi;

/// <summary>
/// The SI's planned closings, each day from one wall-clock time in Europe/Paris to another, the end not included; a window may cross
/// midnight. On the two days a year when clocks change, a bound inside the hour that is skipped counts as the instant of the change,
/// and one inside the hour that comes twice counts at its first coming for a beginning and at its second for an end: closed rather too long.
/// </summary>
public sealed class MaintenanceWindows
{
    private readonly (TimeOnly From, TimeOnly To)[] windows;

    private MaintenanceWindows((TimeOnly From, TimeOnly To)[] windows) => this.windows = windows;

    /// <summary>Reads <c>RegimeSi:Maintenance</c>, an array of <c>HH:mm-HH:mm</c>.</summary>
    /// <returns>False when an element has another form, or begins where it ends.</returns>
    public static bool TryParse(IReadOnlyList<string> texts, [NotNullWhen(true)] out MaintenanceWindows? result)
    {
        result = null;
        var read = new (TimeOnly From, TimeOnly To)[texts.Count];
        for (var i = 0; i < read.Length; i++)
        {
            // A configuration can hold null in an array.
            var ends = texts[i]?.Split('-');
            if (ends is not { Length: 2 } || !TryReadTime(ends[0], out read[i].From) || !TryReadTime(ends[1], out read[i].To) || read[i].From == read[i].To)
                return false;
        }
        result = new MaintenanceWindows(read);
        return true;
    }

    /// <summary>The instant the present closing ends, windows that touch or overlap taken together; null when the SI is open.</summary>
    public DateTimeOffset? ClosedUntil(DateTimeOffset now)
    {
        DateTimeOffset? end = null;

        // Windows that chain without a gap would never end; a day is enough to say.
        var limit = now.AddDays(1);
        while ((end ?? now) < limit && EndAt(end ?? now) is { } next)
            end = next;
        return end;
    }

    private DateTimeOffset? EndAt(DateTimeOffset instant)
    {
        DateTimeOffset? end = null;
        var today = Paris.DayOf(instant);
        foreach (var (from, to) in windows)
        {
            for (var day = today.AddDays(-1); day <= today; day = day.AddDays(1))
            {
                var begins = Instant(day.ToDateTime(from), latest: false);
                var ends = Instant((to > from ? day : day.AddDays(1)).ToDateTime(to), latest: true);
                if (begins <= instant && instant < ends && (end is null || ends > end))
                    end = ends;
            }
        }
        return end;
    }

    private static DateTimeOffset Instant(DateTime wall, bool latest)
    {
        if (Paris.Zone.IsInvalidTime(wall))
        {
            while (Paris.Zone.IsInvalidTime(wall))
                wall = wall.AddMinutes(1);
        }
        var offset = Paris.Zone.IsAmbiguousTime(wall)
            ? latest ? Paris.Zone.GetAmbiguousTimeOffsets(wall).Min() : Paris.Zone.GetAmbiguousTimeOffsets(wall).Max()
            : Paris.Zone.GetUtcOffset(wall);
        return new DateTimeOffset(wall, offset);
    }

    private static bool TryReadTime(string text, out TimeOnly time) =>
        TimeOnly.TryParseExact(text, "HH:mm", CultureInfo.InvariantCulture, DateTimeStyles.None, out time);
}
