using DroitsAmeli.Load.Processes;
using DroitsAmeli.Load.Reads;

namespace DroitsAmeli.Tests.Cache;

/// <summary>What counts as a declared age can fail.</summary>
public sealed class DeclaredAgeTests
{
    private static readonly DateTimeOffset Now = new(2026, 11, 23, 12, 0, 0, TimeSpan.Zero);

    [Theory]
    [InlineData(0, "fwd=miss", true)]
    [InlineData(16, "hit; ttl=20", true)]
    [InlineData(17, "hit; ttl=20", false)]
    [InlineData(120, "hit; ttl=600", false)]
    [InlineData(120, "fwd=miss", false)]
    [InlineData(120, "fwd=stale; fwd-status=304", false)]
    [InlineData(120, "fwd=stale; fwd-status=503; ttl=-6300", true)]
    [InlineData(24 * 60, "fwd=stale; fwd-status=503; ttl=-85500", true)]
    [InlineData((24 * 60) + 1, "fwd=stale; fwd-status=503; ttl=-85560", false)]
    [InlineData(-1, "hit; ttl=900", false)]
    [InlineData(1, null, false)]
    [InlineData(null, "hit; ttl=900", false)]
    public void An_etablissement_is_told_an_age_within_the_limits_and_the_cache_status(int? minutes, string? status, bool believable) =>
        Assert.Equal(believable, DeclaredAge.Of(Settings(), Partner.Hopital).IsBelievable(Read(minutes, status)));

    [Theory]
    [InlineData(59, null, true)]
    [InlineData(25 * 60, null, true)]
    [InlineData((25 * 60) + 1, null, false)]
    [InlineData(1, "hit; ttl=900", false)]
    public void An_organisme_is_told_the_hour_alone(int minutes, string? status, bool believable) =>
        Assert.Equal(believable, DeclaredAge.Of(Settings(), Partner.Mutuelle).IsBelievable(Read(minutes, status)));

    [Fact]
    public void The_limits_are_those_of_the_silos()
    {
        var age = DeclaredAge.Of(Settings(("Freshness:FreshMinutes", "240"), ("Freshness:MaximumHours", "2")), Partner.Hopital);
        Assert.Equal((TimeSpan.FromHours(4), TimeSpan.FromHours(2)), (age.Fresh, age.Maximum));
    }

    private static Dictionary<string, string> Settings(params (string Name, string Value)[] settings) => settings.ToDictionary(setting => setting.Name, setting => setting.Value);

    private static Reading Read(int? minutesOld, string? status) => new(
        200, null, [], minutesOld is { } minutes ? Now.AddMinutes(-minutes) : null, status is null ? null : "DroitsAmeli; " + status, Now, TimeSpan.FromSeconds(1));
}
