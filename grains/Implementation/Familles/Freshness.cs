using System.ComponentModel.DataAnnotations;
using DroitsAmeli.Grains.Droits;

namespace DroitsAmeli.Grains.Familles;

/// <summary>How long a copy of a family's rights may be shown, <c>Freshness:*</c>.</summary>
public sealed class FreshnessOptions
{
    public const string Section = "Freshness";

    /// <summary>Minutes during which a copy is served as it is, before jitter.</summary>
    [Range(1, 24 * 60)]
    public int FreshMinutes { get; set; } = 15;

    /// <summary>Minutes up to which a copy is served while a refresh runs behind the answer.</summary>
    [Range(1, LongestAge.Hours * 60)]
    public int BehindMinutes { get; set; } = 60;

    /// <summary>
    /// Seconds for which an answer waits for refreshes that must come first, all its parts together, before old copies are given; counted from
    /// the start of the call, or of a refresh that began sooner. The answer has 8 s in all.
    /// </summary>
    [Range(0.0, 3.0)]
    public double RefreshWaitSeconds { get; set; } = 2;

    /// <summary>Hours up to which an old copy may be shown because the SI fails, to a convention that sets no limit of its own.</summary>
    [Range(1, LongestAge.Hours)]
    public int MaximumHours { get; set; } = 24;

    /// <summary>Minutes for which a negative answer is kept.</summary>
    [Range(0, 60)]
    public int NegativeMinutes { get; set; } = 5;

    /// <summary>The oldest copy a convention may be shown: its own limit, else the product's; <see cref="LongestAge"/> at most.</summary>
    public TimeSpan MaximumAge(TimeSpan? ofConvention)
    {
        var limit = ofConvention ?? TimeSpan.FromHours(MaximumHours);
        return limit < LongestAge.Span ? limit : LongestAge.Span;
    }
}

/// <summary>What may be done with a copy: after <see cref="Missing"/>, from the best to the worst.</summary>
public enum FreshnessVerdict
{
    /// <summary>There is no copy: load.</summary>
    Missing,

    /// <summary>Serve.</summary>
    Fresh,

    /// <summary>Serve, and refresh behind the answer.</summary>
    RefreshBehind,

    /// <summary>Refresh, waiting a little; then serve whatever there is.</summary>
    RefreshFirst,

    /// <summary>A newer version is known to exist: refresh, and never serve this one in its place.</summary>
    Superseded,

    /// <summary>Too old to be shown: load.</summary>
    Expired,
}

/// <summary>
/// How old is too old: the one rule on the age of a copy. Pure. Ages grow, and a verdict never gets better with age.
/// </summary>
public static class Freshness
{
    private const double Jitter = 0.10;

    /// <summary>Until when a copy loaded at that instant is fresh.</summary>
    /// <param name="options">The limits.</param>
    /// <param name="loadedAt">The instant the SI gave the copy, or last confirmed it (304).</param>
    /// <param name="random">In [0, 1): spreads refreshes over ± 10 % so that copies loaded together do not age together.</param>
    /// <param name="changesAt">The next instant at which something in the copy begins or ends; see <see cref="Changes"/>.</param>
    public static DateTimeOffset FreshUntil(FreshnessOptions options, DateTimeOffset loadedAt, double random, DateTimeOffset? changesAt = null)
    {
        var byAge = loadedAt + TimeSpan.FromMinutes(options.FreshMinutes) * (1 + Jitter * (2 * random - 1));
        return changesAt < byAge ? changesAt.Value : byAge;
    }

    /// <summary>From when on nobody may be shown a copy that the SI gave, or last confirmed, at that instant.</summary>
    public static DateTimeOffset ExpiresAt(DateTimeOffset loadedAt) => loadedAt + LongestAge.Span;

    /// <summary>Judges a copy.</summary>
    /// <param name="options">The limits.</param>
    /// <param name="loadedAt">The instant the SI gave the copy, or last confirmed it (304); null when there is none.</param>
    /// <param name="freshUntil">What <see cref="FreshUntil"/> said when it was loaded.</param>
    /// <param name="now">The instant of the call.</param>
    /// <param name="maximumAge">The oldest copy the caller may be shown, see <see cref="FreshnessOptions.MaximumAge"/>.</param>
    /// <param name="superseded">True when a newer version is known to exist.</param>
    /// <param name="stale">True when it has to be asked again before it is shown, whatever its age.</param>
    public static FreshnessVerdict Evaluate(
        FreshnessOptions options,
        DateTimeOffset? loadedAt,
        DateTimeOffset freshUntil,
        DateTimeOffset now,
        TimeSpan maximumAge,
        bool superseded,
        bool stale = false)
    {
        if (loadedAt is not { } loaded)
            return FreshnessVerdict.Missing;

        var age = now - loaded;
        if (age > maximumAge || age >= LongestAge.Span)
            return FreshnessVerdict.Expired;
        if (superseded)
            return FreshnessVerdict.Superseded;
        if (stale)
            return FreshnessVerdict.RefreshFirst;
        if (now < freshUntil)
            return FreshnessVerdict.Fresh;
        return age <= TimeSpan.FromMinutes(options.BehindMinutes) ? FreshnessVerdict.RefreshBehind : FreshnessVerdict.RefreshFirst;
    }
}
