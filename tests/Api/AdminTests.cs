using System.Net;
using System.Net.Http.Headers;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using Xunit;

namespace DroitsAmeli.Tests.Api;

/// <summary>The operator's actions over HTTP, and what a partner is answered after them.</summary>
public sealed class AdminTests(OperatorBench bench) : IClassFixture<OperatorBench>
{
    private const string Key = "cle-de-l-exploitant-d-essai";
    private const string Perimer = "/admin/familles/perimer";

    public static string KeySha256 => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(Key)));

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("une-autre-cle")]
    public async Task Without_the_key_nothing_is_done_and_nothing_is_told(string? key)
    {
        foreach (var (method, path) in new[] { ("POST", Perimer), ("POST", "/admin/quarantaine"), ("GET", "/admin/prechauffage"), ("GET", "/admin/rien"), ("DELETE", "/ADMIN/Prechauffage") })
        {
            Reopen();
            var (status, problem) = await Call(method, path, """{ "famille": "x" }""", key);
            Assert.Equal(401, status);
            Assert.Equal("Clé d'opérateur refusée", problem["title"]!.GetValue<string>());
        }

        Assert.Contains(bench.Logs.Lines, line => line.Contains("is refused", StringComparison.Ordinal));
    }

    [Fact]
    public async Task The_health_needs_no_key()
    {
        using var http = new HttpClient { BaseAddress = bench.AdminUrl };
        foreach (var path in new[] { "/health/live", "/health/ready", "/health/startup" })
        {
            Assert.Equal("Healthy", await http.GetStringAsync(path, Bench.Stop));
            using var posted = await http.PostAsync(path, null, Bench.Stop);
            Assert.Equal((HttpStatusCode.MethodNotAllowed, "GET, HEAD"), (posted.StatusCode, string.Join(", ", posted.Content.Headers.Allow)));
        }
    }

    [Fact]
    public async Task After_ten_wrong_keys_even_the_right_one_waits_for_a_minute()
    {
        Reopen();
        for (var i = 0; i < 10; i++)
            Assert.Equal(401, (await Call("GET", "/admin/prechauffage", null, $"essai-{i}")).Status);
        Assert.Equal(429, (await Call("GET", "/admin/prechauffage", null)).Status);
        Reopen();
        Assert.Equal(200, (await Call("GET", "/admin/prechauffage", null)).Status);
    }

    [Theory]
    [InlineData("/admin/familles/perimer", "", 400)]
    [InlineData("/admin/familles/perimer", "{", 400)]
    [InlineData("/admin/familles/perimer", "null", 400)]
    [InlineData("/admin/familles/perimer", "[]", 400)]
    [InlineData("/admin/familles/perimer", "{}", 400)]
    [InlineData("/admin/familles/perimer", """{ "famille": null }""", 400)]
    [InlineData("/admin/familles/perimer", """{ "famille": "" }""", 400)]
    [InlineData("/admin/familles/perimer", """{ "famille": ".." }""", 400)]
    [InlineData("/admin/familles/perimer", """{ "famille": "a\nb" }""", 400)]
    [InlineData("/admin/familles/perimer", """{ "famille": 7 }""", 400)]
    [InlineData("/admin/familles/perimer", """{ "famille": "a", "nir": "b" }""", 400)]
    [InlineData("/admin/familles/perimer", """{ "famille": "a", "famille": "b" }""", 400)]
    [InlineData("/admin/familles/etat", "{}", 400)]
    [InlineData("/admin/familles/oublier", "{}", 400)]
    [InlineData("/admin/perimer-tout", "{}", 400)]
    [InlineData("/admin/perimer-tout", """{ "etalement_minutes": -1 }""", 400)]
    [InlineData("/admin/perimer-tout", """{ "etalement_minutes": 1441 }""", 400)]
    [InlineData("/admin/perimer-tout", """{ "etalement_minutes": "NaN" }""", 400)]
    [InlineData("/admin/prechauffage", """{ "par_seconde": 0 }""", 400)]
    [InlineData("/admin/prechauffage", """{ "par_seconde": 33 }""", 400)]
    [InlineData("/admin/prechauffage", """{ "par_seconde": 1.5 }""", 400)]
    [InlineData("/admin/prechauffage", """{ "par_seconde": 5, "familles": ["a"] }""", 400)]
    [InlineData("/admin/prechauffage", """{ "par_seconde": 5 }""", 409)]
    [InlineData("/admin/quarantaine", """{ "de": "2026-11-23T08:00:00", "a": "2026-11-23T09:00:00+01:00" }""", 400)]
    [InlineData("/admin/quarantaine", """{ "de": "23/11/2026", "a": "2026-11-23T09:00:00+01:00" }""", 400)]
    [InlineData("/admin/quarantaine", """{ "de": "2026-11-23T09:00:00+01:00", "a": "2026-11-23T08:00:00+01:00" }""", 400)]
    [InlineData("/admin/quarantaine", """{ "de": "2026-11-23T09:00:00+01:00", "a": "2036-11-23T08:00:00+01:00" }""", 400)]
    [InlineData("/admin/quarantaine", """{ "de": "2026-11-01T09:00:00Z", "a": "2026-11-23T08:00:00Z" }""", 400)]
    [InlineData("/admin/rien", "{}", 404)]
    public async Task A_body_that_cannot_be_used_is_a_problem_that_says_why(string path, string body, int expected)
    {
        Reopen();
        var (status, problem) = await Call("POST", path, body);
        Assert.True(expected == status, $"{status} {problem}");
        Assert.Equal(expected, problem["status"]!.GetValue<int>());
        Assert.NotEmpty(problem["detail"]!.GetValue<string>());
    }

    [Fact]
    public async Task A_body_is_json_of_4_kib_at_most_and_a_method_is_the_right_one()
    {
        Reopen();
        Assert.Equal(413, (await Call("POST", Perimer, $$"""{ "famille": "{{new string('a', 5_000)}}" }""")).Status);
        Assert.Equal(415, (await Call("POST", Perimer, """{ "famille": "a" }""", type: "text/plain")).Status);
        Assert.Equal(405, (await Call("PUT", Perimer, """{ "famille": "a" }""")).Status);
    }

    [Fact]
    public async Task A_quarantine_is_honoured_by_the_next_answer_with_identity_family_and_rights_asked_again()
    {
        Reopen();
        var from = bench.Clock.Now;
        var token = await bench.Token("alice-martin", lifetime: 600);
        await Visit(token, "alice-martin");
        bench.Clock.Jump(TimeSpan.FromSeconds(2));
        var to = bench.Clock.Now;
        bench.Clock.Jump(TimeSpan.FromSeconds(2));
        var before = await bench.RegimeSiAsked();
        await Visit(token, "alice-martin");
        Assert.Equal(new Asked(), Only(await bench.RegimeSiAsked() - before));

        var (status, answer) = await Call("POST", "/admin/quarantaine", new JsonObject { ["de"] = $"{from:O}", ["a"] = $"{to:O}" }.ToJsonString());
        Assert.True(status == 200, $"{status} {answer}");
        Assert.Equal("memoire", answer["conserve"]!.GetValue<string>());
        Assert.Equal((1, 1), (answer["silos"]!["actifs"]!.GetValue<int>(), answer["silos"]!["obeis"]!.GetValue<int>()));
        Assert.InRange(answer["familles_actives"]!.GetValue<int>(), 1, 10);
        Assert.InRange(answer["identites"]!.GetValue<int>(), 1, 10);
        Assert.Equal((0, "absent"), (answer["stockees"]!.GetValue<int>(), answer["stockage"]!.GetValue<string>()));

        await Visit(token, "alice-martin");
        Assert.Equal(new Asked { Identifications = 1, Familles = 1, Droits = 1 }, Only(await bench.RegimeSiAsked() - before));
    }

    [Fact]
    public async Task One_family_is_looked_at_made_stale_and_forgotten_and_no_log_names_it()
    {
        Reopen();
        var token = await bench.Token("famille-77", lifetime: 600);
        var famille = bench.Famille("famille-77").Id;
        var body = new JsonObject { ["famille"] = famille }.ToJsonString();
        await Visit(token, "famille-77");
        bench.Clock.Jump(TimeSpan.FromSeconds(2));

        var (status, etat) = await Call("POST", "/admin/familles/etat", body);
        Assert.Equal(200, status);
        Assert.True(etat["active"]!.GetValue<bool>());
        Assert.Equal(["composition", "droits"], etat["parties"]!.AsArray().Select(part => part!["partie"]!.GetValue<string>()).Distinct());
        Assert.All(etat["parties"]!.AsArray(), part => Assert.InRange(part!["age_secondes"]!.GetValue<int>(), 2, 60));
        Assert.DoesNotContain(bench.Nir("famille-77"), etat.ToJsonString(), StringComparison.Ordinal);

        var before = await bench.RegimeSiAsked();
        Assert.Equal(1, (await Call("POST", Perimer, body)).Answer["familles_actives"]!.GetValue<int>());
        await Visit(token, "famille-77");
        Assert.Equal(new Asked { Familles = 1, Droits = 1 }, Only(await bench.RegimeSiAsked() - before));

        bench.Clock.Jump(TimeSpan.FromSeconds(2));
        Assert.Equal(1, (await Call("POST", "/admin/familles/oublier", body)).Answer["familles_actives"]!.GetValue<int>());
        var forgotten = (await Call("POST", "/admin/familles/etat", body)).Answer;
        Assert.Empty(forgotten["parties"]!.AsArray());
        bench.Clock.Jump(TimeSpan.FromSeconds(2));
        await Visit(token, "famille-77");
        Assert.Equal(new Asked { Familles = 2, Droits = 2 }, Only(await bench.RegimeSiAsked() - before));

        var actions = bench.Logs.Lines.Where(line => line.Contains("ActionLog", StringComparison.Ordinal)).ToList();
        var name = "Operator " + KeySha256[..8];
        Assert.Contains(actions, line => line.Contains(name + " ordered perimer (ref:", StringComparison.Ordinal));
        Assert.Contains(actions, line => line.Contains(name + " ordered oublier (ref:", StringComparison.Ordinal));
        Assert.Contains(actions, line => line.Contains(name + " looked at ref:", StringComparison.Ordinal));
        foreach (var secret in new[] { famille, Key, KeySha256[..16], token, bench.Nir("famille-77"), DroitsAmeli.Grains.Familles.FamilleKey.Of(famille) })
            Assert.DoesNotContain(actions, line => line.Contains(secret, StringComparison.OrdinalIgnoreCase));
    }

    [Fact]
    public async Task The_families_of_a_silo_are_counted_among_its_grains()
    {
        Reopen();
        await Visit(await bench.Token("famille-79"), "famille-79");
        var silo = Assert.Single((await Call("GET", "/admin/silos", null)).Answer["silos"]!.AsArray())!;
        Assert.InRange(silo["familles"]!.GetValue<int>(), 1, silo["activations"]!.GetValue<int>() - 1);
    }

    [Fact]
    public async Task Everything_is_made_stale_in_one_call()
    {
        Reopen();
        var token = await bench.Token("famille-78", lifetime: 600);
        await Visit(token, "famille-78");
        bench.Clock.Jump(TimeSpan.FromSeconds(2));
        var before = await bench.RegimeSiAsked();
        Assert.Equal(200, (await Call("POST", "/admin/perimer-tout", """{ "etalement_minutes": 0 }""")).Status);
        await Visit(token, "famille-78");
        Assert.Equal(new Asked { Familles = 1, Droits = 1 }, Only(await bench.RegimeSiAsked() - before));
    }

    [Fact]
    public async Task What_was_ordered_for_many_is_logged_with_how_much_it_concerned()
    {
        Reopen();
        var (one, other) = (await bench.Token("famille-80", lifetime: 600), await bench.Token("famille-81", lifetime: 600));
        await Visit(other, "famille-81");
        bench.Clock.Jump(TimeSpan.FromSeconds(2));
        await Call("POST", Perimer, new JsonObject { ["famille"] = bench.Famille("famille-81").Id }.ToJsonString());
        bench.Clock.Jump(TimeSpan.FromSeconds(2));

        // The identity of the one that is only asked again is of before.
        var from = bench.Clock.Now;
        await Visit(one, "famille-80");
        await Visit(other, "famille-81");
        bench.Clock.Jump(TimeSpan.FromSeconds(2));
        var to = bench.Clock.Now;
        bench.Clock.Jump(TimeSpan.FromSeconds(2));
        var quarantine = (await Call("POST", "/admin/quarantaine", new JsonObject { ["de"] = $"{from:O}", ["a"] = $"{to:O}" }.ToJsonString())).Answer;
        await Visit(one, "famille-80");
        bench.Clock.Jump(TimeSpan.FromSeconds(2));
        var everything = (await Call("POST", "/admin/perimer-tout", """{ "etalement_minutes": 0 }""")).Answer;
        var active = everything["familles_actives"]!.GetValue<int>();
        Assert.InRange(active, 1, 100);

        Logged($" ordered quarantaine ({from.UtcDateTime:O} to {to.UtcDateTime:O}), order {quarantine["ordre"]}, InMemory: 1 of 1 silos obeyed, 2 active families, 0 stored ones, 1 identities, 0 stored ones; store: None.");
        Logged($" ordered perimer-tout (over 0 min), order {everything["ordre"]}, InMemory: 1 of 1 silos obeyed, {active} active families, 0 stored ones, 0 identities, 0 stored ones; store: None.");
    }

    [Fact]
    public async Task Who_looks_at_the_warm_up_or_stops_it_is_logged()
    {
        Reopen();
        Assert.Equal("aucun", (await Call("GET", "/admin/prechauffage", null)).Answer["etat"]!.GetValue<string>());
        Assert.Equal("aucun", (await Call("DELETE", "/admin/prechauffage", null)).Answer["etat"]!.GetValue<string>());
        Logged(", warm-up, look: None, 0 families/s, 0 seen.");
        Logged(", warm-up, stop: None, 0 families/s, 0 seen.");
    }

    private void Logged(string action) => Assert.Contains(
        bench.Logs.Lines,
        line => line.StartsWith($"Warning DroitsAmeli.Silo.Admin.ActionLog Operator {KeySha256[..8]}{action}", StringComparison.Ordinal));

    // Wrong keys of other tests count for their minute.
    private void Reopen() => bench.Clock.Jump(TimeSpan.FromSeconds(61));

    private async Task Visit(string token, string persona)
    {
        (await new Call { Token = token }.Send(bench)).Ok();
        (await new Call("/contrats") { Token = token, Nir = bench.Nir(persona) }.Send(bench)).Ok();
    }

    private static Asked Only(Asked asked) => asked with { Checktoken = 0 };

    private async Task<(int Status, JsonNode Answer)> Call(string method, string path, string? body, string? key = Key, string type = "application/json")
    {
        using var http = new HttpClient(new SocketsHttpHandler { UseProxy = false });
        using var request = new HttpRequestMessage(new(method), new Uri(bench.AdminUrl, path));
        if (body is not null)
        {
            request.Content = new StringContent(body);
            request.Content.Headers.ContentType = new MediaTypeHeaderValue(type);
        }

        if (key is not null)
            request.Headers.TryAddWithoutValidation("X-Admin-Key", key);
        using var response = await http.SendAsync(request, Bench.Stop);
        Assert.Equal("no-store", response.Headers.CacheControl?.ToString());
        return ((int)response.StatusCode, JsonNode.Parse(await response.Content.ReadAsStringAsync(Bench.Stop))!);
    }
}

/// <summary>A silo that was given no operator.</summary>
[Collection(DefaultCollection.Name)]
public sealed class NoOperatorTests(DefaultBench bench)
{
    [Fact]
    public async Task Nobody_may_do_anything_and_the_health_is_open()
    {
        using var http = new HttpClient(new SocketsHttpHandler { UseProxy = false }) { BaseAddress = bench.AdminUrl };
        http.DefaultRequestHeaders.Add("X-Admin-Key", "n-importe-laquelle");
        using var refused = await http.GetAsync(new Uri("/admin/prechauffage", UriKind.Relative), Bench.Stop);
        Assert.Equal(403, (int)refused.StatusCode);
        Assert.Contains("Admin:KeysSha256", await refused.Content.ReadAsStringAsync(Bench.Stop), StringComparison.Ordinal);
        Assert.Equal("Healthy", await http.GetStringAsync("/health/ready", Bench.Stop));
    }
}
