using DroitsAmeli.Api.Droits;
using DroitsAmeli.Grains.Droits;
using Xunit;
using static DroitsAmeli.Tests.Rules.Droits.Cases;

namespace DroitsAmeli.Tests.Rules.Droits;

public sealed class PlageFilterTests
{
    private static readonly Membre Membre = new() { Beneficiaire = new Beneficiaire { Nir = ANir, Prenom = "HÉLÈNE" } };

    [Theory]
    [InlineData("2026-01-01", "2026-05-31", false)]
    [InlineData("2026-01-01", "2026-06-01", true)]
    [InlineData("2026-06-30", null, true)]
    [InlineData("2026-07-01", null, false)]
    public void Booleans_are_computed_over_the_window(string? debut, string? fin, bool expected)
    {
        var plage = Plage("2026-06-01", "2026-06-30");
        var periodes = new[] { Periode("2000-01-01", "2000-12-31"), Periode(debut, fin) };

        var amc = PlageFilter.Beneficiaire(Membre with { Presences = new Presences { Amc = periodes } }, plage);
        Assert.Equal((expected, false), (amc.PresenceCmucAcs, amc.MedecinTraitantChoisi));

        var medecin = PlageFilter.Beneficiaire(Membre with { Presences = new Presences { MedecinTraitant = periodes } }, plage);
        Assert.Equal((false, expected), (medecin.PresenceCmucAcs, medecin.MedecinTraitantChoisi));
    }

    [Fact]
    public void Booleans_are_left_out_when_presences_are_not_known()
    {
        var vue = PlageFilter.Beneficiaire(Membre, Plage());
        Assert.Null(vue.PresenceCmucAcs);
        Assert.Null(vue.MedecinTraitantChoisi);
        Assert.Equal("HÉLÈNE", vue.Prenom);
    }

    [Fact]
    public void A_newborn_without_nir_has_no_booleans()
    {
        var newborn = new Membre
        {
            Beneficiaire = new Beneficiaire { Prenom = "ZOÉ" },
            Presences = new Presences { Amc = [Periode(null, null)], MedecinTraitant = [Periode(null, null)] },
        };
        Assert.Equal(newborn.Beneficiaire, PlageFilter.Beneficiaire(newborn, Plage()));
    }

    [Fact]
    public void The_caisse_does_not_depend_on_the_window()
    {
        var caisse = new Caisse { Id = "01261" };
        Assert.Same(caisse, PlageFilter.Caisse(NoRights with { Caisse = caisse }));
    }

    [Theory]
    [InlineData("2020-01-01", "2026-05-31", false)]
    [InlineData("2020-01-01", "2026-06-01", true)]
    [InlineData("2026-06-30", "2028-01-01", true)]
    [InlineData("2026-07-01", "2028-01-01", false)]
    [InlineData(null, null, true)]
    public void Contracts_and_exemptions_are_in_when_they_overlap_the_window(string? debut, string? fin, bool expected)
    {
        var plage = Plage("2026-06-01", "2026-06-30");
        var droits = NoRights with
        {
            Contrats = [new Contrat { DateDebut = DayOrNull(debut), DateFin = DayOrNull(fin) }],
            Exonerations = [new Exoneration { DateDebut = DayOrNull(debut), DateFin = DayOrNull(fin) }],
        };
        Assert.Equal(expected ? 1 : 0, PlageFilter.Contrats(droits, plage).Count);
        Assert.Equal(expected ? 1 : 0, PlageFilter.Exonerations(droits, plage).Count);
    }

    [Theory]
    [InlineData("2026-03-14", null)]
    [InlineData("2019-01-01", null)]
    [InlineData("2026-03-15", "2026-03-15")]
    [InlineData("2026-06-10", "2026-06-10")]
    public void Date_debut_is_shown_only_when_after_the_day_of_the_call(string debut, string? shown)
    {
        var plage = Plage("2026-06-01");
        var droits = NoRights with
        {
            Contrats = [new Contrat { DateDebut = Day(debut) }],
            Exonerations = [new Exoneration { DateDebut = Day(debut) }],
        };
        Assert.Equal(DayOrNull(shown), Assert.Single(PlageFilter.Contrats(droits, plage)).DateDebut);
        Assert.Equal(DayOrNull(shown), Assert.Single(PlageFilter.Exonerations(droits, plage)).DateDebut);
    }

    [Theory]
    [InlineData("2027-03-14", "2027-03-14")]
    [InlineData("2027-03-15", "2027-03-14")]
    [InlineData("9999-12-31", "2027-03-14")]
    [InlineData("2026-08-01", "2026-08-01")]
    [InlineData(null, null)]
    public void Every_date_fin_is_clamped_to_the_horizon(string? fin, string? shown)
    {
        var plage = Plage("2026-06-01", "2026-06-30");
        var droits = NoRights with
        {
            Contrats = [new Contrat { DateFin = DayOrNull(fin), PeriodesDroits = [Periode("2020-01-01", fin)] }],
            Exonerations = [new Exoneration { DateFin = DayOrNull(fin) }],
            MedecinsTraitants = [new MedecinTraitant { DateFin = DayOrNull(fin) }],
        };
        var contrat = Assert.Single(PlageFilter.Contrats(droits, plage));
        Assert.Equal(DayOrNull(shown), contrat.DateFin);
        Assert.Equal(DayOrNull(shown), Assert.Single(contrat.PeriodesDroits).DateFin);
        Assert.Equal(DayOrNull(shown), Assert.Single(PlageFilter.Exonerations(droits, plage)).DateFin);
        Assert.Equal(DayOrNull(shown), PlageFilter.MedecinTraitant(droits, plage)!.DateFin);
    }

