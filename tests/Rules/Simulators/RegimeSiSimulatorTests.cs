using System.ComponentModel.DataAnnotations;
using System.Net;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using DroitsAmeli.Simulators;
using DroitsAmeli.Simulators.RegimeSi;
using Xunit;

namespace DroitsAmeli.Tests.Rules.Simulators;

public sealed class RegimeSiSimulatorTests
{
    [Theory]
    [InlineData("alice-martin", HttpStatusCode.OK)]
    [InlineData("mohamed-haddad", HttpStatusCode.OK)]
    [InlineData("ines-inconnue", HttpStatusCode.NotFound)]
    [InlineData("jean-dupont", HttpStatusCode.Conflict)]
    [InlineData("marcel-paysan", HttpStatusCode.UnprocessableEntity)]
    [InlineData("helene-professeure", HttpStatusCode.UnprocessableEntity)]
    public async Task Identifies_as_the_persona_says(string id, HttpStatusCode expected)
    {
        await using var si = await RunningSimulator.Start();
        using var response = await si.Identify(Personas.Find(id)!.Identite);
        Assert.Equal(expected, response.StatusCode);
        if (expected == HttpStatusCode.OK)
        {
            var (famille, membre) = si.Persona(id);
            var body = await Read(response);
            Assert.Equal([famille.Id, membre.Beneficiaire.Nir], body.AsObject().Select(property => (string?)property.Value));
            Assert.Equal(["famille", "nir"], body.AsObject().Select(property => property.Key));
        }

        if (expected == HttpStatusCode.UnprocessableEntity)
            Assert.Equal(id == "marcel-paysan" ? "02" : "91", (string?)(await Read(response))["regime"]);
    }

    [Fact]
    public async Task Identification_that_does_not_read_is_a_bad_request()
    {
        await using var si = await RunningSimulator.Start();
        using var response = await si.Http.PostAsync("/si/v1/identifications", new StringContent("{"), RunningSimulator.Stop);
        Assert.Equal(HttpStatusCode.BadRequest, response.StatusCode);
    }

    [Fact]
    public async Task Composition_has_the_contracts_words_and_no_nulls()
    {
        await using var si = await RunningSimulator.Start();
        var (famille, alice) = si.Persona("alice-martin");
        using var response = await si.Famille(famille.Id);
        var text = await response.Content.ReadAsStringAsync(RunningSimulator.Stop);
        var body = JsonNode.Parse(text)!;
        Assert.Equal(famille.Id, (string?)body["famille"]);
        Assert.Equal($"\"{body["version"]}\"", response.Headers.ETag!.Tag);
        Assert.DoesNotContain("null", text, StringComparison.Ordinal);
        Assert.Equal(["nir", "nom_famille", "nom_usage", "prenom", "date_naissance", "rang_naissance", "qualite", "presences"],
            body["beneficiaires"]![0]!.AsObject().Select(property => property.Key));
        Assert.Equal(alice.Beneficiaire.Nir, (string?)body["beneficiaires"]![0]!["nir"]);
        Assert.Equal(["amc", "medecin_traitant"], body["beneficiaires"]![0]!["presences"]!.AsObject().Select(property => property.Key));
        Assert.NotNull(body["beneficiaires"]![0]!["presences"]!["medecin_traitant"]![0]!["date_debut"]);
    }

    [Fact]
    public async Task Rights_have_the_contracts_words()
    {
        await using var si = await RunningSimulator.Start();
        var (famille, alice) = si.Persona("alice-martin");
        using var response = await si.Droits(famille.Id, alice.Beneficiaire.Nir);
        var body = await Read(response);
        Assert.Equal(["famille", "nir", "version", "caisse", "contrats", "exonerations", "medecins_traitants"], body.AsObject().Select(property => property.Key));
        Assert.Equal(["id", "grandRegime", "codeCentre", "libelle", "organisme", "adresse"], body["caisse"]!.AsObject().Select(property => property.Key));
        Assert.Equal("AMO", (string?)body["contrats"]![0]!["nature_assurance"]);
        Assert.Equal("BASE", (string?)body["contrats"]![0]!["details"]!["code_type_contrat"]);
        Assert.Equal("LIS", (string?)body["exonerations"]![0]!["motif"]!["code"]);
        Assert.Equal(9, ((string)body["medecins_traitants"]![0]!["numero_am"]!).Length);
    }

    [Fact]
    public async Task A_held_version_is_answered_304_until_it_changes()
    {
        await using var si = await RunningSimulator.Start();
        var (famille, alice) = si.Persona("alice-martin");
        using var first = await si.Famille(famille.Id);
        var tag = first.Headers.ETag!.Tag;
        using var held = await si.Famille(famille.Id, tag);
        using var heldDroits = await si.Droits(famille.Id, alice.Beneficiaire.Nir, tag);
        Assert.Equal([HttpStatusCode.NotModified, HttpStatusCode.NotModified], [held.StatusCode, heldDroits.StatusCode]);
        using var changed = await si.Change(famille.Id, new { kind = "touch" });
        Assert.Equal(HttpStatusCode.OK, changed.StatusCode);
        using var after = await si.Famille(famille.Id, tag);
        Assert.Equal(HttpStatusCode.OK, after.StatusCode);
        Assert.NotEqual(tag, after.Headers.ETag!.Tag);
    }

