using DroitsAmeli.Grains.Droits;
using DroitsAmeli.Simulators;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace DroitsAmeli.Tests.Rules.Simulators;

public sealed class PersonasTests
{
    private static readonly FakeTimeProvider Clock = new(new DateTimeOffset(2026, 11, 23, 9, 0, 0, TimeSpan.Zero));
    private static readonly Population Population = new(2019, 1_000_000, Clock);
    private static readonly string[] Unresolved = ["jean-dupont", "ines-inconnue", "marcel-paysan", "helene-professeure"];

    public static TheoryData<string> Ids => [.. Personas.All.Select(persona => persona.Id)];

    [Theory]
    [MemberData(nameof(Ids))]
    public void Has_a_plain_id_a_description_and_an_identity_that_resolves_as_said(string id)
    {
        var persona = Population.FindPersona(id);
        Assert.NotNull(persona);
        Assert.Matches("^[a-z]+(-[a-z]+)+$", persona.Id);
        Assert.DoesNotContain('\n', persona.Description);
        var found = Population.Match(IdentiteDemandee.Of(persona.Identite));
        if (Unresolved.Contains(id))
            Assert.Equal(id == "jean-dupont" ? 2 : 0, found.Count);
        else
            Assert.Equal(persona.Identite.FamilyName, Assert.Single(found).Membre.EtatCivil.Nom);
    }

    [Fact]
    public void Ids_are_distinct_and_the_demonstration_comes_first()
    {
        Assert.Equal(Personas.All.Count, Personas.All.Select(persona => persona.Id).Distinct().Count());
        Assert.Equal("alice-martin", Personas.All[0].Id);
    }

    [Fact]
    public void Nirs_are_valid_and_shared_by_the_child_of_two_parents_alone()
    {
        var members = Personas.All.SelectMany(persona => Population.Match(IdentiteDemandee.Of(persona.Identite)))
            .DistinctBy(entry => entry.Famille.Id)
            .SelectMany(entry => entry.Famille.Membres)
            .Where(membre => membre.Beneficiaire.Nir is not null)
            .ToArray();
        Assert.All(members, membre => Assert.True(Nir.TryParse(membre.Beneficiaire.Nir, out _)));
        var several = members.GroupBy(membre => membre.Beneficiaire.Nir).Where(group => group.Count() > 1).ToArray();
        Assert.All(Assert.Single(several), membre => Assert.Equal("Éléna", membre.EtatCivil.Prenoms[0]));
    }

    [Fact]
    public void Alice_has_an_ald_a_doctor_a_spouse_and_two_children()
    {
        var (famille, alice) = Of("alice-martin");
        Assert.Equal("assure", alice.Beneficiaire.Qualite);
        Assert.Equal("LIS", Assert.Single(alice.Droits.Exonerations).Motif.Code);
        Assert.Single(alice.Droits.MedecinsTraitants);
        Assert.Equal(["assure", "conjoint", "enfant", "enfant"], famille.Membres.Select(membre => membre.Beneficiaire.Qualite));
        Assert.Equal("01261", alice.Droits.Caisse!.Id);
    }

    [Fact]
    public void Family_of_fifteen_has_fifteen_people_with_their_own_nirs()
    {
        var (famille, _) = Of("jean-delacroix");
        Assert.Equal(15, famille.Membres.Select(membre => membre.Beneficiaire.Nir).Distinct().Count());
        Assert.All(famille.Membres.Skip(2), child => Assert.True(child.Beneficiaire.DateNaissance!.Value.AddYears(18) > Population.Today));
    }

    [Theory]
    [InlineData("marie-casanova", "20004", "20004")]
    [InlineData("ange-mattei", "2B033", "2B033")]
    [InlineData("jocelyne-payet", "97411", "97411")]
    [InlineData("fatou-ndiaye", "", "99341")]
    [InlineData("louise-benoit", "", "92352")]
    public void Places_of_birth_are_as_FranceConnect_and_the_nir_write_them(string id, string birthplace, string inNir)
    {
        var (_, membre) = Of(id);
        Assert.Equal(birthplace, Personas.Find(id)!.Identite.Birthplace);
        Assert.Equal(inNir, membre.Beneficiaire.Nir![5..10]);
    }

    [Theory]
    [InlineData("marie-casanova", "2A004")]
    [InlineData("marie-casanova", "2a004")]
    [InlineData("marie-casanova", "20004")]
    public void Old_and_present_place_codes_lead_to_the_same_person(string id, string birthplace) =>
        Assert.Single(Population.Match(IdentiteDemandee.Of(Personas.Find(id)!.Identite) with { Birthplace = birthplace }));

