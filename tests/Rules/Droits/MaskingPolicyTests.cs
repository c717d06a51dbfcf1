using System.Reflection;
using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;
using DroitsAmeli.Api.Callers;
using DroitsAmeli.Api.Droits;
using DroitsAmeli.Grains.Droits;
using DroitsAmeli.Grains.Familles;
using Xunit;
using static DroitsAmeli.Tests.Rules.Droits.Cases;

namespace DroitsAmeli.Tests.Rules.Droits;

public sealed class MaskingPolicyTests
{
    private static readonly Beneficiaire Helene = new()
    {
        DateNaissance = Day("1978-02-11"),
        MedecinTraitantChoisi = true,
        Nir = ANir,
        NomFamille = "D'AGOÛT",
        Prenom = "HÉLÈNE",
        PresenceCmucAcs = false,
        Qualite = Qualite.ConcubinEnRupture,
        RangNaissance = 1,
    };

    [Fact]
    public void Every_property_of_every_resource_has_exactly_one_row()
    {
        var expected = ShownTypes()
            .SelectMany(type => type.GetProperties().Select(property => (type.Name, property.GetCustomAttribute<JsonPropertyNameAttribute>()?.Name ?? property.Name)));
        Assert.Equal(expected.Order(), MaskingPolicy.Properties.Select(rule => (rule.Type.Name, rule.Property)).Order());
    }

    [Theory]
    [InlineData(CallerType.EtablissementDeSoins)]
    [InlineData(CallerType.OrganismeComplementaire)]
    public void A_property_that_nobody_classified_is_hidden_from_everybody(CallerType type)
    {
        var resolver = new DefaultJsonTypeInfoResolver { Modifiers = { info => MaskingPolicy.HideProperties(type, Scopes.Parse(Everything), info) } };
        var json = resolver.GetTypeInfo(typeof(Unclassified), new JsonSerializerOptions { TypeInfoResolver = resolver });
        Assert.Equal("{}", JsonSerializer.Serialize(new Unclassified("x"), json));
    }

    [Fact]
    public void The_table_hides_from_an_organisme_the_reasons_the_maternity_and_the_doctor_and_nothing_else()
    {
        Assert.Equal(
            [
                "Exoneration.maternite", "Exoneration.motif",
                "Maternite.date_presumee_grossesse", "Maternite.date_reelle_accouchement",
                "MedecinTraitant.date_debut", "MedecinTraitant.date_fin", "MedecinTraitant.nom", "MedecinTraitant.numero_am", "MedecinTraitant.prenom",
                "Motif.code", "Motif.libelle", "Motif.libelle_long",
            ],
            Hidden(CallerType.OrganismeComplementaire));
        Assert.Empty(Hidden(CallerType.EtablissementDeSoins));

        static IEnumerable<string> Hidden(CallerType type) => MaskingPolicy.Properties
            .Where(rule => !MaskingPolicy.Shows(type, Scopes.Parse(Everything), rule.Type, rule.Property))
            .Select(rule => $"{rule.Type.Name}.{rule.Property}")
            .Order(StringComparer.Ordinal);
    }

    [Fact]
    public void Json_is_exact_to_the_letter() => Assert.Equal(
        """{"date_naissance":"1978-02-11","medecin_traitant_choisi":true,"nir":"2780275108005","nom_famille":"D'AGOÛT","prenom":"HÉLÈNE","presence_CMUC_ACS":false,"qualite":"concubin_en_rupture","rang_naissance":1}""",
        Text(MaskingPolicy.Render(ViewOf(Hopital), Helene)));

    [Fact]
    public void Absent_values_are_left_out_and_arrays_are_not()
    {
        var contrat = new Contrat { NatureAssurance = NatureAssurance.Amo };
        Assert.Equal("{}", Text(MaskingPolicy.Render(ViewOf(Hopital), new Beneficiaire())));
        Assert.Equal("[]", Text(MaskingPolicy.Render(ViewOf(Hopital), new List<Exoneration>())));
        Assert.Equal("""[{"nature_assurance":"AMO","periodes_droits":[]}]""", Text(MaskingPolicy.Render(ViewOf(Hopital), [contrat])));
    }

