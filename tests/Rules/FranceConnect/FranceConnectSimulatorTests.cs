using System.Net;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using DroitsAmeli.Grains.FranceConnect;
using DroitsAmeli.Simulators;
using DroitsAmeli.Simulators.FranceConnect;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Time.Testing;
using Xunit;
using static DroitsAmeli.Tests.Rules.FranceConnect.FakeFranceConnect;

namespace DroitsAmeli.Tests.Rules.FranceConnect;

public sealed class FranceConnectSimulatorTests : IAsyncDisposable
{
    // Real HTTP under a clock that stands still: a busy machine must not run into the product's time-outs.
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private readonly FakeTimeProvider time = new(new DateTimeOffset(2026, 3, 2, 8, 0, 0, TimeSpan.Zero));
    private readonly string file = Path.GetTempFileName();
    private readonly List<IAsyncDisposable> running = [];
    private HttpClient sandbox = new();

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public async ValueTask DisposeAsync()
    {
        foreach (var app in Enumerable.Reverse(running))
            await app.DisposeAsync();
        sandbox.Dispose();
        File.Delete(file);
    }

    private FranceConnectSimulatorOptions Options(Func<Uri> jwksUri, string encryptedAlg = "ECDH-ES", string signedAlg = "ES256", string? environment = null) => new()
    {
        ClientId = ClientId, ClientSecret = "un secret & des signes=+é", JwksUri = jwksUri, EncryptedResponseAlg = encryptedAlg, SignedResponseAlg = signedAlg,
        DefaultServiceProvider = "hopital-un", EnvironmentName = environment, Time = time, PersonaIds = () => ["camille"],
        FindPersona = id => id == "camille"
            ? new IdentiteFranceConnect
            {
                Gender = "female", FamilyName = "ŒUVRÉ-D’ARC", GivenName = "Camille Zoé", GivenNameArray = ["Camille", "Zoé"], Birthdate = "1980-00-00", Birthplace = "2A004", Birthcountry = "99100",
            }
            : null,
    };

    private async Task<FranceConnectClient> Start(string encryptedAlg = "ECDH-ES", string signedAlg = "ES256")
    {
        var key = encryptedAlg == "ECDH-ES" ? Jwk(OurEc, true) : Jwk(OurRsa, true);
        await File.WriteAllTextAsync(file, Set(Enc(key, encryptedAlg, "ours")).ToJsonString(), Ct);
        var ours = PublicJwksTests.Serve(file, time, encryptedAlg);
        await ours.StartAsync(Ct);
        running.Add(ours);
        var options = Options(() => new Uri(ours.Urls.Single() + "/.well-known/jwks.json"), encryptedAlg, signedAlg);
        var simulator = FranceConnectSimulator.Create(options);
        await simulator.StartAsync(Ct);
        running.Add(simulator);
        sandbox = new HttpClient { BaseAddress = new Uri(simulator.Urls.Single()) };
        var services = new ServiceCollection().AddLogging().AddSingleton<TimeProvider>(time);
        services.AddFranceConnect(new ConfigurationBuilder().AddInMemoryCollection(new Dictionary<string, string?>
        {
            ["FranceConnect:Issuer"] = FranceConnectSimulator.IssuerOf(simulator), ["FranceConnect:ClientId"] = options.ClientId,
            ["FranceConnect:ClientSecret"] = options.ClientSecret, ["FranceConnect:PrivateJwksFile"] = file,
            ["FranceConnect:EncryptedResponseAlg"] = encryptedAlg, ["FranceConnect:SignedResponseAlg"] = signedAlg,
        }).Build());
        var provider = services.BuildServiceProvider();
        running.Add(provider);
        return provider.GetRequiredService<FranceConnectClient>();
    }

    private static Task<ChecktokenAnswer> Checktoken(FranceConnectClient client, string token) => client.Checktoken(token, Ct).WaitAsync(Patience, Ct);

    /// <summary>Lets the pause after a 5xx pass, at half the speed of the real clock: a busy machine has twice the product's time-out.</summary>
    private async Task<ChecktokenAnswer> ChecktokenAgain(FranceConnectClient client, string token)
    {
        var asked = Checktoken(client, token);
        while (!asked.IsCompleted)
        {
            await Task.WhenAny(asked, Task.Delay(TimeSpan.FromMilliseconds(10), TimeProvider.System, Ct));
            time.Advance(TimeSpan.FromMilliseconds(5));
        }

        return await asked;
    }

