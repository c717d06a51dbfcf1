using DroitsAmeli.Grains.Droits;
using DroitsAmeli.Simulators;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace DroitsAmeli.Tests.Rules.Simulators;

public sealed class PopulationTests
{
    private const long Million = 1_000_000;
    private const int Sample = 60_000;

    private static readonly FakeTimeProvider Clock = new(new DateTimeOffset(2026, 2, 28, 23, 30, 0, TimeSpan.Zero));
    private static readonly Population Shared = new(2019, Million, Clock);

    [Fact]
    public void Today_is_the_day_in_Paris() => Assert.Equal(new DateOnly(2026, 3, 1), Shared.Today);

    [Fact]
    public void The_same_seed_and_index_give_the_same_family()
    {
        var again = new Population(2019, Million, Clock);
        foreach (var index in Spread(200))
            Assert.Equal(Text(Shared.Get(index)), Text(again.Get(index)));
    }

    [Fact]
    public void Another_seed_gives_another_population()
    {
        var other = new Population(2020, Million, Clock);
        Assert.All(Spread(200), index => Assert.NotEqual(Text(Shared.Get(index)), Text(other.Get(index))));
    }

    [Fact]
    public void Nirs_are_valid_and_belong_to_one_person_each()
    {
        var owners = new Dictionary<string, EtatCivil>(StringComparer.Ordinal);
        foreach (var membre in Members(Sample))
        {
            if (membre.Beneficiaire.Nir is not { } text)
                continue;

            Assert.True(Nir.TryParse($"{text}{NumeroNir.Key(text):00}", out _), text);
            if (!owners.TryAdd(text, membre.EtatCivil))
                Assert.Equal(owners[text].Prenoms, membre.EtatCivil.Prenoms);
        }

        Assert.True(owners.Count > 100_000, $"{owners.Count} persons");
    }

    [Fact]
    public void Nirs_agree_with_sex_year_month_and_place()
    {
        foreach (var membre in Members(20_000))
        {
            if (membre.Beneficiaire.Nir is not { } nir)
                continue;

            var civil = membre.EtatCivil;
            Assert.Equal(civil.Male ? '1' : '2', nir[0]);
            Assert.Equal($"{civil.Naissance.Annee % 100:00}", nir[1..3]);
            if (civil.Naissance.Mois is { } month)
                Assert.Equal($"{month:00}", nir[3..5]);
            else
                Assert.Matches("^[2-9][0-9]$", nir[3..5]);
            if (civil.Lieu == "99352" && civil.Naissance.Annee < 1963)
                Assert.Equal("92352", nir[5..10]);
            else if (civil.Lieu.StartsWith("99", StringComparison.Ordinal))
                Assert.Equal(civil.Lieu, nir[5..10]);
            else if (civil.Lieu[0] == '2' && civil.Lieu[1] is 'A' or 'B')
                Assert.Equal((civil.Naissance.Annee < 1976 ? "20" : civil.Lieu[..2]) + civil.Lieu[2..], nir[5..10]);
        }
    }