    [Theory]
    [InlineData("mohamed-haddad", "1950", 1)]
    [InlineData("mohamed-haddad", "1950-01", 1)]
    [InlineData("mohamed-haddad", "1950-01-01", 1)]
    [InlineData("mohamed-haddad", "1950-00-00", 1)]
    [InlineData("mohamed-haddad", "1950-02-01", 0)]
    [InlineData("mohamed-haddad", "1950-01-02", 0)]
    [InlineData("mohamed-haddad", "1951", 0)]
    [InlineData("rosa-ferreira", "1963-07", 1)]
    [InlineData("rosa-ferreira", "1963-07-01", 1)]
    [InlineData("rosa-ferreira", "1963", 0)]
    [InlineData("alice-martin", "1984", 0)]
    [InlineData("alice-martin", "1984-03-01", 0)]
    public void Partial_dates_match_unknown_parts_only(string id, string birthdate, int matches) =>
        Assert.Equal(matches, Population.Match(IdentiteDemandee.Of(Personas.Find(id)!.Identite) with { Birthdate = birthdate }).Count);

    [Fact]
    public void Shared_child_shows_each_parent_the_own_caisse()
    {
        var (father, _) = Of("thomas-girard");
        var (mother, _) = Of("laure-dubois");
        var child = father.Membres[1];
        Assert.Equal("01751", child.Droits.Caisse!.Id);
        Assert.Equal("01331", mother.Find(child.Beneficiaire.Nir)!.Droits.Caisse!.Id);
    }

    [Fact]
    public void Marks_are_where_their_personas_say()
    {
        var today = Population.Today;
        Assert.Contains(Of("isabelle-mercier").Famille.Membres, membre => membre.Beneficiaire.Restrictions is { Count: > 0 });
        Assert.Equal(2, Of("paul-garnier").Famille.Membres.Count(membre => membre.Beneficiaire.DateDeces < today));
        Assert.Equal([false, true], Of("christine-blanchard").Famille.Membres.Skip(1).Take(2)
            .Select(membre => membre.Beneficiaire.Rattachement!.DateDebut > today));
        Assert.NotNull(Of("roger-decede").Membre.Beneficiaire.DateDeces);
        Assert.Equal("conjoint", Of("nadia-ayant-droit").Membre.Beneficiaire.Qualite);
        Assert.Equal("enfant", Of("sarah-majeure").Membre.Beneficiaire.Qualite);
        Assert.Contains(Of("camille-lefevre").Famille.Membres, membre => membre.Beneficiaire is { Nir: null, Qualite: "enfant" });
        Assert.True(Assert.Single(Of("andre-roux").Membre.Droits.MedecinsTraitants).DateFin > today);
        Assert.Empty(Of("hugo-sans-medecin").Membre.Droits.MedecinsTraitants);
        Assert.True(Of("emma-futur").Membre.Droits.Contrats[0].DateDebut > today);
    }

    [Theory]
    [InlineData(2024, 2, 29)]
    [InlineData(2026, 1, 1)]
    [InlineData(2030, 12, 31)]
    [InlineData(2026, 5, 13)]
    public void Stay_plausible_on_any_day(int year, int month, int day)
    {
        var population = new Population(1, 10, new FakeTimeProvider(new DateTimeOffset(year, month, day, 12, 0, 0, TimeSpan.Zero)));
        foreach (var persona in Personas.All)
            foreach (var (famille, _) in population.Match(IdentiteDemandee.Of(persona.Identite)))
                foreach (var membre in famille.Membres)
                {
                    Assert.True(membre.Beneficiaire.DateNaissance is null || membre.Beneficiaire.DateNaissance <= population.Today, persona.Id);
                    Assert.All(membre.Droits.Contrats, contrat => Assert.True(contrat.DateFin >= population.Today));
                }

        // Somebody has the exemption of a newborn, and a NIR to ask for it.
        Assert.Contains(
            population.Match(IdentiteDemandee.Of(Personas.Find("elise-nouveau-ne")!.Identite))[0].Famille.Membres,
            membre => membre.Beneficiaire is { Nir: not null, Qualite: "enfant" }
                && membre.Droits.Exonerations.Any(exoneration => exoneration.Motif.Code == "NE" && exoneration.DateFin > population.Today));
    }

    [Fact]
    public void A_bulk_family_is_a_persona_by_its_index()
    {
        var famille = Population.Get(123_456);
        var persona = Population.FindPersona("famille-123456");
        Assert.NotNull(persona);
        Assert.Equal(famille.Id, Assert.Single(Population.Match(IdentiteDemandee.Of(persona.Identite))).Famille.Id);
        Assert.Null(Population.FindPersona("famille-1000000"));
        Assert.Null(Population.FindPersona("famille--1"));
        Assert.Null(Population.FindPersona("famille-1-99"));
        Assert.Null(Population.FindPersona("famille-x"));
        Assert.Null(Population.FindPersona("nobody"));
    }

    private static (FamilleSimulee Famille, MembreSimule Membre) Of(string id) =>
        Assert.Single(Population.Match(IdentiteDemandee.Of(Personas.Find(id)!.Identite)));
}