    private async Task<string> Mint(string json = """{"persona":"camille"}""")
    {
        using var response = await sandbox.PostAsync("/sandbox/jetons", new StringContent(json), Ct);
        response.EnsureSuccessStatusCode();
        return (string)JsonNode.Parse(await response.Content.ReadAsStringAsync(Ct))!["access_token"]!;
    }

    private async Task Adjust(string reglages)
    {
        using var response = await sandbox.PutAsync("/sandbox/reglages", new StringContent(reglages), Ct);
        response.EnsureSuccessStatusCode();
    }

    [Theory]
    [InlineData("ECDH-ES", "ES256")]
    [InlineData("ECDH-ES", "RS256")]
    [InlineData("RSA-OAEP-256", "ES256")]
    [InlineData("RSA-OAEP-256", "RS256")]
    [InlineData("RSA-OAEP", "ES256")]
    [InlineData("RSA-OAEP", "RS256")]
    public async Task Answers_our_client_over_http(string encryptedAlg, string signedAlg)
    {
        var client = await Start(encryptedAlg, signedAlg);

        var answer = await Checktoken(client, await Mint());

        Assert.Equal(JetonOutcome.Active, answer.Outcome);
        Assert.Equal(("eidas1", "droits_assurance_maladie", "hopital-un"), (answer.Introspection!.Acr, answer.Introspection.Scope, answer.Introspection.ServiceProvider));
        Assert.Matches("^[0-9a-f]{64}v1$", answer.Introspection.Subject);
        Assert.Equal(("ŒUVRÉ-D’ARC", "1980-00-00", "2A004"), (answer.Identite!.FamilyName, answer.Identite.Birthdate, answer.Identite.Birthplace));
        Assert.Equal(["Camille", "Zoé"], answer.Identite.GivenNameArray);
        Assert.Equal("""{"checktoken":1}""", await sandbox.GetStringAsync("/sandbox/compteurs", Ct));
    }

    [Fact]
    public async Task Filters_scopes_and_gives_what_was_asked_for()
    {
        var client = await Start();

        var answer = await Checktoken(client, await Mint("""{"persona":"camille","client_id":"mutuelle","scope":"openid cnam_caisse given_name cnam_contrats","acr":"eidas3 eidas2","expires_in":120}"""));

        Assert.Equal(("cnam_caisse cnam_contrats", "mutuelle", "eidas3 eidas2"), (answer.Introspection!.Scope, answer.Introspection.ServiceProvider, answer.Introspection.Acr));
    }

    [Fact]
    public async Task Revoked_and_unknown_tokens_are_inactive()
    {
        var client = await Start();
        var token = await Mint();
        Assert.Equal(JetonOutcome.Active, (await Checktoken(client, token)).Outcome);
        using var revoked = await sandbox.PostAsJsonAsync("/sandbox/revocations", new { access_token = token }, Ct);

        Assert.Equal(HttpStatusCode.OK, revoked.StatusCode);
        Assert.Equal(JetonOutcome.Inactive, (await Checktoken(client, token)).Outcome);
        Assert.Equal(JetonOutcome.Inactive, (await Checktoken(client, "inconnu")).Outcome);
    }

    [Theory]
    [InlineData("true")]
    [InlineData("false")]
    public async Task Its_keys_rotate_under_a_running_client(string keep)
    {
        var client = await Start();
        Assert.Equal(JetonOutcome.Active, (await Checktoken(client, await Mint())).Outcome);

        using var rotated = await sandbox.PostAsync($"/sandbox/cles/rotation?garder={keep}", null, Ct);

        Assert.Equal(HttpStatusCode.NoContent, rotated.StatusCode);
        Assert.Equal(keep == "true" ? 4 : 2, JsonNode.Parse(await sandbox.GetStringAsync("/api/v2/jwks", Ct))!["keys"]!.AsArray().Count);
        Assert.Equal(JetonOutcome.Active, (await Checktoken(client, await Mint())).Outcome);
    }

