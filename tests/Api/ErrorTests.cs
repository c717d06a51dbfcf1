using System.Text;
using Xunit;

namespace DroitsAmeli.Tests.Api;

/// <summary>The contract's table of errors, row by row; what goes wrong upstream is in <see cref="UpstreamFaultTests"/>.</summary>
[Collection(DefaultCollection.Name)]
public sealed class ErrorTests(DefaultBench bench)
{
    private const string UnknownNir = "2850175108999";

    [Theory]
    [InlineData("/inconnu")]
    [InlineData("/me/beneficiaires/1")]
    [InlineData("//")]
    [InlineData("/caisse/x")]
    [InlineData("/ME")]
    [InlineData("/me/")]
    [InlineData("/me/beneficiaires/")]
    [InlineData("/Medecin-Traitant")]
    public async Task Unknown_path_is_404(string path) =>
        (await new Call(path) { Token = await bench.Token("alice-martin") }.Send(bench)).Is("chemin_inconnu");

    [Theory]
    [InlineData("/")]
    [InlineData("/v1")]
    [InlineData("/v2/droits/beneficiaires/me")]
    [InlineData("/v1/droits")]
    [InlineData("/v1/droits/beneficiaires.json")]
    [InlineData("/V1/Droits/Beneficiaires/me")]
    [InlineData("/v1/droits/Beneficiaires")]
    [InlineData("/docs/v1")]
    [InlineData("/docs/nulle-part")]
    [InlineData("/Docs")]
    [InlineData("/openapi/v1.json/")]
    [InlineData("/health/Live")]
    [InlineData("/.well-known/JWKS.json")]
    public async Task Unknown_path_outside_the_resources_is_404(string path) =>
        (await new Call(path) { Root = "" }.Send(bench)).Is("chemin_inconnu");

    [Fact]
    public async Task Another_verb_is_405_on_every_resource()
    {
        foreach (var path in Call.Resources)
        {
            foreach (var verb in new[] { "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE" })
                (await new Call(path) { Method = new(verb), Token = await bench.Token("alice-martin") }.Send(bench)).Is("methode_refusee");

            var head = await new Call(path) { Method = HttpMethod.Head, Token = await bench.Token("alice-martin") }.Send(bench);
            Assert.Equal((405, "GET", ""), (head.Status, head.Header("Allow"), head.Body));
        }
    }

    [Theory]
    [InlineData("get")]
    [InlineData("Get")]
    [InlineData("head")]
    [InlineData("LIRE")]
    public async Task A_verb_is_told_by_its_case(string verb) =>
        (await Call.SendLines(bench, verb + " /v1/droits/beneficiaires/me HTTP/1.1", "X-API-Key: cle-chu")).Is("methode_refusee");

    [Theory]
    [InlineData("/docs")]
    [InlineData("/docs/")]
    [InlineData("/docs/scalar.js")]
    [InlineData("/docs/scalar.aspnetcore.js")]
    [InlineData("/openapi/v1.json")]
    [InlineData("/.well-known/jwks.json")]
    [InlineData("/health/live")]
    [InlineData("/health/ready")]
    [InlineData("/health/startup")]
    public async Task What_needs_no_key_is_where_it_was(string path) =>
        Assert.Equal(200, (await new Call(path) { Root = "", Key = null }.Send(bench)).Status);

