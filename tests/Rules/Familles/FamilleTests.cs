using DroitsAmeli.Grains.Droits;
using DroitsAmeli.Grains.Familles;
using Xunit;

namespace DroitsAmeli.Tests.Rules.Familles;

public sealed class FamilleTests
{
    private static readonly DateOnly Today = new(2026, 11, 23);

    private static readonly Membre Assure = Membre("1800175108001", Qualite.Assure, new DateOnly(1980, 1, 5));
    private static readonly Membre Enfant = Membre("2150175108002", Qualite.Enfant, new DateOnly(2015, 1, 5));

    [Fact]
    public void An_assure_sees_themselves_first_and_the_minor_children()
    {
        var conjoint = Membre("2820175108003", Qualite.Conjoint, new DateOnly(1982, 1, 5));
        Assert.Equal([Assure, Enfant], Family(conjoint, Enfant, Assure).OpenedTo(Assure, Today, AutresMajeurs.Masques));
    }

    [Theory]
    [InlineData("2008-11-24", Ouverture.Rattache)]
    [InlineData("2008-11-23", Ouverture.Fermee)]
    [InlineData("9999-12-31", Ouverture.Rattache)]
    [InlineData(null, Ouverture.Fermee)]
    public void A_child_is_opened_until_the_day_of_18_years(string? birth, Ouverture expected) => Assert.Equal(
        expected,
        Membre("2080175108002", Qualite.Enfant, birth is null ? null : DateOnly.ParseExact(birth, "yyyy-MM-dd"))
            .OuvertureTo(Assure, Today, AutresMajeurs.Masques));

    [Theory]
    [InlineData(Qualite.Conjoint)]
    [InlineData(Qualite.Enfant)]
    [InlineData(Qualite.Autre)]
    public void Who_is_not_an_assure_sees_only_themselves(Qualite qualite)
    {
        var user = Membre("2820175108003", qualite, new DateOnly(1982, 1, 5));
        Assert.Equal([user], Family(Assure, Enfant, user).OpenedTo(user, Today, AutresMajeurs.Masques));
        Assert.Equal([user], Family(Assure, Enfant, user).OpenedTo(user, Today, AutresMajeurs.Listes));
    }

    [Fact]
    public void Other_adults_are_opened_where_the_operator_lists_them_but_minors_of_others_are_not()
    {
        var conjoint = Membre("2820175108003", Qualite.Conjoint, new DateOnly(1982, 1, 5));
        var minor = Membre("2150175108009", Qualite.Autre, new DateOnly(2015, 1, 5));
        Assert.Equal([Assure, conjoint, Enfant], Family(Assure, conjoint, Enfant, minor).OpenedTo(Assure, Today, AutresMajeurs.Listes));
        Assert.Equal(Ouverture.Rattache, conjoint.OuvertureTo(Assure, Today, AutresMajeurs.Listes));
    }

    [Fact]
    public void Any_restriction_hides_from_everybody_but_oneself()
    {
        var restricted = Enfant with { Restrictions = ["une_marque_inconnue"] };
        Assert.Equal(Ouverture.Fermee, restricted.OuvertureTo(Assure, Today, AutresMajeurs.Listes));
        Assert.Equal(Ouverture.Utilisateur, restricted.OuvertureTo(restricted, Today, AutresMajeurs.Masques));
    }

    [Theory]
    [InlineData(null, "2026-11-22", false)]
    [InlineData(null, "2026-11-23", true)]
    [InlineData("2026-11-23", null, true)]
    [InlineData("2026-11-24", null, false)]
    public void An_attachment_that_does_not_hold_today_hides(string? debut, string? fin, bool opened)
    {
        var detached = Enfant with { Rattachement = new() { DateDebut = Date(debut), DateFin = Date(fin) } };
        Assert.Equal(opened ? Ouverture.Rattache : Ouverture.Fermee, detached.OuvertureTo(Assure, Today, AutresMajeurs.Masques));
        Assert.Equal(Ouverture.Utilisateur, detached.OuvertureTo(detached, Today, AutresMajeurs.Masques));
    }

    [Fact]
    public void The_deceased_are_shown_to_nobody()
    {
        var deceased = Enfant with { DateDeces = new DateOnly(2026, 1, 1) };
        Assert.Equal(Ouverture.Fermee, deceased.OuvertureTo(Assure, Today, AutresMajeurs.Listes));
        Assert.Equal(Ouverture.Fermee, deceased.OuvertureTo(deceased, Today, AutresMajeurs.Listes));
    }

    private static Composition Family(params Membre[] membres) => new() { Famille = "F", Version = 1, Membres = membres };

    private static Membre Membre(string nir, Qualite qualite, DateOnly? birth)
    {
        Assert.True(Nir.TryParse(nir, out var parsed));
        return new() { Beneficiaire = new() { Nir = parsed, Qualite = qualite, DateNaissance = birth } };
    }

    private static DateOnly? Date(string? text) => text is null ? null : DateOnly.ParseExact(text, "yyyy-MM-dd");
}