    [Fact]
    public void An_identity_belongs_to_one_person()
    {
        var owners = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var membre in Members(Sample))
        {
            if (membre.Beneficiaire.Nir is not { } nir)
                continue;

            var fc = membre.EtatCivil.ToFranceConnect();
            var identity = $"{fc.FamilyName}|{fc.GivenNameArray[0]}|{fc.Birthdate.Replace("-00", "-01", StringComparison.Ordinal)}|{membre.EtatCivil.Lieu}";
            if (!owners.TryAdd(identity, nir))
                Assert.Equal(owners[identity], nir);
        }
    }

    [Fact]
    public void Every_identity_leads_back_to_its_person_and_family()
    {
        foreach (var index in Spread(5_000))
        {
            var famille = Shared.Get(index);
            Assert.Equal(famille.Id, Shared.FindFamille(famille.Id)?.Id);
            foreach (var membre in famille.Membres)
            {
                if (membre.Beneficiaire.Nir is not { } nir)
                    continue;

                var (found, person) = Assert.Single(Shared.Match(IdentiteDemandee.Of(membre.EtatCivil.ToFranceConnect())));
                Assert.Equal(nir, person.Beneficiaire.Nir);
                Assert.NotNull(found.Find(nir));
            }
        }
    }

    [Fact]
    public void An_assure_is_found_in_their_own_family_with_unspecified_gender_and_plain_letters()
    {
        foreach (var index in Spread(500))
        {
            var famille = Shared.Get(index);
            var fc = famille.Membres[0].EtatCivil.ToFranceConnect();
            var plain = IdentiteDemandee.Of(fc) with
            {
                FamilyName = Normalisation.Of(fc.FamilyName),
                GivenNames = [.. Normalisation.Of(fc.GivenName).Split(' ')],
                Gender = "unspecified",
            };
            Assert.Equal(famille.Id, Assert.Single(Shared.Match(plain)).Famille.Id);
        }
    }

    [Fact]
    public void An_identity_with_another_name_date_or_place_matches_nobody()
    {
        var fc = IdentiteDemandee.Of(Shared.Get(7).Membres[0].EtatCivil.ToFranceConnect());
        Assert.Single(Shared.Match(fc));
        Assert.Empty(Shared.Match(fc with { FamilyName = fc.FamilyName + "x" }));
        Assert.Empty(Shared.Match(fc with { GivenNames = ["Xénophon"] }));
        Assert.Empty(Shared.Match(fc with { Birthdate = "1899-05-05" }));
        Assert.Empty(Shared.Match(fc with { Birthplace = "01999", Birthcountry = "99100" }));
        Assert.Empty(Shared.Match(fc with { Gender = fc.Gender == "male" ? "female" : "male" }));
        Assert.Empty(Shared.Match(fc with { Birthdate = "yesterday" }));
    }

    [Fact]
    public void Family_ids_are_distinct_and_carry_neither_index_nor_nir()
    {
        var ids = new HashSet<string>(StringComparer.Ordinal);
        foreach (var index in Spread(20_000))
        {
            var famille = Shared.Get(index);
            Assert.Matches("^[0-9A-HJKMNP-TV-Z]{8}$", famille.Id);
            Assert.True(ids.Add(famille.Id));
        }

        Assert.Null(Shared.FindFamille("ILOU0000"));
        Assert.Null(Shared.FindFamille(null));
        Assert.Null(Shared.FindFamille("7"));
        Assert.Null(new Population(2019, 10, Clock).FindFamille(Shared.Get(Million - 1).Id));
    }

    [Fact]
    public void The_population_has_everybody_the_rights_know()
    {
        var families = Enumerable.Range(0, 12_000).Select(index => Shared.Get(index)).ToArray();
        var members = families.SelectMany(famille => famille.Membres).ToArray();
        Assert.Contains(families, famille => famille.Membres.Count == 15);
        Assert.Contains(members, membre => membre.Beneficiaire.Nir is null);
        Assert.Contains(members, membre => membre.Beneficiaire.RangNaissance == 2);
        Assert.Contains(members, membre => membre.Beneficiaire.DateNaissance is null);
        Assert.Contains(members, membre => membre.Beneficiaire.Restrictions is not null);
        Assert.Contains(members, membre => membre.Beneficiaire.DateDeces is not null);
        Assert.Contains(members, membre => membre.Beneficiaire.Rattachement?.DateFin < Shared.Today);
        Assert.Contains(members, membre => membre.Beneficiaire.Rattachement?.DateDebut > Shared.Today);
        Assert.Contains(members, membre => membre.Beneficiaire.Qualite == "enfant" && Shared.Today.Year - membre.EtatCivil.Naissance.Annee > 18);
        Assert.Contains(members, membre => membre.Droits.MedecinsTraitants.Count == 2);
        Assert.Superset(new HashSet<string> { "BASE", "C2S", "C2SP", "AME", "DET" },
            members.SelectMany(membre => membre.Droits.Contrats).Select(contrat => contrat.Details.CodeTypeContrat).ToHashSet());
        Assert.Superset(new HashSet<string> { "INV", "MAT", "LIS", "EXP", "EXC", "A115_DET_PML", "NE", "STE", "EDS" },
            members.SelectMany(membre => membre.Droits.Exonerations).Select(exoneration => exoneration.Motif.Code).ToHashSet());
        Assert.Superset(new HashSet<string> { "01261", "08835", "01928", "01459", "90000", "01974" },
            members.Select(membre => membre.Droits.Caisse!.Id).ToHashSet());
        Assert.Superset(new HashSet<string> { "97", "99", "2A", "2B", "75" }, members.Select(membre => membre.EtatCivil.Lieu[..2]).ToHashSet());
    }

    [Fact]
    public void A_child_of_two_parents_is_found_from_either_with_that_familys_caisse()
    {
        var shared = Enumerable.Range(0, 4_000)
            .Select(pair => (First: Shared.Get(2 * pair), Second: Shared.Get(2 * pair + 1)))
            .SelectMany(pair => pair.First.Membres
                .Where(membre => pair.Second.Find(membre.Beneficiaire.Nir) is not null)
                .Select(membre => (pair.First, pair.Second, membre)))
            .ToArray();
        Assert.NotEmpty(shared);
        Assert.All(shared, child => Assert.Equal("enfant", child.membre.Beneficiaire.Qualite));
        Assert.All(shared, child => Assert.Equal(child.Second.Membres[0].Droits.Caisse, child.Second.Find(child.membre.Beneficiaire.Nir)!.Droits.Caisse));
        Assert.Contains(shared, child => child.First.Membres[0].Droits.Caisse != child.Second.Membres[0].Droits.Caisse);
    }

    [Fact]
    public void A_million_families_cost_no_memory()
    {
        var before = GC.GetAllocatedBytesForCurrentThread();
        var population = new Population(5, Million, Clock);
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 4_000_000);

        population.Get(Million - 1);
        before = GC.GetAllocatedBytesForCurrentThread();
        for (var index = 0; index < 1_000; index++)
            population.Get(index * 997);
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 16_000_000);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(100)]
    [InlineData(10_000_000)]
    public void Any_size_works(long size)
    {
        var population = new Population(3, size, Clock);
        foreach (var index in new[] { 0, size / 2, size - 1 })
        {
            var famille = population.Get(index);
            Assert.Equal(famille.Id, Assert.Single(population.Match(IdentiteDemandee.Of(famille.Membres[0].EtatCivil.ToFranceConnect()))).Famille.Id);
        }

        Assert.Throws<ArgumentOutOfRangeException>(() => population.Get(size));
        Assert.Throws<ArgumentOutOfRangeException>(() => population.Get(-1));
    }

    [Fact]
    public void A_population_larger_than_its_nirs_is_refused() =>
        Assert.Throws<ArgumentOutOfRangeException>(() => new Population(3, Population.LargestSize + 1, Clock));

    [Theory]
    [InlineData(1940)]
    [InlineData(1970)]
    [InlineData(2000)]
    public void Each_place_had_one_code_of_its_own_that_leads_back_to_it(int year)
    {
        var places = Lieux.Table(20);
        var codes = places.Select(place => Lieux.AtBirth(place, year)).ToArray();
        Assert.Equal(places.Length, codes.Distinct().Count());
        Assert.Equal(places, codes.Select(Lieux.Present));
        Assert.All(codes, code => Assert.Matches("^(2[AB]|[0-9]{2})[0-9]{3}$", code));
    }

    [Fact]
    public void A_first_name_stands_in_one_list_only()
    {
        var names = new[] { Noms.AdultMen, Noms.AdultWomen, Noms.YoungMen, Noms.YoungWomen };
        Assert.All(names, list => Assert.True(list.Length >= 36));
        var all = names.SelectMany(list => list).Select(Normalisation.Of).ToArray();
        Assert.Equal(all.Length, all.Distinct().Count());
    }

    private static IEnumerable<long> Spread(int count) => Enumerable.Range(0, count).Select(step => step * (Million / count));

    private static IEnumerable<MembreSimule> Members(int families) => Spread(families).SelectMany(index => Shared.Get(index).Membres);

    private static string Text(FamilleSimulee famille) => System.Text.Json.JsonSerializer.Serialize(famille);
}
