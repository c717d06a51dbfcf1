using System.Globalization;
using DroitsAmeli.Grains.Droits;
using Xunit;

namespace DroitsAmeli.Tests.Rules.Droits;

public sealed class PlageRechercheTests
{
    private const string Noon = "2026-03-14T11:00:00Z";

    [Fact]
    public void Is_one_year_from_the_day_of_the_call_by_default() => Accepts(null, null, Noon, "2026-03-14", "2027-03-14");

    [Theory]
    [InlineData("2026-06-01", null, "2026-06-01", "2027-03-14")]
    [InlineData(null, "2026-03-14", "2026-03-14", "2026-03-14")]
    [InlineData("2026-06-01", "2026-06-01", "2026-06-01", "2026-06-01")]
    [InlineData("2026-03-14", "2027-03-14", "2026-03-14", "2027-03-14")]
    [InlineData("2026-03-14", "2031-01-01", "2026-03-14", "2027-03-14")]
    [InlineData("2027-03-14", null, "2027-03-14", "2027-03-14")]
    [InlineData("2027-03-14", "9999-12-31", "2027-03-14", "2027-03-14")]
    public void Reads_both_dates_and_clamps_the_last_to_the_horizon(string? debut, string? fin, string expectedDebut, string expectedFin) =>
        Accepts(debut, fin, Noon, expectedDebut, expectedFin);

    [Theory]
    [InlineData("2026-03-13")]
    [InlineData("1999-01-01")]
    public void Rejects_date_debut_before_today(string debut) => Rejects(debut, null, Noon, "dateDebut");

    [Theory]
    [InlineData("2027-03-15")]
    [InlineData("9999-12-31")]
    public void Rejects_date_debut_beyond_the_horizon(string debut) => Rejects(debut, null, Noon, "dateDebut");

    [Theory]
    [InlineData(null, "2026-03-13")]
    [InlineData("2026-06-02", "2026-06-01")]
    public void Rejects_date_fin_before_date_debut(string? debut, string fin) => Rejects(debut, fin, Noon, "dateFin");

    [Theory]
    [InlineData("")]
    [InlineData(" ")]
    [InlineData("14/06/2026")]
    [InlineData("2026-6-14")]
    [InlineData("2026-02-30")]
    [InlineData("2027-02-29")]
    [InlineData("2026-06-14T00:00:00")]
    [InlineData(" 2026-06-14")]
    [InlineData("20260614")]
    [InlineData("٢٠٢٦-٠٦-١٤")]
    [InlineData("demain")]
    public void Rejects_what_is_not_an_iso_date(string text)
    {
        Rejects(text, null, Noon, "dateDebut");
        Rejects(null, text, Noon, "dateFin");
    }

    [Fact]
    public void Blames_date_debut_first() => Rejects("x", "y", Noon, "dateDebut");

    [Theory]
    [InlineData("2028-02-29T11:00:00Z", "2028-02-29", "2029-02-28")]
    [InlineData("2027-02-28T11:00:00Z", "2027-02-28", "2028-02-28")]
    [InlineData("2027-03-01T11:00:00Z", "2027-03-01", "2028-03-01")]
    public void A_year_from_29_February_ends_on_28_February(string now, string debut, string fin) => Accepts(null, null, now, debut, fin);

    [Fact]
    public void A_window_that_begins_on_29_February_ends_on_28_February_or_at_the_horizon()
    {
        Accepts("2028-02-29", null, "2027-06-01T10:00:00Z", "2028-02-29", "2028-06-01");
        Accepts("2028-02-29", null, "2028-02-29T10:00:00Z", "2028-02-29", "2029-02-28");
        Rejects("2029-03-01", null, "2028-02-29T10:00:00Z", "dateDebut");
    }