    [Theory]
    [InlineData("identifiants_refuses")]
    [InlineData("coupure")]
    [InlineData("charabia")]
    [InlineData("trop_grand")]
    [InlineData("redirection")]
    [InlineData("mauvais_type")]
    [InlineData("mauvais_iss")]
    [InlineData("mauvais_aud")]
    [InlineData("vieux_iat")]
    [InlineData("mauvais_jti")]
    [InlineData("alg_none")]
    [InlineData("alg_hs256")]
    [InlineData("mauvais_enc")]
    [InlineData("jws_seul")]
    [InlineData("json_nu")]
    public async Task Its_faults_make_it_unusable_until_they_end(string faute)
    {
        var client = await Start();
        await Adjust($$"""{"faute":"{{faute}}","nombre":1}""");

        Assert.Equal(JetonOutcome.FranceConnectUnusable, (await Checktoken(client, await Mint())).Outcome);
        Assert.Equal(JetonOutcome.Active, (await Checktoken(client, await Mint())).Outcome);
        Assert.Equal("""{"checktoken":2}""", await sandbox.GetStringAsync("/sandbox/compteurs", Ct));
    }

    [Theory]
    [InlineData("erreur_500")]
    [InlineData("erreur_503")]
    public async Task Its_server_errors_make_it_unusable_when_two_follow_each_other(string faute)
    {
        var client = await Start();
        await Adjust($$"""{"faute":"{{faute}}","nombre":3}""");

        Assert.Equal(JetonOutcome.FranceConnectUnusable, (await ChecktokenAgain(client, await Mint())).Outcome);
        Assert.Equal(JetonOutcome.Active, (await ChecktokenAgain(client, await Mint())).Outcome);
        Assert.Equal("""{"checktoken":4}""", await sandbox.GetStringAsync("/sandbox/compteurs", Ct));
    }

    [Fact]
    public async Task Signing_keys_out_of_reach_make_it_unusable()
    {
        var client = await Start();
        await Adjust("""{"jwks_en_panne":true}""");

        Assert.Equal(JetonOutcome.FranceConnectUnusable, (await Checktoken(client, await Mint())).Outcome);
    }

    [Theory]
    [InlineData("client_id=droits-ameli&client_secret=faux&token=t", 401, "invalid_client")]
    [InlineData("client_id=autre&client_secret=un%20secret%20%26%20des%20signes%3D%2B%C3%A9&token=t", 401, "invalid_client")]
    [InlineData("client_id=droits-ameli&client_secret=s&token=t&token_type_hint=access_token", 400, "invalid_request")]
    [InlineData("client_id=droits-ameli&client_secret=s", 400, "invalid_request")]
    [InlineData("client_id=droits-ameli&client_secret=s&token=a&token=b", 400, "invalid_request")]
    [InlineData("", 400, "invalid_request")]
    public async Task Refuses_as_FranceConnect_does(string form, int status, string error)
    {
        await Start();

        using var response = await sandbox.PostAsync("/api/v2/checktoken", new StringContent(form, null, "application/x-www-form-urlencoded"), Ct);

        Assert.Equal(status, (int)response.StatusCode);
        Assert.Equal(error, (string?)JsonNode.Parse(await response.Content.ReadAsStringAsync(Ct))!["error"]);
    }

    [Fact]
    public async Task Fails_when_our_keys_cannot_be_read()
    {
        var client = await Start();
        await running[0].DisposeAsync();

        Assert.Equal(JetonOutcome.FranceConnectUnusable, (await ChecktokenAgain(client, await Mint())).Outcome);
        using var form = new FormUrlEncodedContent([new("client_id", ClientId), new("client_secret", "un secret & des signes=+é"), new("token", "t")]);
        using var response = await sandbox.PostAsync("/api/v2/checktoken", form, Ct);
        Assert.Equal(HttpStatusCode.InternalServerError, response.StatusCode);
    }

