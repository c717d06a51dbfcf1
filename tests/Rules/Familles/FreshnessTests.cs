using CsCheck;
using DroitsAmeli.Grains.Droits;
using DroitsAmeli.Grains.Familles;
using Xunit;

namespace DroitsAmeli.Tests.Rules.Familles;

public sealed class FreshnessTests
{
    private static readonly FreshnessOptions Options = new();
    private static readonly DateTimeOffset LoadedAt = new(2026, 11, 23, 8, 0, 0, TimeSpan.Zero);

    private static readonly Gen<FreshnessOptions> Settings =
        from maximum in Gen.Int[1, LongestAge.Hours]
        from behind in Gen.Int[2, maximum * 60]
        from fresh in Gen.Int[1, Math.Min(behind - 1, 24 * 60)]
        select new FreshnessOptions { FreshMinutes = fresh, BehindMinutes = behind, MaximumHours = maximum };

    private static readonly Gen<double> Randoms = Gen.Double[0, 1];

    // In whole quarters of a minute: what is drawn and what is computed are the same to the tick.
    private static readonly Gen<double> Ages = Gen.OneOf(Gen.Int[0, 60 * 4], Gen.Int[0, 6000 * 4]).Select(quarters => quarters / 4.0);
    private static readonly Gen<int?> Maxima = Gen.OneOf(Gen.Int[1, 60], Gen.Int[1, 6000]).Nullable();

    private static readonly Gen<Drawn> Copies =
        Gen.Select(Settings, Randoms, Ages.Nullable(), (options, random, changesAfter) => new Drawn(options, random, changesAfter));

    [Theory]
    [InlineData(0, FreshnessVerdict.Fresh)]
    [InlineData(14.9, FreshnessVerdict.Fresh)]
    [InlineData(15, FreshnessVerdict.RefreshBehind)]
    [InlineData(60, FreshnessVerdict.RefreshBehind)]
    [InlineData(60.1, FreshnessVerdict.RefreshFirst)]
    [InlineData(24 * 60, FreshnessVerdict.RefreshFirst)]
    [InlineData(24 * 60 + 0.1, FreshnessVerdict.Expired)]
    public void Judges_by_age(double minutes, FreshnessVerdict expected) => Assert.Equal(expected, Judge(minutes, null));

    [Theory]
    [InlineData(5, 4, FreshnessVerdict.Fresh)]
    [InlineData(5, 6, FreshnessVerdict.Expired)]
    [InlineData(48 * 60, 47 * 60, FreshnessVerdict.RefreshFirst)]
    [InlineData(100 * 60, 71 * 60, FreshnessVerdict.RefreshFirst)]
    [InlineData(100 * 60, 72 * 60 - 0.1, FreshnessVerdict.RefreshFirst)]
    [InlineData(72 * 60, 72 * 60, FreshnessVerdict.Expired)]
    [InlineData(100 * 60, 72 * 60, FreshnessVerdict.Expired)]
    [InlineData(100 * 60, 73 * 60, FreshnessVerdict.Expired)]
    public void Keeps_the_conventions_maximum_age_up_to_72_hours(double maximumMinutes, double minutes, FreshnessVerdict expected) =>
        Assert.Equal(expected, Judge(minutes, TimeSpan.FromMinutes(maximumMinutes)));

    [Fact]
    public void There_is_nothing_to_judge_without_a_copy() => Assert.Equal(
        FreshnessVerdict.Missing,
        Freshness.Evaluate(Options, null, default, LoadedAt, TimeSpan.FromHours(24), superseded: false));

    [Theory]
    [InlineData(1, FreshnessVerdict.Superseded)]
    [InlineData(25 * 60, FreshnessVerdict.Expired)]
    public void A_newer_version_supersedes_a_copy_of_any_age(double minutes, FreshnessVerdict expected) =>
        Assert.Equal(expected, Judge(minutes, null, superseded: true));