    [Theory]
    [InlineData("cnam_beneficiaires", "date_naissance nir nom_famille prenom qualite rang_naissance")]
    [InlineData("cnam_medecin_traitant", "medecin_traitant_choisi")]
    [InlineData("cnam_presence_medecin_traitant", "medecin_traitant_choisi")]
    [InlineData("cnam_beneficiaires cnam_presence_medecin_traitant", "date_naissance medecin_traitant_choisi nir nom_famille prenom qualite rang_naissance")]
    [InlineData(Everything, "date_naissance medecin_traitant_choisi nir nom_famille prenom presence_CMUC_ACS qualite rang_naissance")]
    public void Scopes_open_parts_of_a_beneficiary_to_both_types(string scopes, string expected)
    {
        foreach (var convention in new[] { Hopital, Mutuelle, MutuelleStricte })
        {
            using var json = JsonDocument.Parse(MaskingPolicy.Render(ViewOf(convention, scopes), Helene));
            Assert.Equal(expected, string.Join(' ', json.RootElement.EnumerateObject().Select(property => property.Name)));
        }
    }

    [Fact]
    public void Reserves_by_type_and_convention()
    {
        Assert.DoesNotContain(Enum.GetValues<Ressource>(), ressource => MaskingPolicy.IsReserved(Hopital, ressource));
        Assert.Equal([Ressource.MedecinTraitant], Enum.GetValues<Ressource>().Where(ressource => MaskingPolicy.IsReserved(Mutuelle, ressource)));
        Assert.Equal([Ressource.Exonerations, Ressource.MedecinTraitant], Enum.GetValues<Ressource>().Where(ressource => MaskingPolicy.IsReserved(MutuelleStricte, ressource)));
    }

    [Fact]
    public void A_list_of_resources_narrows_and_never_widens()
    {
        var some = new HashSet<Ressource> { Ressource.Me, Ressource.Exonerations, Ressource.MedecinTraitant };
        Assert.Equal(some.Order(), Enum.GetValues<Ressource>().Where(ressource => !MaskingPolicy.IsReserved(Hopital with { Ressources = some }, ressource)));
        Assert.Equal([Ressource.Me], Enum.GetValues<Ressource>().Where(ressource => !MaskingPolicy.IsReserved(MutuelleStricte with { Ressources = some }, ressource)));
        Assert.True(MaskingPolicy.IsReserved(Hopital with { Ressources = new HashSet<Ressource>() }, Ressource.Me));
    }

    [Fact]
    public void A_type_or_a_resource_that_does_not_exist_is_reserved()
    {
        Assert.All(Enum.GetValues<Ressource>(), ressource => Assert.True(MaskingPolicy.IsReserved(Partner((CallerType)2, ExonerationsRule.Masquees), ressource)));
        Assert.True(MaskingPolicy.IsReserved(Hopital, (Ressource)7));
        Assert.False(MaskingPolicy.IsOpen(Scopes.Parse(Everything), (Ressource)7));
    }

    [Theory]
    [InlineData("", "")]
    [InlineData("openid", "")]
    [InlineData(Everything, "Me MeBeneficiaires Beneficiaire Caisse Contrats Exonerations MedecinTraitant")]
    [InlineData("cnam_beneficiaires", "Me MeBeneficiaires Beneficiaire")]
    [InlineData("cnam_caisse", "Caisse")]
    [InlineData("cnam_contrats", "Contrats")]
    [InlineData("cnam_exonerations", "Exonerations")]
    [InlineData("cnam_medecin_traitant", "Me Beneficiaire MedecinTraitant")]
    [InlineData("cnam_presence_medecin_traitant", "Me Beneficiaire")]
    public void Each_scope_opens_its_resources(string scopes, string expected) =>
        Assert.Equal(expected, string.Join(' ', Enum.GetValues<Ressource>().Where(ressource => MaskingPolicy.IsOpen(Scopes.Parse(scopes), ressource))));

    [Fact]
    public void A_reserved_resource_is_told_before_a_scope_that_is_too_small()
    {
        Assert.Equal(Access.DonneeReservee, MaskingPolicy.AccessTo(Mutuelle, Scopes.Parse(""), Ressource.MedecinTraitant));
        Assert.Equal(Access.ScopeInsuffisant, MaskingPolicy.AccessTo(Hopital, Scopes.Parse(""), Ressource.MedecinTraitant));
        Assert.Equal(Access.Open, MaskingPolicy.AccessTo(Hopital, Scopes.Parse(Everything), Ressource.MedecinTraitant));
    }

    [Fact]
    public void Shows_the_doctor_to_the_etablissement_only()
    {
        var medecin = new MedecinTraitant { DateDebut = Day("2018-09-14"), Nom = "LE GOFF", NumeroAm = "281012345", Prenom = "YANN" };
        Assert.Equal(
            """{"date_debut":"2018-09-14","nom":"LE GOFF","numero_am":"281012345","prenom":"YANN"}""",
            Text(MaskingPolicy.Render(ViewOf(Hopital), medecin)));
        Assert.Throws<InvalidOperationException>(() => MaskingPolicy.Render(ViewOf(Mutuelle), medecin));
        Assert.All(MaskingPolicy.Properties.Where(rule => rule.Type == typeof(MedecinTraitant)), rule => Assert.False(rule.Organisme));
    }

