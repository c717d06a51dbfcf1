using CsCheck;
using DroitsAmeli.Grains.Exploitation;
using DroitsAmeli.Grains.Familles;
using Orleans.Runtime;
using Xunit;

namespace DroitsAmeli.Tests.Rules.Familles;

public sealed class OrdresTests
{
    private static readonly DateTimeOffset Now = new(2026, 11, 23, 9, 0, 0, TimeSpan.Zero);
    private static readonly Gen<DateTimeOffset> Instants = Gen.Int[-4_000, 0].Select(minutes => Now.AddMinutes(minutes));
    private static readonly Gen<string> Keys = Gen.String[Gen.Char.AlphaNumeric, 1, 12].Select(FamilleKey.Of);

    private readonly Ordres ordres = new();

    [Fact]
    public void Nothing_is_ordered_at_first()
    {
        Assert.False(ordres.IsForgotten(Now));
        Assert.False(ordres.IsForgotten(Now, FamilleKey.Of("A")));
        Assert.Null(ordres.StaleSince(Now, FamilleKey.Of("A"), Now));
        Assert.Null(ordres.ForgottenUpTo(FamilleKey.Of("A")));
        Assert.Empty(ordres.All);
    }

    [Fact]
    public void A_quarantine_forgets_its_interval_both_ends_included_and_nothing_else() =>
        Gen.Select(Instants, Gen.Int[1, 600], Instants).Sample((from, minutes, loadedAt) =>
        {
            var to = from.AddMinutes(minutes);
            var all = new Ordres();
            all.Add(OperatorOrdres.Quarantine(from, to));
            return all.IsForgotten(loadedAt) == (loadedAt >= from && loadedAt <= to)
                && all.IsForgotten(from) && all.IsForgotten(to)
                && !all.IsForgotten(from.AddMilliseconds(-1)) && !all.IsForgotten(to.AddMilliseconds(1));
        });

    [Fact]
    public void A_quarantine_does_not_miss_an_instant_that_was_rounded_down_to_the_millisecond()
    {
        var (from, to) = (Now.AddTicks(-70_001), Now.AddTicks(-3));
        ordres.Add(OperatorOrdres.Quarantine(from, to));
        foreach (var loadedAt in new[] { from, from.AddTicks(5), to })
            Assert.True(ordres.IsForgotten(DateTimeOffset.FromUnixTimeMilliseconds(loadedAt.ToUnixTimeMilliseconds())));
        Assert.True(ordres.IsForgotten(to));
    }

    [Fact]
    public void A_kind_of_a_later_build_forgets_what_it_names()
    {
        var later = (OrdreKind)77;
        ordres.Add(new() { Id = Guid.NewGuid(), Kind = later, Instant = Now.AddHours(-1), From = Now.AddHours(-2) });
        Assert.Equal(
            [false, true, true, false],
            new[] { -121, -120, -60, -59 }.Select(minutes => ordres.IsForgotten(Now.AddMinutes(minutes))));

        ordres.Add(new() { Id = Guid.NewGuid(), Kind = later, Instant = Now.AddMinutes(-30), From = Now.AddMinutes(-30), Famille = "A", Spread = TimeSpan.FromHours(1) });
        Assert.Equal((true, false), (ordres.IsForgotten(Now.AddMinutes(-40), FamilleKey.Of("A")), ordres.IsForgotten(Now.AddMinutes(-40), FamilleKey.Of("B"))));

        ordres.Add(new() { Id = Guid.NewGuid(), Kind = later, Instant = Now, From = Now });
        Assert.Equal((true, false), (ordres.IsForgotten(Now.AddDays(-2)), ordres.IsForgotten(Now.AddTicks(1))));
    }

    [Fact]
    public void An_order_is_in_force_once_however_often_it_is_given()
    {
        Assert.True(ordres.Add(OperatorOrdres.Quarantine(Now.AddHours(-2), Now)));
        Assert.False(ordres.Add(OperatorOrdres.Quarantine(Now.AddHours(-2), Now)));
        Assert.Single(ordres.AddRange([OperatorOrdres.Quarantine(Now.AddHours(-2), Now), OperatorOrdres.MakeStale("A", Now)]));
        Assert.Equal(2, ordres.All.Count);
    }

    [Fact]
    public void Each_family_is_stale_from_its_own_moment_within_the_spread_on() =>
        Gen.Select(Keys, Gen.Int[0, 1_440], Gen.Int[0, 3_000], Gen.Int[1, 4_000]).Sample((key, spread, later, before) =>
        {
            var all = new Ordres();
            var ordre = OperatorOrdres.MakeEverythingStale(TimeSpan.FromMinutes(spread), Now);
            all.Add(ordre);
            var due = Now + TimeSpan.FromMinutes(spread) * Ordres.Place(key);
            var now = Now.AddMinutes(later);
            return all.StaleSince(Now.AddMinutes(-before), key, now) == (now >= due ? due : null)
                && all.StaleSince(Now, key, now) is null
                && due >= Now && due <= Now.AddMinutes(spread);
        });