    [Theory]
    [InlineData(1, FreshnessVerdict.RefreshFirst)]
    [InlineData(30, FreshnessVerdict.RefreshFirst)]
    [InlineData(25 * 60, FreshnessVerdict.Expired)]
    public void What_was_made_stale_is_asked_again_before_it_is_shown(double minutes, FreshnessVerdict expected) =>
        Assert.Equal(expected, Judge(minutes, null, stale: true));

    [Fact]
    public void A_change_in_the_data_ends_freshness_early()
    {
        var midnight = LoadedAt + TimeSpan.FromMinutes(4);
        Assert.Equal(midnight, Freshness.FreshUntil(Options, LoadedAt, 0.5, midnight));
        Assert.Equal(LoadedAt + TimeSpan.FromMinutes(15), Freshness.FreshUntil(Options, LoadedAt, 0.5, LoadedAt + TimeSpan.FromHours(9)));
    }

    [Fact]
    public void Knowing_more_never_makes_a_copy_look_fresher() =>
        Gen.Select(Copies, Ages, Maxima, Gen.Bool, Gen.Bool).Sample((copy, minutes, maximum, superseded, stale) =>
            copy.Judge(minutes, maximum) <= copy.Judge(minutes, maximum, superseded, stale), iter: 10_000);

    [Fact]
    public void Jitter_stays_within_ten_percent() =>
        Gen.Select(Settings, Randoms).Sample((options, random) =>
            (Freshness.FreshUntil(options, LoadedAt, random) - LoadedAt) / TimeSpan.FromMinutes(options.FreshMinutes) is >= 0.9 and <= 1.1);

    [Fact]
    public void Older_never_looks_fresher() =>
        Gen.Select(Copies, Ages, Ages, Maxima, Gen.Bool, Gen.Bool).Sample((copy, one, other, maximum, superseded, stale) =>
            copy.Judge(Math.Min(one, other), maximum, superseded, stale) <= copy.Judge(Math.Max(one, other), maximum, superseded, stale), iter: 10_000);

    [Fact]
    public void What_is_fresh_is_young_and_what_is_expired_is_old() =>
        Gen.Select(Copies, Ages, Maxima).Sample((copy, minutes, maximum) =>
        {
            var isOld = minutes > (maximum ?? copy.Options.MaximumHours * 60) || minutes >= 72 * 60;
            return copy.Judge(minutes, maximum) switch
            {
                FreshnessVerdict.Expired => isOld,
                FreshnessVerdict.Fresh => !isOld && minutes < copy.Options.FreshMinutes * 1.101 && !(minutes > copy.ChangesAfter),
                _ => !isOld && (minutes > copy.Options.FreshMinutes * 0.899 || minutes >= copy.ChangesAfter),
            };
        }, iter: 10_000);

    private static FreshnessVerdict Judge(double minutes, TimeSpan? ofConvention, bool superseded = false, bool stale = false) => Freshness.Evaluate(
        Options,
        LoadedAt,
        Freshness.FreshUntil(Options, LoadedAt, 0.5),
        LoadedAt + TimeSpan.FromMinutes(minutes),
        Options.MaximumAge(ofConvention),
        superseded,
        stale);

    /// <summary>A copy under settings that a silo would start with.</summary>
    private sealed record Drawn(FreshnessOptions Options, double Random, double? ChangesAfter)
    {
        public FreshnessVerdict Judge(double minutes, int? maximum, bool superseded = false, bool stale = false) => Freshness.Evaluate(
            Options,
            LoadedAt,
            Freshness.FreshUntil(Options, LoadedAt, Random, ChangesAfter is { } after ? LoadedAt + TimeSpan.FromMinutes(after) : null),
            LoadedAt + TimeSpan.FromMinutes(minutes),
            Options.MaximumAge(maximum is { } limit ? TimeSpan.FromMinutes(limit) : null),
            superseded,
            stale);
    }
}