    [Fact]
    public void Hides_exoneration_motif_from_organisme_complementaire()
    {
        var ald = new Exoneration
        {
            DateFin = Day("2027-01-31"),
            Motif = new Motif { Code = CodeMotif.AldListe, Libelle = "ALD liste", LibelleLong = "Affection de longue durée" },
        };
        Assert.Equal("""[{"date_fin":"2027-01-31"}]""", Text(MaskingPolicy.Render(ViewOf(Mutuelle), [ald])));
        Assert.Equal(
            """[{"date_fin":"2027-01-31","motif":{"code":"LIS","libelle":"ALD liste","libelle_long":"Affection de longue durée"}}]""",
            Text(MaskingPolicy.Render(ViewOf(Hopital), [ald])));
        Assert.Throws<InvalidOperationException>(() => MaskingPolicy.Render(ViewOf(MutuelleStricte), [ald]));
    }

    [Theory]
    [InlineData(CallerType.EtablissementDeSoins, Ouverture.Utilisateur, "INV MAT LIS EXP EXC A115_DET_PML NE STE EDS")]
    [InlineData(CallerType.EtablissementDeSoins, Ouverture.Rattache, "INV LIS EXP EXC A115_DET_PML NE EDS")]
    [InlineData(CallerType.OrganismeComplementaire, Ouverture.Utilisateur, "INV LIS EXP EXC A115_DET_PML EDS")]
    [InlineData(CallerType.OrganismeComplementaire, Ouverture.Rattache, "INV LIS EXP EXC A115_DET_PML EDS")]
    public void Leaves_out_exemptions_whose_dates_tell_too_much(CallerType type, Ouverture ouverture, string expected)
    {
        var view = ViewOf(Partner(type, ExonerationsRule.Masquees), Everything, ouverture);
        var shown = Enum.GetValues<CodeMotif>().Where(code => Count(view, new Exoneration { Motif = new Motif { Code = code } }) == 1);
        Assert.Equal(expected, string.Join(' ', shown.Select(code => JsonSerializer.SerializeToElement(code).GetString())));
    }

    [Fact]
    public void A_maternity_under_another_code_or_without_code_is_still_left_out()
    {
        var hidden = new[]
        {
            new Exoneration { Motif = new Motif { Code = CodeMotif.AldListe }, Maternite = new Maternite() },
            new Exoneration { Maternite = new Maternite { DatePresumeeGrossesse = Day("2026-01-01") } },
            new Exoneration { Motif = new Motif { Libelle = "?" } },
            new Exoneration(),
        };
        Assert.All(hidden, exoneration =>
        {
            Assert.Equal(0, Count(ViewOf(Mutuelle), exoneration));
            Assert.Equal(0, Count(ViewOf(Hopital, Everything, Ouverture.Rattache), exoneration));
            Assert.Equal(1, Count(ViewOf(Hopital), exoneration));
        });
    }

    [Theory]
    [InlineData("C2S", NatureAssurance.Amc)]
    [InlineData("C2SP", NatureAssurance.Amc)]
    [InlineData("CMUC", NatureAssurance.Amc)]
    [InlineData("ACS_A", NatureAssurance.Amc)]
    [InlineData("ACS_B", NatureAssurance.Amc)]
    [InlineData("ACS_C", NatureAssurance.Amc)]
    public void An_organisme_gets_solidarity_contracts_as_they_are(string code, NatureAssurance nature)
    {
        var contrat = new Contrat { NatureAssurance = nature, Details = new DetailsContrat { CodeTypeContrat = code, LibelleTypeContrat = "L" } };
        Assert.Equal(MaskingPolicy.Render(ViewOf(Hopital), [contrat]), MaskingPolicy.Render(ViewOf(Mutuelle), [contrat]));
    }

