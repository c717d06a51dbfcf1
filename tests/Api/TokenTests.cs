using System.Net;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Xunit;

namespace DroitsAmeli.Tests.Api;

/// <summary>What a token's scopes and its end do, on every call.</summary>
[Collection(ConventionsCollection.Name)]
public sealed class TokenTests(ConventionsBench bench)
{
    private const string Persona = "sylvie-petit";

    [Theory]
    [InlineData("cnam_beneficiaires", "/me,/me/beneficiaires,")]
    [InlineData("cnam_caisse", "/caisse")]
    [InlineData("cnam_contrats", "/contrats")]
    [InlineData("cnam_exonerations", "/exonerations")]
    [InlineData("cnam_medecin_traitant", "/me,,/medecin-traitant")]
    [InlineData("cnam_presence_medecin_traitant", "/me,")]
    [InlineData("cnam_caisse cnam_contrats", "/caisse,/contrats")]
    [InlineData("droits_assurance_maladie", "/me,/me/beneficiaires,,/caisse,/contrats,/exonerations,/medecin-traitant")]
    public async Task A_scope_opens_its_part_and_nothing_else(string scope, string opened)
    {
        var token = await bench.Token(Persona, scope: scope);
        foreach (var path in Call.Resources)
        {
            var answer = await new Call(path) { Token = token, Nir = bench.Nir(Persona) }.Send(bench);
            if (opened.Split(',').Contains(path))
                answer.Ok();
            else
                answer.Is("scope_insuffisant");
        }
    }

    [Theory]
    [InlineData("cnam_beneficiaires", "date_naissance,nir,nom_famille,prenom,qualite,rang_naissance")]
    [InlineData("cnam_medecin_traitant", "medecin_traitant_choisi")]
    [InlineData("cnam_presence_medecin_traitant", "medecin_traitant_choisi")]
    [InlineData("droits_assurance_maladie", "date_naissance,medecin_traitant_choisi,nir,nom_famille,prenom,presence_CMUC_ACS,qualite,rang_naissance")]
    public async Task A_scope_opens_its_properties_of_me(string scope, string properties)
    {
        var me = (await new Call { Token = await bench.Token(Persona, scope: scope) }.Send(bench)).Ok().AsObject();
        Assert.Equal(properties.Split(','), me.Select(property => property.Key).Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task The_fine_scope_of_contracts_opens_base_rights_only()
    {
        Assert.Equal(["BASE"], await Types("cnam_contrats"));
        Assert.Equal(["BASE", "C2SP"], await Types("droits_assurance_maladie"));

        async Task<IEnumerable<string>> Types(string scope) =>
            (await new Call("/contrats") { Token = await bench.Token(Persona, scope: scope), Nir = bench.Nir(Persona) }.Send(bench)).Ok().AsArray()
                .Select(contrat => contrat!["details"]!["code_type_contrat"]!.GetValue<string>());
    }

    [Fact]
    public async Task Fine_scopes_reach_other_beneficiaries_only_with_cnam_beneficiaires()
    {
        var child = bench.Nir("alice-martin", "Chloé");
        (await new Call("/caisse") { Token = await bench.Token("alice-martin", scope: "cnam_caisse"), Nir = child }.Send(bench)).Is("scope_insuffisant");
        (await new Call("/caisse") { Token = await bench.Token("alice-martin", scope: "cnam_caisse cnam_beneficiaires"), Nir = child }.Send(bench)).Ok();
    }

    [Fact]
    public async Task A_token_ends_with_its_exp_also_once_it_is_remembered()
    {
        var call = new Call { Token = await bench.Token(Persona, lifetime: 60) };
        (await call.Send(bench)).Ok();
        bench.Clock.Jump(TimeSpan.FromSeconds(40));
        (await call.Send(bench)).Ok();
        bench.Clock.Jump(TimeSpan.FromSeconds(21));
        (await call.Send(bench)).Is("jeton_invalide");
    }

    [Fact]
    public async Task A_token_that_ended_before_its_first_use_is_401()
    {
        var call = new Call { Token = await bench.Token(Persona, lifetime: 30) };
        bench.Clock.Jump(TimeSpan.FromSeconds(31));
        (await call.Send(bench)).Is("jeton_invalide");
    }

    [Fact]
    public async Task A_revoked_token_is_401()
    {
        var token = await bench.Token(Persona);
        using var response = await bench.FranceConnect.PostAsJsonAsync("/sandbox/revocations", new JsonObject { ["access_token"] = token }, Bench.Stop);
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        (await new Call { Token = token }.Send(bench)).Is("jeton_invalide", token);
    }

    [Fact]
    public async Task A_token_that_was_unknown_is_asked_about_again_after_five_seconds()
    {
        var call = new Call { Token = "un-jeton-inconnu" };
        var before = await bench.FranceConnectAsked();
        (await call.Send(bench)).Is("jeton_invalide");
        (await call.Send(bench)).Is("jeton_invalide");
        Assert.Equal(1, (await bench.FranceConnectAsked() - before).Checktoken);
        bench.Clock.Jump(TimeSpan.FromSeconds(6));
        (await call.Send(bench)).Is("jeton_invalide");
        Assert.Equal(2, (await bench.FranceConnectAsked() - before).Checktoken);
    }

    [Fact]
    public async Task FranceConnect_may_rotate_its_signing_key()
    {
        (await new Call { Token = await bench.Token(Persona) }.Send(bench)).Ok();
        bench.Clock.Jump(TimeSpan.FromMinutes(2));
        using var response = await bench.FranceConnect.PostAsync("/sandbox/cles/rotation", null, Bench.Stop);
        Assert.Equal(HttpStatusCode.NoContent, response.StatusCode);
        (await new Call { Token = await bench.Token(Persona) }.Send(bench)).Ok();
    }
}
