using System.Globalization;
using System.Text.Json.Nodes;
using Xunit;

namespace DroitsAmeli.Tests.Api;

/// <summary>The seven bodies of one persona with an ALD, field for field, for both types of caller; and the headers that go with them.</summary>
[Collection(DefaultCollection.Name)]
public sealed class BodiesTests(DefaultBench bench)
{
    private const string Alice = "alice-martin";
    private const string Contrats = """
        [{"nature_assurance":"AMO","details":{"code_type_contrat":"BASE","libelle_type_contrat":"Droits de base (contrat sans spécificité)"},
          "date_fin":"2027-11-23","periodes_droits":[{"date_debut":"2024-12-23","date_fin":"2027-11-23"}]}]
        """;

    private string AliceJson => $$"""
        {"date_naissance":"1984-03-12","medecin_traitant_choisi":true,"nir":"{{bench.Nir(Alice)}}","nom_famille":"Martin","nom_usage":"Lefèvre",
         "prenom":"Alice","presence_CMUC_ACS":false,"qualite":"assure","rang_naissance":1}
        """;

    [Fact]
    public async Task Me_and_the_base_path_are_the_user_for_both_types()
    {
        foreach (var partner in new[] { TestPartners.Chu, TestPartners.Masquees, TestPartners.Refusees })
        {
            await Expect(AliceJson, "/me", partner, nir: false);
            await Expect(AliceJson, "", partner);
            await Expect(AliceJson, "/", partner);
        }
    }

    [Fact]
    public async Task The_beneficiaires_are_the_user_first_and_the_minor_children()
    {
        foreach (var partner in new[] { TestPartners.Chu, TestPartners.Masquees })
        {
            await Expect($$"""
                [{{AliceJson}},
                 {"date_naissance":"2015-05-14","medecin_traitant_choisi":true,"nir":"{{bench.Nir(Alice, "Chloé")}}","nom_famille":"Lefèvre","prenom":"Chloé",
                  "presence_CMUC_ACS":false,"qualite":"enfant","rang_naissance":1},
                 {"date_naissance":"2019-05-14","medecin_traitant_choisi":false,"nir":"{{bench.Nir(Alice, "Léo")}}","nom_famille":"Lefèvre","prenom":"Léo",
                  "presence_CMUC_ACS":false,"qualite":"enfant","rang_naissance":1}]
                """, "/me/beneficiaires", partner, nir: false);
        }
    }

    [Fact]
    public async Task The_caisse_is_the_same_for_both_types()
    {
        foreach (var partner in new[] { TestPartners.Chu, TestPartners.Masquees })
        {
            await Expect("""
                {"adresse":{"code_postal":"26024","commune":"VALENCE CEDEX","destinataire":"CPAM DE LA DROME","nom_voie":"DU PRESIDENT EDOUARD HERRIOT",
                 "numero_voie":"6","type_voie":"AVENUE"},"codeCentre":"2611","grandRegime":"01","id":"01261",
                 "libelle":"Caisse primaire d'assurance maladie de la Drôme","organisme":"CPAM de la Drôme"}
                """, "/caisse", partner);
        }
    }

    [Fact]
    public async Task The_caisse_of_the_documentation_is_one_that_is_answered()
    {
        var document = JsonNode.Parse(await bench.Api.GetStringAsync("/openapi/v1.json", Bench.Stop))!;
        var example = document["paths"]!["/caisse"]!["get"]!["responses"]!["200"]!["content"]!["application/json"]!["example"]!;
        await Expect(example.ToJsonString(), "/caisse", TestPartners.Chu);
        var described = document["components"]!["schemas"]!["Caisse"]!["properties"]!.AsObject();
        Assert.All(described.Where(property => property.Value!["example"] is not null), property =>
            Assert.True(JsonNode.DeepEquals(example[property.Key], property.Value!["example"]), property.Key));
    }

    [Fact]
    public async Task The_contracts_have_periods_and_no_beginning_of_their_own_when_it_is_past()
    {
        foreach (var partner in new[] { TestPartners.Chu, TestPartners.Masquees })
            await Expect(Contrats, "/contrats", partner);
    }

    [Fact]
    public async Task The_exonerations_have_a_motif_for_an_etablissement_only()
    {
        await Expect("""
            [{"date_fin":"2027-11-23","motif":{"code":"LIS","libelle":"ALD liste","libelle_long":"Affection de longue durée inscrite sur la liste"}}]
            """, "/exonerations", TestPartners.Chu);
        await Expect("""[{"date_fin":"2027-11-23"}]""", "/exonerations", TestPartners.Masquees);
    }

    [Fact]
    public async Task The_doctor_always_has_a_beginning()
    {
        var medecin = bench.Famille(Alice).Membres[0].Droits.MedecinsTraitants.Single();
        await Expect($$"""
            {"date_debut":"2022-10-15","nom":"{{medecin.Nom}}","numero_am":"{{medecin.NumeroAm}}","prenom":"{{medecin.Prenom}}"}
            """, "/medecin-traitant", TestPartners.Chu);
        Assert.Matches("^[0-9]{9}$", medecin.NumeroAm);
    }