    [Theory]
    [InlineData("2026-03-28T22:59:59Z", "2026-03-28")]
    [InlineData("2026-03-28T23:00:00Z", "2026-03-29")]
    [InlineData("2026-03-29T21:59:59Z", "2026-03-29")]
    [InlineData("2026-03-29T22:00:00Z", "2026-03-30")]
    [InlineData("2026-10-24T22:00:00Z", "2026-10-25")]
    [InlineData("2026-10-25T22:59:59Z", "2026-10-25")]
    [InlineData("2026-10-25T23:00:00Z", "2026-10-26")]
    public void Today_is_the_day_in_Paris_on_both_sides_of_a_clock_change(string now, string today) =>
        Assert.Equal(Day(today), Read(null, null, now).Plage!.Aujourdhui);

    [Theory]
    [InlineData("2026-07-14T22:30:00Z")]
    [InlineData("2026-07-15T03:59:59Z")]
    public void An_evening_in_Martinique_is_still_today(string now)
    {
        Accepts("2026-07-14", null, now, "2026-07-15", "2026-07-15".Replace("2026", "2027", StringComparison.Ordinal));
        Accepts("2026-07-14", "2026-07-14", now, "2026-07-15", "2026-07-15");
        Rejects("2026-07-13", null, now, "dateDebut");
        Rejects("2026-07-14", "2026-07-13", now, "dateFin");
    }

    [Fact]
    public void Yesterday_is_refused_once_it_is_over_in_Martinique_too() => Rejects("2026-07-14", null, "2026-07-15T04:00:00Z", "dateDebut");

    [Theory]
    [InlineData(null, null, true)]
    [InlineData(null, "2026-05-31", false)]
    [InlineData(null, "2026-06-01", true)]
    [InlineData("2026-06-30", null, true)]
    [InlineData("2026-07-01", null, false)]
    [InlineData("2026-06-10", "2026-06-12", true)]
    [InlineData("2020-01-01", "2030-01-01", true)]
    public void Overlaps_counts_both_ends(string? debut, string? fin, bool expected)
    {
        var plage = Read("2026-06-01", "2026-06-30", Noon).Plage!;
        Assert.Equal(expected, plage.Overlaps(debut is null ? null : Day(debut), fin is null ? null : Day(fin)));
    }

    [Fact]
    public void Ends_are_clamped_to_the_horizon_and_beginnings_shown_only_in_the_future_of_the_call()
    {
        var plage = Read("2026-06-01", "2026-06-30", Noon).Plage!;

        Assert.Equal(Day("2027-03-14"), plage.ClampEnd(Day("2027-03-15")));
        Assert.Equal(Day("2027-03-13"), plage.ClampEnd(Day("2027-03-13")));
        Assert.Null(plage.ClampEnd(null));

        Assert.Null(plage.OnlyIfFuture(Day("2026-03-14")));
        Assert.Equal(Day("2026-03-15"), plage.OnlyIfFuture(Day("2026-03-15")));
        Assert.Null(plage.OnlyIfFuture(null));
    }

    private static void Accepts(string? debut, string? fin, string now, string expectedDebut, string expectedFin)
    {
        var (plage, parametre) = Read(debut, fin, now);
        Assert.Null(parametre);
        Assert.Equal((Day(expectedDebut), Day(expectedFin)), (plage!.DateDebut, plage.DateFin));
    }

    private static void Rejects(string? debut, string? fin, string now, string expected)
    {
        var (plage, parametre) = Read(debut, fin, now);
        Assert.Null(plage);
        Assert.Equal(expected, parametre);
    }

    private static (PlageRecherche? Plage, string? Parametre) Read(string? debut, string? fin, string now)
    {
        PlageRecherche.TryCreate(debut, fin, DateTimeOffset.Parse(now, CultureInfo.InvariantCulture), out var plage, out var parametre);
        return (plage, parametre);
    }

    private static DateOnly Day(string text) => DateOnly.ParseExact(text, "yyyy-MM-dd", CultureInfo.InvariantCulture);
}