    [Theory]
    [InlineData("POST", "/health/live")]
    [InlineData("PUT", "/health/ready")]
    [InlineData("DELETE", "/health/startup")]
    public async Task The_health_is_only_read(string verb, string path)
    {
        var answer = await new Call(path) { Root = "", Key = null, Method = new HttpMethod(verb) }.Send(bench);
        Assert.Equal((405, "methode_refusee"), (answer.Status, answer.Code));
        Assert.Equal(["GET", "HEAD"], answer.Headers["Allow"].SelectMany(verbs => verbs.Split(", ")));
        Assert.Equal(200, (await new Call(path) { Root = "", Key = null, Method = HttpMethod.Head }.Send(bench)).Status);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_get_with_a_body_is_413(bool chunked)
    {
        var call = new Call { Token = await bench.Token("alice-martin"), Content = new StringContent("{}", Encoding.UTF8, "application/json") };
        if (!chunked)
        {
            (await call.Send(bench)).Is("corps_refuse");
            return;
        }

        var answer = await Call.SendLines(bench, "GET /v1/droits/beneficiaires/me HTTP/1.1", "X-API-Key: cle-chu", "Transfer-Encoding: chunked", "", "2", "{}", "0");
        answer.Is("corps_refuse");
    }

    [Fact]
    public async Task A_body_is_refused_before_the_key_is_looked_at() =>
        (await new Call { Key = null, Content = new StringContent("x") }.Send(bench)).Is("corps_refuse");

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    public async Task A_missing_key_is_401(string? key) => (await new Call { Key = key }.Send(bench)).Is("cle_api_absente");

    [Theory]
    [InlineData("cle-inconnue")]
    [InlineData("CLE-CHU")]
    [InlineData("cle-chu,cle-chu")]
    [InlineData("clé-chu")]
    public async Task An_unknown_key_is_401(string key)
    {
        var answer = await Call.SendLines(bench, "GET /v1/droits/beneficiaires/me HTTP/1.1", "X-API-Key: " + key);
        answer.Is("cle_api_invalide", key);
        Assert.False(answer.Headers.ContainsKey("RateLimit-Limit"));
    }

    [Theory]
    [InlineData("X-API-Key: clé", "cle_api_invalide")]
    [InlineData("User-Agent: Hôpital", "cle_api_absente")]
    [InlineData("X-Correlation-Id: é", "cle_api_absente")]
    [InlineData("X-API-Key: cle-chu|Authorization: Bearer é", "jeton_invalide")]
    [InlineData("X-API-Key: cle-chu|Authorization: Bearer x|nir: 2\u00a0840326362990", "nir_invalide")]
    public async Task A_header_in_any_encoding_gets_an_answer_of_the_contract(string headers, string code)
    {
        foreach (var encoding in new[] { Encoding.Latin1, Encoding.UTF8 })
            (await Call.SendLines(bench, encoding, ["GET /v1/droits/beneficiaires/caisse HTTP/1.1", .. headers.Split('|')])).Is(code);
    }

    [Fact]
    public async Task A_client_may_have_an_accent_in_its_name()
    {
        var token = await bench.Token("alice-martin");
        foreach (var encoding in new[] { Encoding.Latin1, Encoding.UTF8 })
        {
            (await Call.SendLines(
                bench, encoding, "GET /v1/droits/beneficiaires/me HTTP/1.1", "User-Agent: Hôpital", "X-API-Key: cle-chu", "Authorization: Bearer " + token)).Ok();
        }
    }

    [Fact]
    public async Task Two_keys_are_401() =>
        (await Call.SendLines(bench, "GET /v1/droits/beneficiaires/me HTTP/1.1", "X-API-Key: cle-chu", "X-API-Key: cle-chu")).Is("cle_api_invalide");

    [Fact]
    public async Task A_convention_that_is_not_eligible_is_403_and_nothing_is_looked_up()
    {
        var token = await bench.Token("alice-martin");
        var before = await bench.FranceConnectAsked();
        foreach (var key in TestPartners.Ineligible)
        {
            var answer = await new Call { Key = key, Token = token }.Send(bench);
            answer.Is("convention_non_eligible", token, "Martin");
            Assert.NotNull(answer.Header("RateLimit-Remaining"));
        }

        Assert.Equal(0, (await bench.FranceConnectAsked() - before).Checktoken);
    }

    [Fact]
    public async Task A_missing_bearer_is_401_without_an_error() => (await new Call().Send(bench)).Is("jeton_absent");

    [Theory]
    [InlineData("Bearer")]
    [InlineData("Bearer ")]
    [InlineData("Basic YTpi")]
    [InlineData("Bearer a b")]
    [InlineData("Bearer a,b")]
    [InlineData("Bearer =")]
    [InlineData("Bearer jeton-inconnu-de-tous")]
    public async Task A_malformed_or_unknown_bearer_is_401(string authorization) =>
        (await new Call { Authorization = authorization }.Send(bench)).Is("jeton_invalide");

    [Fact]
    public async Task A_bearer_above_4_KiB_is_401_and_one_of_4_KiB_is_looked_up()
    {
        var before = await bench.FranceConnectAsked();
        (await new Call { Token = new string('a', 4097) }.Send(bench)).Is("jeton_invalide");
        Assert.Equal(0, (await bench.FranceConnectAsked() - before).Checktoken);

        (await new Call { Token = new string('a', 4096) }.Send(bench)).Is("jeton_invalide");
        Assert.Equal(1, (await bench.FranceConnectAsked() - before).Checktoken);
    }

    [Fact]
    public async Task Two_authorization_headers_are_401_even_with_the_same_token()
    {
        var line = "Authorization: Bearer " + await bench.Token("alice-martin");
        (await Call.SendLines(bench, "GET /v1/droits/beneficiaires/me HTTP/1.1", "X-API-Key: cle-chu", line, line)).Is("jeton_invalide");
        (await Call.SendLines(bench, "GET /v1/droits/beneficiaires/me HTTP/1.1", "X-API-Key: cle-chu", line)).Ok();
    }

    [Fact]
    public async Task A_token_in_the_query_is_ignored()
    {
        var token = await bench.Token("alice-martin");
        (await new Call("/me?access_token=" + token).Send(bench)).Is("jeton_absent", token);
    }

    [Theory]
    [InlineData("/caisse", null, "nir_absent")]
    [InlineData("/contrats", " ", "nir_absent")]
    [InlineData("", null, "nir_absent")]
    [InlineData("/caisse", "123", "nir_invalide")]
    [InlineData("/caisse", "984031226362999", "nir_invalide")]
    [InlineData("/medecin-traitant", "2 84 13 26 362 991", "nir_invalide")]
    public async Task A_missing_or_bad_nir_is_400_that_names_it(string path, string? nir, string code)
    {
        var answer = await new Call(path) { Nir = nir, Token = "x" }.Send(bench);
        answer.Is(code);
        Assert.Equal("nir", answer.Parametre);
    }

    [Fact]
    public async Task A_nir_with_a_wrong_key_is_400_and_does_not_come_back()
    {
        var nir = bench.Nir("alice-martin");
        var wrong = nir + NirForms.WrongKeyOf(nir);
        (await new Call("/caisse") { Nir = wrong, Token = await bench.Token("alice-martin") }.Send(bench)).Is("nir_invalide", wrong, nir);
    }

    [Theory]
    [InlineData("dateDebut=2026-11-22", "dateDebut")]
    [InlineData("dateDebut=2027-11-24", "dateDebut")]
    [InlineData("dateDebut=23/11/2026", "dateDebut")]
    [InlineData("dateDebut=", "dateDebut")]
    [InlineData("dateDebut=2026-11-24&dateDebut=2026-11-24", "dateDebut")]
    [InlineData("dateDebut=2027-02-29", "dateDebut")]
    [InlineData("dateFin=2026-11-22", "dateFin")]
    [InlineData("dateDebut=2026-12-10&dateFin=2026-12-09", "dateFin")]
    [InlineData("dateFin=demain", "dateFin")]
    [InlineData("dateDebut=hier&dateFin=demain", "dateDebut")]
    public async Task A_bad_date_is_400_that_names_the_parameter(string query, string parametre)
    {
        var answer = await new Call("/me?" + query) { Token = "x" }.Send(bench);
        answer.Is("date_invalide");
        Assert.Equal(parametre, answer.Parametre);
    }

    [Theory]
    [InlineData("eidas0")]
    [InlineData("")]
    [InlineData("eidas3 inconnu")]
    public async Task A_level_that_is_unknown_or_missing_is_403(string acr) =>
        (await new Call { Token = await bench.Token("alice-martin", acr: acr) }.Send(bench)).Is("niveau_insuffisant");

    [Theory]
    [InlineData("")]
    [InlineData("openid profile")]
    public async Task A_token_without_cnam_scope_is_403_on_every_resource(string scope)
    {
        var token = await bench.Token("alice-martin", scope: scope);
        foreach (var path in Call.Resources)
            (await new Call(path) { Token = token, Nir = bench.Nir("alice-martin") }.Send(bench)).Is("scope_insuffisant", token);
    }

    [Fact]
    public async Task A_token_of_another_partner_is_403_also_once_it_is_remembered()
    {
        var token = await bench.Token("alice-martin", TestPartners.Masquees);
        (await new Call { Token = token }.Send(bench)).Is("jeton_autre_partenaire", token);
        (await new Call { Token = token, Key = TestPartners.Masquees.Key }.Send(bench)).Ok();
        (await new Call { Token = token }.Send(bench)).Is("jeton_autre_partenaire", token);
    }

    [Theory]
    [InlineData("ines-inconnue")]
    [InlineData("marcel-paysan")]
    [InlineData("helene-professeure")]
    [InlineData("roger-decede")]
    public async Task An_identity_that_is_not_attached_is_404_that_says_who_is_served(string persona)
    {
        var answer = await new Call { Token = await bench.Token(persona) }.Send(bench);
        answer.Is("identite_non_rattachee", "Labourier", "Caron", "Inconnue");
        Assert.All(new[] { "01", "CNMSS", "CAMIEG", "MNH", "CAVIMAC", "MSA", "MGEN", "carte Vitale" }, word => Assert.Contains(word, answer.Body, StringComparison.Ordinal));
    }

    [Fact]
    public async Task An_ambiguous_identity_is_409() =>
        (await new Call { Token = await bench.Token("jean-dupont") }.Send(bench)).Is("identite_ambigue", "Dupont");

    [Theory]
    [InlineData("")]
    [InlineData("/caisse")]
    [InlineData("/contrats")]
    [InlineData("/exonerations")]
    [InlineData("/medecin-traitant")]
    public async Task A_foreign_nir_and_an_unknown_one_get_the_same_answer(string path)
    {
        var token = await bench.Token("alice-martin");
        var foreign = await new Call(path) { Token = token, Nir = bench.Nir("andre-roux") }.Send(bench);
        var unknown = await new Call(path) { Token = token, Nir = UnknownNir }.Send(bench);

        foreign.Is("beneficiaire_inconnu", "Roux");
        unknown.Is("beneficiaire_inconnu");
        Assert.Equal(Same(unknown), Same(foreign));

        static string Same(Answer answer) =>
            answer.Body.Replace(answer.Header("X-Correlation-Id")!, "", StringComparison.Ordinal) + string.Join('|', answer.Headers.Keys.Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task A_person_without_doctor_is_404() =>
        (await new Call("/medecin-traitant") { Token = await bench.Token("hugo-sans-medecin"), Nir = bench.Nir("hugo-sans-medecin") }.Send(bench))
            .Is("medecin_traitant_absent", "Perrin");

    [Fact]
    public async Task Rights_reserved_to_etablissements_are_403_before_any_look_up()
    {
        var before = await bench.FranceConnectAsked();
        foreach (var partner in new[] { TestPartners.Masquees, TestPartners.Refusees })
            (await new Call("/medecin-traitant") { Key = partner.Key, Token = "x" }.Send(bench)).Is("donnee_reservee");
        (await new Call("/exonerations") { Key = TestPartners.Refusees.Key, Token = "x" }.Send(bench)).Is("donnee_reservee");
        (await new Call("/contrats") { Key = TestPartners.Limitee.Key, Token = "x" }.Send(bench)).Is("donnee_reservee");
        Assert.Equal(0, (await bench.FranceConnectAsked() - before).Checktoken);
    }

    [Fact]
    public async Task A_fault_of_ours_is_500_without_its_text()
    {
        bench.Clock.Broken = new InvalidOperationException("2840388321057 Martin");
        try
        {
            (await new Call { Token = "x" }.Send(bench)).Is("erreur_interne", "Martin", "InvalidOperation");
        }
        finally
        {
            bench.Clock.Broken = null;
        }
    }

    [Theory]
    [InlineData("text/html")]
    [InlineData("application/xml")]
    [InlineData("*/*;q=0")]
    [InlineData("not a media type")]
    public async Task The_format_does_not_depend_on_accept(string accept)
    {
        (await new Call("/nulle-part") { Accept = accept }.Send(bench)).Is("chemin_inconnu");
        (await new Call { Accept = accept, Method = HttpMethod.Post }.Send(bench)).Is("methode_refusee");
        (await new Call { Accept = accept }.Send(bench)).Is("jeton_absent");
        (await new Call { Accept = accept, Token = await bench.Token("alice-martin") }.Send(bench)).Ok();
    }

    [Fact]
    public async Task A_correlation_id_of_the_caller_is_taken_over_when_it_is_a_uuid()
    {
        const string Theirs = "5f0e1c1e-6a35-4b0e-9a53-0d2b9a7f3c11";
        var kept = await new Call { CorrelationId = Theirs }.Send(bench);
        var replaced = await new Call { CorrelationId = "alice-martin-2840388321057" }.Send(bench);

        Assert.Equal(Theirs, kept.Is("jeton_absent").Header("X-Correlation-Id"));
        replaced.Is("jeton_absent", "alice-martin");
    }
}
