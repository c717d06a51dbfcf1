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

/// <summary>As it is by default, with what a process without settings logs.</summary>
public sealed class LogBench() : Bench(new Dictionary<string, string?> { ["Logging:LogLevel:Default"] = "Information" });
