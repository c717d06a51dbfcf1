using DroitsAmeli.Grains.Droits;
using DroitsAmeli.Grains.Familles;
using Xunit;

namespace DroitsAmeli.Tests.Rules.Familles;

public sealed class ChangesTests
{
    // 23:30 in Paris.
    private static readonly DateTimeOffset LateEvening = new(2026, 11, 23, 22, 30, 0, TimeSpan.Zero);
    private static readonly DateTimeOffset Midnight = new(2026, 11, 23, 23, 0, 0, TimeSpan.Zero);

    [Fact]
    public void A_right_that_ends_today_changes_at_midnight_in_Paris() =>
        Assert.Equal(Midnight, Changes.Next(Exonere(fin: "2026-11-23"), LateEvening));

    [Fact]
    public void A_right_that_begins_tomorrow_changes_at_midnight_in_Paris() =>
        Assert.Equal(Midnight, Changes.Next(Exonere(debut: "2026-11-24", fin: "2027-11-23"), LateEvening));

    [Fact]
    public void Summer_time_moves_midnight() => Assert.Equal(
        new DateTimeOffset(2026, 7, 14, 22, 0, 0, TimeSpan.Zero),
        Changes.Next(Exonere(fin: "2026-07-14"), new(2026, 7, 14, 10, 0, 0, TimeSpan.Zero)));

    [Theory]
    [InlineData(null, null)]
    [InlineData("2020-01-01", null)]
    [InlineData("2020-01-01", "2026-11-22")]
    [InlineData(null, "9999-12-31")]
    public void What_has_begun_and_does_not_end_never_changes(string? debut, string? fin) =>
        Assert.Null(Changes.Next(Exonere(debut, fin), LateEvening));

    [Fact]
    public void The_first_change_counts_over_all_rights()
    {
        var droits = Exonere(fin: "2027-03-01") with
        {
            Contrats =
            [
                new()
                {
                    NatureAssurance = NatureAssurance.Amo,
                    DateFin = Day("2028-01-01"),
                    PeriodesDroits = [new() { DateFin = Day("2027-02-01") }],
                },
            ],
            MedecinsTraitants = [new() { DateDebut = Day("2026-12-01") }],
        };
        Assert.Equal(Paris.StartOf(new(2026, 12, 1)), Changes.Next(droits, LateEvening));
        Assert.Equal(Paris.StartOf(new(2027, 2, 2)), Changes.Next(droits with { MedecinsTraitants = [] }, LateEvening));
        Assert.Equal(Paris.StartOf(new(2027, 3, 2)), Changes.Next(droits with { MedecinsTraitants = [], Contrats = [] }, LateEvening));
    }

    [Fact]
    public void A_member_s_attachment_and_presences_change_a_composition()
    {
        var membre = new Membre
        {
            Beneficiaire = new(),
            Rattachement = new() { DateDebut = Day("2020-01-01"), DateFin = Day("2026-12-31") },
            Presences = new() { Amc = [new() { DateFin = Day("2026-11-30") }], MedecinTraitant = [new() { DateDebut = Day("2026-11-25") }] },
        };
        Assert.Equal(Paris.StartOf(new(2026, 11, 25)), Next(membre));
        Assert.Equal(Paris.StartOf(new(2026, 12, 1)), Next(membre with { Presences = membre.Presences with { MedecinTraitant = [] } }));
        Assert.Equal(Paris.StartOf(new(2027, 1, 1)), Next(membre with { Presences = null }));

        static DateTimeOffset? Next(Membre membre) =>
            Changes.Next(new Composition { Famille = "F", Version = 1, Membres = [membre] }, LateEvening);
    }

    private static DroitsBeneficiaire Exonere(string? debut = null, string? fin = null) => new()
    {
        Famille = "F",
        Nir = Nir.TryParse("2840326362990", out var nir) ? nir : throw new InvalidOperationException(),
        Version = 1,
        Exonerations = [new() { DateDebut = Day(debut), DateFin = Day(fin) }],
    };

    private static DateOnly? Day(string? text) => text is null ? null : DateOnly.ParseExact(text, "yyyy-MM-dd");
}