    [Fact]
    public void Once_stale_a_copy_stays_so_and_more_orders_never_make_it_fresher() =>
        Gen.Select(Keys, Instants, Gen.Int[0, 2_000].Array[1, 5], Gen.Int[0, 4_000], Gen.Int[0, 4_000]).Sample((key, loadedAt, spreads, one, other) =>
        {
            var (fewer, more) = (new Ordres(), new Ordres());
            foreach (var (minutes, i) in spreads.Select((minutes, i) => (minutes, i)))
            {
                var ordre = OperatorOrdres.MakeEverythingStale(TimeSpan.FromMinutes(minutes), Now.AddMinutes(-60 * i));
                more.Add(ordre);
                if (i > 0)
                    fewer.Add(ordre);
            }

            var (early, late) = (Now.AddMinutes(Math.Min(one, other)), Now.AddMinutes(Math.Max(one, other)));
            return (more.StaleSince(loadedAt, key, early) is not { } since || more.StaleSince(loadedAt, key, late) <= since)
                && (fewer.StaleSince(loadedAt, key, early) is not { } before || more.StaleSince(loadedAt, key, early) <= before);
        });

    [Fact]
    public void Families_are_spread_evenly_even_when_their_ids_follow_each_other()
    {
        var tenths = new int[10];
        for (var i = 0; i < 20_000; i++)
        {
            var place = Ordres.Place(FamilleKey.Of($"famille-{i:D8}"));
            Assert.InRange(place, 0, 1 - double.Epsilon);
            tenths[(int)(place * 10)]++;
        }

        Assert.All(tenths, count => Assert.InRange(count, 1_800, 2_200));
    }

    [Fact]
    public void The_place_of_a_family_is_the_same_in_every_version() =>
        Assert.Equal([0.00715, 0.00533, 0.23521], new[] { "F1", "F2", "0" }.Select(id => Math.Round(Ordres.Place(FamilleKey.Of(id)), 5)));

    [Fact]
    public void An_order_about_one_family_concerns_no_other()
    {
        var (a, b) = (FamilleKey.Of("A"), FamilleKey.Of("B"));
        ordres.Add(OperatorOrdres.MakeStale("A", Now));
        Assert.Equal(Now, ordres.StaleSince(Now.AddMinutes(-1), a, Now));
        Assert.Null(ordres.StaleSince(Now, a, Now));
        Assert.Equal(Now, ordres.StaleSince(Now.AddMinutes(-1), a, Now.AddMilliseconds(-30)));
        Assert.Null(ordres.StaleSince(Now.AddMinutes(-1), b, Now));
        Assert.False(ordres.IsForgotten(Now.AddMinutes(-1), a));

        ordres.Add(OperatorOrdres.Forget("A", Now.AddMinutes(5)));
        Assert.True(ordres.IsForgotten(Now.AddMinutes(5), a));
        Assert.False(ordres.IsForgotten(Now.AddMinutes(5).AddMilliseconds(1), a));
        Assert.False(ordres.IsForgotten(Now, b));
        Assert.Equal((Now.AddMinutes(5), null), (ordres.ForgottenUpTo(a), ordres.ForgottenUpTo(b)));

        ordres.Add(OperatorOrdres.Forget("A", Now.AddMinutes(2)));
        Assert.Equal(Now.AddMinutes(5), ordres.ForgottenUpTo(a));
    }

    [Fact]
    public void A_grain_is_judged_by_its_key()
    {
        var grain = GrainId.Create("famille", FamilleKey.Of("A"));
        Assert.False(ordres.IsStale(Now.AddMinutes(-1), grain, Now));
        ordres.Add(OperatorOrdres.MakeStale("A", Now));
        Assert.True(ordres.IsStale(Now.AddMinutes(-1), grain, Now));
        Assert.False(ordres.IsStale(Now, grain, Now));
        Assert.False(ordres.IsStale(Now.AddMinutes(-1), GrainId.Create("famille", FamilleKey.Of("B")), Now));
    }

    [Fact]
    public void An_order_is_dropped_only_when_nothing_it_concerns_may_be_shown_any_more()
    {
        ordres.Add(OperatorOrdres.Quarantine(Now.AddHours(-2), Now));
        ordres.Add(OperatorOrdres.MakeEverythingStale(TimeSpan.FromHours(5), Now));
        ordres.Prune(Now.AddHours(72.9));
        Assert.True(ordres.IsForgotten(Now));

        ordres.Prune(Now.AddHours(73));
        Assert.False(ordres.IsForgotten(Now));
        Assert.Equal(OrdreKind.Stale, Assert.Single(ordres.All).Kind);
        Assert.Equal(Now.AddHours(78), Assert.Single(ordres.All).EndsAt);
        ordres.Prune(Now.AddHours(78));
        Assert.Empty(ordres.All);
    }
}
