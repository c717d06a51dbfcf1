using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using DroitsAmeli.Grains.Familles;
using DroitsAmeli.Grains.FranceConnect;
using Xunit;

namespace DroitsAmeli.Tests.Api;

/// <summary>The bench logs at Information, as a process without settings does.</summary>
public sealed class LogTests(LogBench bench) : IClassFixture<LogBench>
{
    [Fact]
    public async Task Nothing_of_a_person_a_token_or_a_key_is_logged_whatever_the_partner_writes_where()
    {
        var token = await bench.Token("alice-martin");
        var nir = bench.Nir("alice-martin");
        foreach (var path in Call.Resources)
            await new Call(path) { Token = token, Nir = nir }.Send(bench);
        await new Call($"/me?access_token={token}&nir={nir}&nom=Lefevre") { Token = token }.Send(bench);
        await new Call($"/{nir}") { Token = token }.Send(bench);
        await new Call("/caisse") { Token = token, Nir = nir + "99" }.Send(bench);
        await new Call { Token = await bench.Token("ines-inconnue") }.Send(bench);
        await Call.SendLines(bench, "GET /v1/droits/beneficiaires/me HTTP/1.1", $"X-API-Key: {TestPartners.Chu.Key}", $"Authorization: Bearer {token}\u0001{nir}");

        var lines = bench.Logs.Lines;
        Assert.Contains(lines, line => line.StartsWith("Information ", StringComparison.Ordinal));
        foreach (var secret in new[] { token, nir, "Martin", "Lefevre", "Lefèvre", TestPartners.Chu.Key, "secret-des-tests", bench.Famille("alice-martin").Id })
            Assert.DoesNotContain(lines, line => line.Contains(secret, StringComparison.OrdinalIgnoreCase));
    }
}

/// <summary>The runtime logs all that it can tell of the grains that it calls.</summary>
public sealed partial class GrainKeysLogTests(DetailedLogBench bench) : IClassFixture<DetailedLogBench>
{
    [Fact]
    public async Task Grain_keys_are_logged_as_the_references_of_the_action_log()
    {
        var token = await bench.Token("famille-81");
        (await new Call { Token = token }.Send(bench)).Ok();
        var famille = bench.Famille("famille-81").Id;
        using var http = new HttpClient(new SocketsHttpHandler { UseProxy = false });
        using var look = new HttpRequestMessage(HttpMethod.Post, new Uri(bench.AdminUrl, "/admin/familles/etat"));
        look.Headers.Add("X-Admin-Key", DetailedLogBench.Key);
        look.Content = new StringContent(new JsonObject { ["famille"] = famille }.ToJsonString(), null, "application/json");
        (await http.SendAsync(look, Bench.Stop)).EnsureSuccessStatusCode();

        var lines = bench.Logs.Lines;
        var reference = lines.Select(line => Looked().Match(line)).Single(match => match.Success).Groups[1].Value;
        Assert.Contains(lines, line => line.Contains(" Orleans.", StringComparison.Ordinal) && line.Contains("famille/" + reference, StringComparison.Ordinal));
        Assert.Contains(lines, line => line.Contains("jeton/ref:", StringComparison.Ordinal));
        Assert.Contains(lines, line => line.Contains("identite/ref:", StringComparison.Ordinal));
        Assert.Contains(lines, line => line.Contains("convention/", StringComparison.Ordinal));
        Assert.Contains(lines, line => line.Contains("si-slots/", StringComparison.Ordinal));
        foreach (var key in new[] { FamilleKey.Of(famille), JetonKey.Of(token), famille })
            Assert.DoesNotContain(lines, line => line.Contains(key, StringComparison.Ordinal));
        Assert.DoesNotContain(lines, line => PersonalKey().IsMatch(line));
    }

    [GeneratedRegex("looked at (ref:[0-9a-f]{8})")]
    private static partial Regex Looked();

    [GeneratedRegex(@"(famille|identite|jeton)/(?!ref:)|(?<![\w-])[ij]-[\w-]{43}")]
    private static partial Regex PersonalKey();
}

/// <summary>With all that the runtime can log, and an operator.</summary>
public sealed class DetailedLogBench() : Bench(new Dictionary<string, string?>
{
    ["Logging:LogLevel:Default"] = "Information",
    ["Logging:LogLevel:Orleans"] = "Trace",
    ["Logging:LogLevel:Microsoft.Orleans"] = "Trace",
    ["Admin:KeysSha256"] = Convert.ToHexString(SHA256.HashData(Encoding.UTF8.GetBytes(Key))),
})
{
    public const string Key = "cle-operateur-des-journaux";
}

/// <summary>As it is by default, with what a process without settings logs.</summary>
public sealed class LogBench() : Bench(new Dictionary<string, string?> { ["Logging:LogLevel:Default"] = "Information" });
