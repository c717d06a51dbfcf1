using System.Globalization;
using DroitsAmeli.Load.Processes;

namespace DroitsAmeli.Load.Reads;

/// <summary>Which declared ages of a 200 can be true.</summary>
/// <param name="Fresh">The freshness that silos give to a copy, before jitter.</param>
/// <param name="Maximum">The oldest copy that the partner may be shown.</param>
/// <param name="IsOrganisme">Whether the partner sees the hour alone, and no cache status.</param>
public sealed record DeclaredAge(TimeSpan Fresh, TimeSpan Maximum, bool IsOrganisme)
{
    private const double LongestJitter = 1.1;
    private static readonly TimeSpan ClockSlack = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan Rounding = TimeSpan.FromHours(1);

    /// <summary>What silos with these settings (<c>Freshness:*</c>) declare to that partner, whose convention sets no limit of its own.</summary>
    public static DeclaredAge Of(IReadOnlyDictionary<string, string> siloSettings, Partner partner) =>
        new(TimeSpan.FromMinutes(Setting(siloSettings, "FreshMinutes", 15)), TimeSpan.FromHours(Setting(siloSettings, "MaximumHours", 24)), partner.IsOrganisme);

    /// <summary>False when the age is missing, lies in the future or beyond the limit, or contradicts the cache status.</summary>
    public bool IsBelievable(Reading reading)
    {
        if (reading.Situation is not { } situation || situation > reading.ReceivedAt + ClockSlack)
            return false;

        // The age was declared at some moment of the call, and is cut to the second.
        var least = reading.ReceivedAt - situation - reading.Took - ClockSlack;
        if (IsOrganisme)
            return reading.CacheStatus is null && least <= Maximum + Rounding;

        // A state without time to live is that of a copy that is fresh.
        return reading.CacheStatus is not null && least <= Maximum && (reading.TtlSeconds < 0 || least <= Fresh * LongestJitter);
    }

    private static double Setting(IReadOnlyDictionary<string, string> settings, string name, double byDefault) =>
        settings.TryGetValue("Freshness:" + name, out var value) ? double.Parse(value, CultureInfo.InvariantCulture) : byDefault;
}
