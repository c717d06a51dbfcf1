using System.Globalization;
using System.Text.Json.Nodes;
using Xunit;

namespace DroitsAmeli.Tests.Api;

/// <summary>Whose rights a token opens, told by the personas.</summary>
[Collection(DefaultCollection.Name)]
public sealed class PersonaTests(DefaultBench bench)
{
    [Theory]
    [InlineData("herve-legall", "08835")]
    [InlineData("nicolas-fontaine", "01928")]
    [InlineData("beatrice-simon", "01459")]
    [InlineData("therese-cavimac", "90000")]
    public async Task A_hosted_regime_is_served(string persona, string caisse) =>
        Assert.Equal(caisse, (await Ask(persona, "/caisse")).Ok()["id"]!.GetValue<string>());

    [Theory]
    [InlineData("alice-martin", "Alice,Chloé,Léo", "Julien")]
    [InlineData("isabelle-mercier", "Isabelle,Iris", "Sacha")]
    [InlineData("paul-garnier", "Paul,Arthur", "Hélène,Nina")]
    [InlineData("christine-blanchard", "Christine,Jules", "Noah,Mila")]
    [InlineData("francois-roy", "François,Augustin", "Victoire")]
    [InlineData("sarah-majeure", "Sarah", "Michel,Oscar")]
    [InlineData("nadia-ayant-droit", "Nadia", "Yves,Lou")]
    [InlineData("yves-camieg", "Yves,Lou", "Nadia")]
    public async Task Who_is_hidden_is_absent_from_the_list_and_404_everywhere(string persona, string shown, string hidden)
    {
        Assert.Equal(shown.Split(','), (await List(persona)).Select(FirstName));
        foreach (var prenom in hidden.Split(','))
        {
            foreach (var path in Call.Resources[2..])
                (await Ask(persona, path, bench.Nir(persona, prenom))).Is("beneficiaire_inconnu", prenom);
        }

        foreach (var prenom in shown.Split(',')[1..])
            Assert.Equal(prenom, FirstName((await Ask(persona, "", bench.Nir(persona, prenom))).Ok()));
    }

    [Fact]
    public async Task Marks_of_the_si_are_never_emitted()
    {
        foreach (var persona in new[] { "isabelle-mercier", "paul-garnier", "christine-blanchard" })
        {
            var body = (await Ask(persona, "/me/beneficiaires")).Body;
            foreach (var mark in new[] { "restrictions", "rattachement", "date_deces", "presences", "famille\"" })
                Assert.DoesNotContain(mark == "famille\"" ? "\"famille\"" : mark, body, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task A_newborn_is_listed_without_nir_and_booleans()
    {
        var newborn = (await List("camille-lefevre")).Single(member => FirstName(member) == "Gabriel").AsObject();
        Assert.Equal(["date_naissance", "nom_famille", "prenom", "qualite", "rang_naissance"], newborn.Select(member => member.Key).Order(StringComparer.Ordinal));
        Assert.Equal("2026-11-11", newborn["date_naissance"]!.GetValue<string>());
    }

    [Fact]
    public async Task A_newborn_with_a_nir_has_the_exemption_of_its_first_month_for_an_etablissement_only()
    {
        var today = DateOnly.FromDateTime(bench.Clock.Now.UtcDateTime);
        var nir = bench.Nir("elise-nouveau-ne", "Agathe");
        var exoneration = Assert.Single((await Ask("elise-nouveau-ne", "/exonerations", nir)).Ok().AsArray())!;
        Assert.Equal("NE", exoneration["motif"]!["code"]!.GetValue<string>());
        Assert.Equal(today.AddDays(20).ToString("O", CultureInfo.InvariantCulture), exoneration["date_fin"]!.GetValue<string>());
        Assert.False(exoneration.AsObject().ContainsKey("date_debut"));

        var organisme = new Call("/exonerations")
        {
            Key = TestPartners.Masquees.Key,
            Token = await bench.Token("elise-nouveau-ne", TestPartners.Masquees),
            Nir = nir,
        };
        Assert.Empty((await organisme.Send(bench)).Ok().AsArray());
    }

    [Fact]
    public async Task Twins_are_told_apart_by_their_rank()
    {
        var twins = (await List("julie-moreau"))[1..];
        Assert.Equal([1, 2], twins.Select(twin => twin!["rang_naissance"]!.GetValue<int>()));
        Assert.Single(twins.Select(twin => twin!["date_naissance"]!.GetValue<string>()).Distinct());
    }

    [Fact]
    public async Task A_family_of_fifteen_lists_the_user_and_thirteen_children()
    {
        var list = await List("jean-delacroix");
        Assert.Equal(bench.Famille("jean-delacroix").Membres.Count(member => member.Beneficiaire.Qualite != "conjoint"), list.Length);
        Assert.Equal("Jean", FirstName(list[0]!));
    }

    [Fact]
    public async Task A_child_of_two_parents_is_answered_from_the_users_own_family()
    {
        var nir = bench.Nir("thomas-girard", "Éléna");
        Assert.Equal(nir, bench.Nir("laure-dubois", "Éléna"));
        Assert.Equal("01751", (await Ask("thomas-girard", "/caisse", nir)).Ok()["id"]!.GetValue<string>());
        Assert.Equal("01331", (await Ask("laure-dubois", "/caisse", nir)).Ok()["id"]!.GetValue<string>());

        var doctors = new[] { "thomas-girard", "laure-dubois" }.Select(async persona => (await Ask(persona, "/medecin-traitant", nir)).Ok()["numero_am"]!.GetValue<string>());
        Assert.Equal(2, (await Task.WhenAll(doctors)).Distinct().Count());
    }

    [Theory]
    [InlineData("marie-casanova")]
    [InlineData("ange-mattei")]
    [InlineData("jocelyne-payet")]
    [InlineData("fatou-ndiaye")]
    [InlineData("louise-benoit")]
    [InlineData("mohamed-haddad")]
    [InlineData("aicha-belkacem")]
    [InlineData("rosa-ferreira")]
    [InlineData("aurore-lhermitte")]
    public async Task An_unusual_identity_is_found(string persona)
    {
        var me = (await Ask(persona, "/me")).Ok();
        Assert.Equal(bench.Nir(persona), me["nir"]!.GetValue<string>());
        Assert.Equal(persona is "mohamed-haddad" or "aicha-belkacem" or "rosa-ferreira", me["date_naissance"] is null);
    }

    [Fact]
    public async Task The_supplementary_cover_is_told_by_the_boolean()
    {
        Assert.All(await List("karim-benali"), member => Assert.True(member!["presence_CMUC_ACS"]!.GetValue<bool>()));
        Assert.False((await Ask("hugo-sans-medecin", "/me")).Ok()["medecin_traitant_choisi"]!.GetValue<bool>());
    }

    private async Task<JsonNode[]> List(string persona) => [.. (await Ask(persona, "/me/beneficiaires")).Ok().AsArray().Select(member => member!)];

    private async Task<Answer> Ask(string persona, string path, string? nir = null) => await new Call(path)
    {
        Token = await bench.Token(persona),
        Nir = nir ?? bench.Nir(persona),
    }.Send(bench);

    private static string FirstName(JsonNode member) => member["prenom"]!.GetValue<string>();
}