    [Fact]
    public async Task A_contract_of_another_type_is_base_for_an_organisme()
    {
        Assert.Equal("DET", await TypeFor(TestPartners.Chu, "denis-detenu"));
        Assert.Equal("BASE", await TypeFor(TestPartners.Masquees, "denis-detenu"));
        Assert.Equal("AME", await TypeFor(TestPartners.Chu, "ada-aide-medicale"));
        Assert.Equal("BASE", await TypeFor(TestPartners.Refusees, "ada-aide-medicale"));
        Assert.Equal("C2SP", await TypeFor(TestPartners.Refusees, "sylvie-petit", 1));

        async Task<string> TypeFor(TestPartner partner, string persona, int at = 0)
        {
            var answer = await Ask("/contrats", partner, persona);
            var detail = answer.Ok()[at]!["details"]!;
            var type = detail["code_type_contrat"]!.GetValue<string>();
            if (type == "BASE")
                Assert.DoesNotContain("crou", answer.Body, StringComparison.Ordinal);
            return type;
        }
    }

    [Fact]
    public async Task Maternity_birth_and_sterility_are_left_out_for_an_organisme()
    {
        Assert.Equal("[]", (await Ask("/exonerations", TestPartners.Masquees, "lucie-bernard")).Body);
        Assert.Equal("[]", (await Ask("/exonerations", TestPartners.Masquees, "camille-lefevre")).Body);
        Assert.Single((await Ask("/exonerations", TestPartners.Masquees, "claire-sterilite")).Ok().AsArray());

        var maternite = (await Ask("/exonerations", TestPartners.Chu, "lucie-bernard")).Ok()[0]!;
        Assert.Equal("MAT", maternite["motif"]!["code"]!.GetValue<string>());
        Assert.Equal(["date_presumee_grossesse"], maternite["maternite"]!.AsObject().Select(member => member.Key));
        Assert.Equal(2, (await Ask("/exonerations", TestPartners.Chu, "claire-sterilite")).Ok().AsArray().Count);
    }

    [Fact]
    public async Task An_etablissement_sees_the_state_of_the_cache_and_the_instant()
    {
        var cold = await Ask("/me", TestPartners.Chu, "famille-777", nir: false);
        cold.Ok();
        Assert.Equal("DroitsAmeli; fwd=miss", cold.Header("Cache-Status"));
        Assert.InRange(Situation(cold), RunningClock.Start.AddSeconds(-1), bench.Clock.Now);

        var warm = await Ask("/me", TestPartners.Chu, "famille-777", nir: false);
        Assert.Matches(@"^DroitsAmeli; hit; ttl=[0-9]{3}$", warm.Header("Cache-Status"));
        Assert.Equal(cold.Header("Date-Situation"), warm.Header("Date-Situation"));
    }

    [Fact]
    public async Task An_organisme_sees_neither_the_cache_nor_the_minute()
    {
        foreach (var partner in new[] { TestPartners.Masquees, TestPartners.Refusees })
        {
            foreach (var path in new[] { "/me", "/caisse", "/me/beneficiaires" })
            {
                var answer = await Ask(path, partner);
                answer.Ok();
                Assert.Null(answer.Header("Cache-Status"));
                Assert.Matches("^2026-11-23T[0-9]{2}:00:00Z$", answer.Header("Date-Situation"));
            }
        }
    }

    [Theory]
    [InlineData("x-api-key")]
    [InlineData("X-API-KEY")]
    [InlineData("X-API-Key")]
    [InlineData("x-Api-kEY")]
    public async Task The_key_header_is_read_in_any_case(string name)
    {
        (await new Call { KeyHeader = name, Token = await bench.Token(Alice) }.Send(bench)).Ok();
        var raw = await Call.SendLines(bench, "GET /v1/droits/beneficiaires/me HTTP/1.1", $"{name}: cle-chu", "authorization: bEaReR " + await bench.Token(Alice));
        raw.Ok();
    }

    [Fact]
    public async Task A_nir_is_read_in_all_its_forms()
    {
        foreach (var persona in new[] { Alice, "ange-mattei", "marie-casanova", "fatou-ndiaye", "louise-benoit", "jocelyne-payet", "rosa-ferreira" })
        {
            var theirs = await bench.Token(persona);
            foreach (var form in NirForms.AllOf(bench.Nir(persona)))
                (await new Call("/caisse") { Token = theirs, Nir = form }.Send(bench)).Ok();
        }
    }

    private async Task Expect(string json, string path, TestPartner partner, bool nir = true)
    {
        var answer = (await Ask(path, partner, nir: nir)).Ok();
        Assert.True(JsonNode.DeepEquals(JsonNode.Parse(json), answer), answer.ToJsonString());
    }

    private async Task<Answer> Ask(string path, TestPartner partner, string persona = Alice, bool nir = true) =>
        await new Call(path) { Key = partner.Key, Token = await bench.Token(persona, partner), Nir = nir ? bench.Nir(persona) : null }.Send(bench);

    private static DateTimeOffset Situation(Answer answer) =>
        DateTimeOffset.ParseExact(answer.Header("Date-Situation")!, "yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal);
}
