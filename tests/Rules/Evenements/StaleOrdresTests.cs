using CsCheck;
using DroitsAmeli.Grains.Evenements;
using DroitsAmeli.Grains.Familles;
using Xunit;

namespace DroitsAmeli.Tests.Rules.Evenements;

public sealed class StaleOrdresTests
{
    private static readonly DateTimeOffset Now = new(2026, 11, 23, 9, 0, 0, TimeSpan.Zero);
    private static readonly TimeSpan Load = TimeSpan.FromSeconds(4);
    private static readonly TimeSpan Spread = TimeSpan.FromMinutes(15);

    private static readonly Gen<DateTimeOffset[]> Misses =
        Gen.Int[0, 900].Array[1, 200].Select(pauses => pauses.Aggregate(new List<DateTimeOffset> { Now }, (all, pause) => [.. all, all[^1].AddSeconds(pause)]).ToArray());

    [Fact]
    public void The_first_is_about_all_that_may_have_been_asked_before_now()
    {
        var ordre = new StaleOrdres(Spread, Load).Cover(Now, out var isNew);
        Assert.True(isNew);
        Assert.Equal((OrdreKind.Stale, Now + Load, Spread), (ordre.Kind, ordre.Instant, ordre.Spread));
    }

    [Fact]
    public void However_often_events_are_missed_every_family_is_asked_again_soon_and_never_all_of_them_at_once() => Misses.Sample(misses =>
    {
        var (stale, ordres, given) = (new StaleOrdres(Spread, Load), new Ordres(), new List<Ordre>());
        foreach (var missed in misses)
        {
            var cover = stale.Cover(missed, out var isNew);
            Assert.Equal(isNew, ordres.Add(cover));
            if (isNew)
                given.Add(cover);
            var end = missed + Load + 2 * Spread;
            Assert.All(["f-A", "f-B", "f-C"], key => Assert.NotNull(ordres.StaleSince(missed + Load - TimeSpan.FromTicks(1), key, end)));
        }

        Assert.All(given.Zip(given.Skip(1)), pair => Assert.InRange(pair.Second.Instant - pair.First.Instant, Spread, TimeSpan.MaxValue));
    });

    [Fact]
    public void Without_a_spread_they_are_a_minute_apart()
    {
        var stale = new StaleOrdres(TimeSpan.Zero, Load);
        var instants = Enumerable.Range(0, 600).Select(second => stale.Cover(Now.AddSeconds(second), out _).Instant).Distinct().ToArray();
        Assert.Equal(Enumerable.Range(0, 11).Select(minute => Now + Load + TimeSpan.FromMinutes(minute)), instants);
    }

    [Fact]
    public void A_beginning_puts_off_nothing()
    {
        var stale = new StaleOrdres(Spread, Load);
        stale.Begin(Now);
        Assert.Equal(Now.AddSeconds(1) + Load, stale.Cover(Now.AddSeconds(1), out var isNew).Instant);
        Assert.True(isNew);
    }

    [Fact]
    public void They_are_remembered_until_they_are_spread_out()
    {
        var stale = new StaleOrdres(Spread, Load);
        var first = stale.Cover(Now, out _);
        var second = stale.Cover(Now.AddMinutes(1), out _);
        Assert.Equal([first, second], stale.Lately(Now.AddMinutes(15)));
        Assert.Equal([second], stale.Lately(Now.AddMinutes(30)));
        Assert.Empty(stale.Lately(Now.AddMinutes(36)));
    }
}
