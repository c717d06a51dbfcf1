using CsCheck;
using DroitsAmeli.Grains.Familles;
using Xunit;

namespace DroitsAmeli.Tests.Rules.Familles;

public sealed class FreshnessTests
{
    private static readonly FreshnessOptions Options = new();
    private static readonly DateTimeOffset LoadedAt = new(2026, 11, 23, 8, 0, 0, TimeSpan.Zero);

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
        Gen.Select(Gen.Double[0, 6000], Gen.Int[1, 6000], Gen.Bool, Gen.Bool).Sample((minutes, maximum, superseded, stale) =>
            Judge(minutes, TimeSpan.FromMinutes(maximum)) <= Judge(minutes, TimeSpan.FromMinutes(maximum), superseded, stale));

    [Fact]
    public void Jitter_stays_within_ten_percent() =>
        Gen.Double[0, 1].Sample(random =>
            Freshness.FreshUntil(Options, LoadedAt, random) - LoadedAt is var fresh
                && fresh >= TimeSpan.FromMinutes(13.5) && fresh <= TimeSpan.FromMinutes(16.5));

    [Fact]
    public void Older_never_looks_fresher() =>
        Gen.Select(Gen.Double[0, 6000], Gen.Double[0, 6000], Gen.Int[1, 6000], Gen.Bool, Gen.Bool).Sample((one, other, maximum, superseded, stale) =>
            Judge(Math.Min(one, other), TimeSpan.FromMinutes(maximum), superseded, stale)
                <= Judge(Math.Max(one, other), TimeSpan.FromMinutes(maximum), superseded, stale));

    private static FreshnessVerdict Judge(double minutes, TimeSpan? ofConvention, bool superseded = false, bool stale = false) => Freshness.Evaluate(
        Options,
        LoadedAt,
        Freshness.FreshUntil(Options, LoadedAt, 0.5),
        LoadedAt + TimeSpan.FromMinutes(minutes),
        Options.MaximumAge(ofConvention),
        superseded,
        stale);
}