    [Fact]
    public void Periods_are_those_that_overlap_sorted_with_date_debut_always()
    {
        var contrat = new Contrat
        {
            PeriodesDroits =
            [
                Periode("2026-06-15", "2026-12-31"),
                Periode("2020-01-01", "2026-05-31"),
                Periode("2026-07-01", "2026-12-31"),
                Periode("2021-01-01", "2026-06-14"),
            ],
        };
        var vue = Assert.Single(PlageFilter.Contrats(NoRights with { Contrats = [contrat] }, Plage("2026-06-01", "2026-06-30")));
        Assert.Equal([Periode("2021-01-01", "2026-06-14"), Periode("2026-06-15", "2026-12-31")], vue.PeriodesDroits);
    }

    [Fact]
    public void A_contract_without_dates_of_its_own_is_dated_by_its_periods()
    {
        var contrat = new Contrat { PeriodesDroits = [Periode("2020-01-01", "2026-05-31")] };
        Assert.Empty(PlageFilter.Contrats(NoRights with { Contrats = [contrat] }, Plage("2026-06-01")));
        Assert.Single(PlageFilter.Contrats(NoRights with { Contrats = [contrat] }, Plage("2026-05-31")));
    }

    [Fact]
    public void Exemptions_are_sorted_by_the_dates_shown_and_not_by_the_hidden_beginning()
    {
        Exoneration Of(string libelle, string debut, string? fin) =>
            new() { DateDebut = Day(debut), DateFin = DayOrNull(fin), Motif = new Motif { Libelle = libelle } };

        var droits = NoRights with
        {
            Exonerations =
            [
                Of("future, later", "2026-09-01", "2026-10-01"),
                Of("no end", "1999-01-01", null),
                Of("begun late, ends first", "2026-03-01", "2026-07-01"),
                Of("begun early, ends last", "2001-01-01", "2026-12-31"),
                Of("future, sooner", "2026-04-01", "2026-12-31"),
            ],
        };
        Assert.Equal(
            ["begun late, ends first", "begun early, ends last", "no end", "future, sooner", "future, later"],
            PlageFilter.Exonerations(droits, Plage()).Select(exoneration => exoneration.Motif!.Libelle));
    }

    [Theory]
    [InlineData("the only one", "2026-06-01", "A 2018-01-01 -", "A")]
    [InlineData("several valid: the latest start", "2026-06-01", "A 2018-01-01 -;B 2026-05-01 -;C 2020-01-01 2027-01-01", "B")]
    [InlineData("valid goes before the next to come", "2026-06-01", "A 2026-06-02 -;B 2018-01-01 2026-06-01", "B")]
    [InlineData("none valid: the first to come", "2026-06-01", "A 2026-08-01 -;B 2026-07-01 -", "B")]
    [InlineData("to come on the last day", "2026-06-01..2026-06-30", "A 2026-06-30 -", "A")]
    [InlineData("to come after the window", "2026-06-01..2026-06-30", "A 2026-07-01 -", null)]
    [InlineData("to come goes before the ended", "2026-06-01", "A 2018-01-01 2026-05-01;B 2026-07-01 -", "B")]
    [InlineData("ended between today and the window", "2026-06-01", "A 2018-01-01 2026-05-31", "A")]
    [InlineData("ended today", "2026-06-01", "A 2018-01-01 2026-03-14", "A")]
    [InlineData("ended yesterday", "2026-06-01", "A 2018-01-01 2026-03-13", null)]
    [InlineData("ended, the latest of two", "2026-06-01", "A 2018-01-01 2026-03-20;B 2026-03-21 2026-04-01", "B")]
    [InlineData("ended with a successor beyond the window", "2026-06-01..2026-06-30", "A 2018-01-01 2026-05-01;B 2026-08-01 -", null)]
    [InlineData("none", "2026-06-01", "", null)]
    public void The_doctor_is_the_one_at_date_debut_else_the_next_else_the_one_just_ended(string because, string window, string medecins, string? expected)
    {
        var bounds = window.Split("..");
        var droits = NoRights with
        {
            MedecinsTraitants =
            [
                .. medecins.Split(';', StringSplitOptions.RemoveEmptyEntries).Select(text => text.Split(' ')).Select(parts => new MedecinTraitant
                {
                    Nom = parts[0],
                    DateDebut = Day(parts[1]),
                    DateFin = parts[2] == "-" ? null : Day(parts[2]),
                }),
            ],
        };
        var medecin = PlageFilter.MedecinTraitant(droits, Plage(bounds[0], bounds.ElementAtOrDefault(1)));
        Assert.True(expected == medecin?.Nom, because);
        Assert.Equal(medecin is null, medecin?.DateDebut is null);
    }
}