    [Fact]
    public async Task Unknown_family_or_beneficiary_is_404_and_a_missing_nir_400()
    {
        await using var si = await RunningSimulator.Start();
        var (famille, _) = si.Persona("alice-martin");
        using var unknown = await si.Famille("00000000");
        using var foreign = await si.Droits(famille.Id, si.Persona("lucie-bernard").Membre.Beneficiaire.Nir);
        using var without = await si.Droits(famille.Id, null);
        Assert.Equal([HttpStatusCode.NotFound, HttpStatusCode.NotFound, HttpStatusCode.BadRequest], [unknown.StatusCode, foreign.StatusCode, without.StatusCode]);
    }

    [Fact]
    public async Task Asks_for_the_bearer_when_a_key_is_set()
    {
        await using var si = await RunningSimulator.Start(apiKey: "k-1");
        var id = si.Persona("alice-martin").Famille.Id;
        using var without = await si.Famille(id);
        Assert.Equal(HttpStatusCode.Unauthorized, without.StatusCode);
        si.Http.DefaultRequestHeaders.Authorization = new("Bearer", "k-1");
        using var with = await si.Famille(id);
        Assert.Equal(HttpStatusCode.OK, with.StatusCode);
    }

    [Fact]
    public async Task Changes_alter_the_family_and_who_is_in_it()
    {
        await using var si = await RunningSimulator.Start();
        var (famille, alice) = si.Persona("alice-martin");
        var child = famille.Membres[2].Beneficiaire.Nir;
        using var ended = await si.Change(famille.Id, new { kind = "end_medecin_traitant" });
        using var ald = await si.Change(famille.Id, new { kind = "add_ald" });
        using var removed = await si.Change(famille.Id, new { kind = "remove_membre", nir = child });
        var droits = await Read(await si.Droits(famille.Id, alice.Beneficiaire.Nir));
        Assert.Equal("2026-11-22", (string?)droits["medecins_traitants"]![0]!["date_fin"]);
        Assert.Equal(2, droits["exonerations"]!.AsArray().Count);
        Assert.Equal(3, (await Read(await si.Famille(famille.Id)))["beneficiaires"]!.AsArray().Count);
        using var gone = await si.Droits(famille.Id, child);
        Assert.Equal(HttpStatusCode.NotFound, gone.StatusCode);
    }

    [Fact]
    public async Task A_moved_user_is_identified_in_the_new_family()
    {
        await using var si = await RunningSimulator.Start();
        var (famille, alice) = si.Persona("alice-martin");
        var done = await Read(await si.Change(famille.Id, new { kind = "move_membre" }));
        var target = (string)done["nouvelle_famille"]!;
        Assert.NotEqual(famille.Id, target);
        Assert.Equal(target, (string?)(await Read(await si.Identify(Personas.Find("alice-martin")!.Identite)))["famille"]);
        Assert.Equal(alice.Beneficiaire.Nir, (string?)(await Read(await si.Famille(target)))["beneficiaires"]![0]!["nir"]);
        Assert.Equal(3, (await Read(await si.Famille(famille.Id)))["beneficiaires"]!.AsArray().Count);
    }

    [Fact]
    public async Task A_closed_family_is_410_and_its_people_are_unknown()
    {
        await using var si = await RunningSimulator.Start();
        var famille = si.Persona("lucie-bernard").Famille.Id;
        using var closed = await si.Change(famille, new { kind = "close" });
        using var gone = await si.Famille(famille);
        using var identified = await si.Identify(Personas.Find("lucie-bernard")!.Identite);
        using var again = await si.Change(famille, new { kind = "touch" });
        using var nonsense = await si.Change(famille, new { kind = "explode" });
        Assert.Equal([HttpStatusCode.Gone, HttpStatusCode.NotFound, HttpStatusCode.NotFound, HttpStatusCode.BadRequest],
            [gone.StatusCode, identified.StatusCode, again.StatusCode, nonsense.StatusCode]);
    }

    [Fact]
    public async Task Feed_starts_now_wakes_a_waiting_reader_and_repeats_from_a_cursor()
    {
        await using var si = await RunningSimulator.Start();
        var famille = si.Persona("alice-martin").Famille.Id;
        var start = (string)(await si.Json("/si/v1/evenements"))["curseur"]!;
        var waiting = si.Json($"/si/v1/evenements?apres={start}&attente=30");
        var version = (long)(await Read(await si.Change(famille, new { kind = "touch" })))["version"]!;
        var page = await waiting;
        Assert.Equal(famille, (string?)page["evenements"]![0]!["famille"]);
        Assert.Equal(version, (long)page["evenements"]![0]!["version"]!);
        Assert.Equal((string?)page["curseur"], (string?)page["evenements"]![0]!["curseur"]);
        using var more = await si.Change(famille, new { kind = "touch" });
        Assert.Equal([version, version + 1], (await si.Json($"/si/v1/evenements?apres={start}"))["evenements"]!.AsArray().Select(one => (long)one!["version"]!));
        Assert.Single((await si.Json($"/si/v1/evenements?apres={page["curseur"]}"))["evenements"]!.AsArray());
    }