    [Theory]
    [InlineData("AME", NatureAssurance.Amo)]
    [InlineData("BASE", NatureAssurance.Amo)]
    [InlineData("base", NatureAssurance.Amo)]
    [InlineData("DETENU", NatureAssurance.Amc)]
    [InlineData(null, NatureAssurance.Amc)]
    public void An_organisme_gets_any_other_contract_as_BASE_under_its_own_label(string? code, NatureAssurance nature)
    {
        var contrat = new Contrat { NatureAssurance = nature, Details = new DetailsContrat { CodeTypeContrat = code, LibelleTypeContrat = "Détenu" } };
        const string Shown = """[{"nature_assurance":"AMO","details":{"code_type_contrat":"BASE","libelle_type_contrat":"Droits de base (contrat sans spécificité)"},"periodes_droits":[]}]""";
        Assert.Equal(Shown, Text(MaskingPolicy.Render(ViewOf(Mutuelle), [contrat])));
        Assert.Equal(Shown, Text(MaskingPolicy.Render(ViewOf(Mutuelle), [contrat with { Details = null }])));
        Assert.Contains("Détenu", Text(MaskingPolicy.Render(ViewOf(Hopital), [contrat])), StringComparison.Ordinal);
    }

    [Fact]
    public void Cnam_contrats_opens_base_rights_only()
    {
        var contrats = new[] { ("AMO", "BASE"), ("AMC", "C2S"), ("AMO", "C2S"), ("AMC", "X"), ("AMO", "AME") }
            .Select(pair => new Contrat
            {
                NatureAssurance = Enum.Parse<NatureAssurance>(pair.Item1, ignoreCase: true),
                Details = new DetailsContrat { CodeTypeContrat = pair.Item2 },
            })
            .ToList();
        Assert.Equal(["BASE", "AME"], Codes(ViewOf(Hopital, "cnam_contrats")));
        Assert.Equal(["BASE", "BASE"], Codes(ViewOf(Mutuelle, "cnam_contrats")));
        Assert.Equal(5, Codes(ViewOf(Hopital)).Count);

        List<string?> Codes(View view)
        {
            using var json = JsonDocument.Parse(MaskingPolicy.Render(view, contrats));
            return [.. json.RootElement.EnumerateArray().Select(contrat => contrat.GetProperty("details").GetProperty("code_type_contrat").GetString())];
        }
    }

    [Fact]
    public void Nobody_who_is_not_opened_can_be_rendered()
    {
        Assert.Throws<InvalidOperationException>(() => MaskingPolicy.Render(default, Helene));
        Assert.Throws<InvalidOperationException>(() => MaskingPolicy.Render(ViewOf(Hopital, Everything, Ouverture.Fermee), Helene));
        Assert.Throws<InvalidOperationException>(() => MaskingPolicy.Render(ViewOf(Hopital, "cnam_caisse", Ouverture.Rattache), new Caisse()));
        Assert.Throws<InvalidOperationException>(() => MaskingPolicy.Render(ViewOf(Hopital, "cnam_presence_medecin_traitant", Ouverture.Rattache), Helene));
        Assert.Throws<InvalidOperationException>(() => MaskingPolicy.Render(ViewOf(Hopital, "cnam_presence_medecin_traitant"), new List<Beneficiaire> { Helene }));
        Assert.Equal("{}", Text(MaskingPolicy.Render(ViewOf(Hopital, "cnam_caisse cnam_beneficiaires", Ouverture.Rattache), new Caisse())));
    }

    [Fact]
    public void Views_of_equal_rights_are_equal()
    {
        Assert.Equal(ViewOf(Hopital, "cnam_caisse openid"), ViewOf(Hopital, "x cnam_caisse"));
        Assert.NotEqual(ViewOf(Hopital), ViewOf(Mutuelle));
        Assert.NotEqual(ViewOf(Mutuelle), ViewOf(MutuelleStricte));
        Assert.NotEqual(ViewOf(Hopital), ViewOf(Hopital, Everything, Ouverture.Rattache));
    }

    private static int Count(View view, Exoneration exoneration)
    {
        using var json = JsonDocument.Parse(MaskingPolicy.Render(view, [exoneration]));
        return json.RootElement.GetArrayLength();
    }

    /// <summary>The records that an answer can carry, found by walking from those that <c>Render</c> takes.</summary>
    internal static IReadOnlyCollection<Type> ShownTypes()
    {
        var found = new HashSet<Type>();
        var queue = new Queue<Type>(typeof(MaskingPolicy).GetMethods()
            .Where(method => method.Name == nameof(MaskingPolicy.Render))
            .Select(method => method.GetParameters()[1].ParameterType));
        while (queue.TryDequeue(out var type))
        {
            type = Nullable.GetUnderlyingType(type) ?? (type.IsGenericType ? type.GenericTypeArguments[0] : type);
            var leaf = type.IsEnum || type == typeof(Nir) || type.Namespace!.StartsWith("System", StringComparison.Ordinal);
            if (leaf || !found.Add(type))
                continue;
            foreach (var property in type.GetProperties())
                queue.Enqueue(property.PropertyType);
        }

        return found;
    }

    private sealed record Unclassified(string Secret);
}