    [Theory]
    [InlineData("", "JSON")]
    [InlineData("[]", "JSON")]
    [InlineData("{}", "persona")]
    [InlineData("""{"persona":1}""", "persona")]
    [InlineData("""{"persona":"inconnue"}""", "camille")]
    [InlineData("""{"persona":"camille","expires_in":0}""", "expires_in")]
    [InlineData("""{"persona":"camille","expires_in":"60"}""", "expires_in")]
    [InlineData("""{"persona":"camille","expires_in":4000}""", "expires_in")]
    [InlineData("""{"persona":"camille","client_id":""}""", "client_id")]
    [InlineData("""{"persona":"camille","scope":["cnam_caisse"]}""", "scope")]
    [InlineData("""{"persona":"camille","acr":2}""", "acr")]
    [InlineData("""{"persona":"camille","clientid":"x"}""", "clientid")]
    public async Task Says_what_is_wrong_with_a_minting(string json, string named)
    {
        await Start();

        using var response = await sandbox.PostAsync("/sandbox/jetons", new StringContent(json), Ct);

        Assert.Equal(HttpStatusCode.BadRequest, response.StatusCode);
        Assert.Contains(named, (string?)JsonNode.Parse(await response.Content.ReadAsStringAsync(Ct))!["erreur"], StringComparison.Ordinal);
    }

    [Fact]
    public async Task Mints_one_token_for_each_of_many_personas()
    {
        var client = await Start();

        using var response = await sandbox.PostAsync(
            "/sandbox/jetons/lot", new StringContent("""{"personas":["camille","camille"],"client_id":"hopital-deux","expires_in":30}"""), Ct);

        var tokens = JsonNode.Parse(await response.Content.ReadAsStringAsync(Ct))!["access_tokens"]!.AsArray().Select(token => (string)token!).ToList();
        Assert.Equal(2, tokens.Distinct().Count());
        foreach (var token in tokens)
            Assert.Equal("hopital-deux", (await Checktoken(client, token)).Introspection!.ServiceProvider);
    }

    [Theory]
    [InlineData("""{"personas":[]}""", "personas")]
    [InlineData("""{"personas":"camille"}""", "personas")]
    [InlineData("""{"personas":["camille",3]}""", "personas")]
    [InlineData("""{"personas":["camille","inconnue"]}""", "inconnue")]
    [InlineData("""{"personas":["camille"],"expires_in":0}""", "expires_in")]
    [InlineData("""{"personas":["camille"],"persona":"camille"}""", "persona")]
    public async Task Says_what_is_wrong_with_a_minting_of_many(string json, string named)
    {
        await Start();

        using var response = await sandbox.PostAsync("/sandbox/jetons/lot", new StringContent(json), Ct);

        Assert.Equal(HttpStatusCode.BadRequest, response.StatusCode);
        Assert.Contains(named, (string?)JsonNode.Parse(await response.Content.ReadAsStringAsync(Ct))!["erreur"], StringComparison.Ordinal);
    }

    [Fact]
    public async Task Gives_the_bare_token_as_text()
    {
        await Start();
        using var request = new HttpRequestMessage(HttpMethod.Post, "/sandbox/jetons") { Content = new StringContent("""{"persona":"camille"}""") };
        request.Headers.Accept.ParseAdd("text/plain");

        using var response = await sandbox.SendAsync(request, Ct);

        Assert.Equal("text/plain", response.Content.Headers.ContentType!.MediaType);
        Assert.Matches("^[A-Za-z0-9_-]{43,}$", await response.Content.ReadAsStringAsync(Ct));
    }

    [Theory]
    [InlineData("Production")]
    [InlineData("production")]
    public void Refuses_an_explicit_Production_environment(string environment) =>
        Assert.Throws<SimulatorException>(() => FranceConnectSimulator.Create(Options(() => new Uri("http://127.0.0.1/"), environment: environment)));

    [Fact]
    public async Task A_hanging_call_does_not_hold_its_stop()
    {
        await Start();
        await Adjust("""{"faute":"sans_reponse"}""");
        var hanging = sandbox.PostAsync("/api/v2/checktoken", new StringContent(""), Ct);
        while (await sandbox.GetStringAsync("/sandbox/compteurs", Ct) == """{"checktoken":0}""")
            await Task.Yield();

        await ((WebApplication)running[1]).StopAsync(Ct);

        await Assert.ThrowsAsync<HttpRequestException>(() => hanging);
    }

    [Fact]
    public async Task Listens_on_loopback_only()
    {
        await Start();

        Assert.StartsWith("http://127.0.0.1:", ((WebApplication)running[1]).Urls.Single(), StringComparison.Ordinal);
    }
}