    [Fact]
    public async Task A_reader_that_waited_in_vain_keeps_its_cursor()
    {
        var clock = new Microsoft.Extensions.Time.Testing.FakeTimeProvider { AutoAdvanceAmount = TimeSpan.FromSeconds(20) };
        await using var si = await RunningSimulator.Start(clock: clock);
        var start = (string)(await si.Json("/si/v1/evenements"))["curseur"]!;
        var page = await si.Json($"/si/v1/evenements?apres={start}&attente=10");
        Assert.Empty(page["evenements"]!.AsArray());
        Assert.Equal(start, (string?)page["curseur"]);
    }

    [Fact]
    public async Task A_cursor_that_was_forgotten_or_never_was_is_410_with_a_new_one()
    {
        await using var si = await RunningSimulator.Start();
        var start = (string)(await si.Json("/si/v1/evenements"))["curseur"]!;
        using var forget = await si.Admin.PostAsync("/sandbox/evenements/oubli", null, RunningSimulator.Stop);
        using var old = await si.Http.GetAsync($"/si/v1/evenements?apres={start}", RunningSimulator.Stop);
        using var foreign = await si.Http.GetAsync("/si/v1/evenements?apres=nonsense", RunningSimulator.Stop);
        Assert.Equal([HttpStatusCode.Gone, HttpStatusCode.Gone], [old.StatusCode, foreign.StatusCode]);
        using var after = await si.Http.GetAsync($"/si/v1/evenements?apres={(await Read(old))["curseur"]}", RunningSimulator.Stop);
        Assert.Equal(HttpStatusCode.OK, after.StatusCode);
    }

    [Fact]
    public async Task The_admin_port_keeps_the_sandbox_calls_off_the_main_port_but_for_the_counters()
    {
        await using var si = await RunningSimulator.Start(adminPort: 0);
        Assert.NotEqual(si.Http.BaseAddress, si.Admin.BaseAddress);
        Assert.NotNull(await si.Json("/sandbox/compteurs"));
        Assert.NotNull(await si.Json("/sandbox/reglages", si.Admin));
        using var hidden = await si.Http.GetAsync("/sandbox/reglages", RunningSimulator.Stop);
        using var refused = await si.Http.PutAsJsonAsync("/sandbox/reglages", new { presences = false }, RunningSimulator.Stop);
        Assert.Equal([HttpStatusCode.NotFound, HttpStatusCode.NotFound], [hidden.StatusCode, refused.StatusCode]);
        using var put = await si.Put(new { presences = false });
        Assert.Equal(HttpStatusCode.OK, put.StatusCode);
        Assert.DoesNotContain("presences", await (await si.Famille(si.Persona("alice-martin").Famille.Id)).Content.ReadAsStringAsync(RunningSimulator.Stop), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Personas_are_listed_with_their_family()
    {
        await using var si = await RunningSimulator.Start();
        Assert.Equal(Personas.All.Count, (await si.Json("/sandbox/personas"))!.AsArray().Count);
        var bulk = await si.Json("/sandbox/personas/famille-12");
        Assert.Equal(si.Population.Get(12).Id, (string?)bulk["famille"]);
    }

    [Theory]
    [InlineData("Production")]
    [InlineData("production")]
    public void Refuses_an_explicit_production_environment(string name)
    {
        var refusal = Assert.Throws<SimulatorException>(() => RegimeSiSimulator.Create(new RegimeSiSimulatorOptions { EnvironmentName = name }));
        Assert.Contains("Production", refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Listens_on_loopback_only()
    {
        await using var si = await RunningSimulator.Start(adminPort: 0);
        Assert.All([si.Http.BaseAddress!, si.Admin.BaseAddress!], url => Assert.Equal("127.0.0.1", url.Host));
    }

    [Fact]
    public void Names_the_setting_that_is_out_of_range()
    {
        var refusal = Assert.Throws<ValidationException>(() =>
            RegimeSiSimulator.Create(new RegimeSiSimulatorOptions { Port = 70_000, Families = 0, EnvironmentName = "Sandbox" }));
        Assert.Contains("Simulators:RegimeSi", refusal.Message, StringComparison.Ordinal);
        Assert.Contains("Port", refusal.Message, StringComparison.Ordinal);
        Assert.Contains("Families", refusal.Message, StringComparison.Ordinal);
    }

    private static async Task<JsonNode> Read(HttpResponseMessage response) =>
        JsonNode.Parse(await response.Content.ReadAsStringAsync(RunningSimulator.Stop))!;
}
