using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Xunit;

namespace DroitsAmeli.Tests.Api;

/// <summary>The same product under other settings: RS256 and RSA-OAEP-256, a prefix, eidas2, adults listed, other régimes.</summary>
public sealed class VariantTests(VariantBench bench) : IClassFixture<VariantBench>
{
    private readonly Call call = new() { Root = "/test" + Call.Base };

    [Fact]
    public async Task The_resources_are_below_the_prefix_and_nowhere_else()
    {
        var token = await bench.Token("alice-martin", acr: "eidas2");
        (await (call with { Token = token }).Send(bench)).Ok();
        (await (call with { Token = token, Path = "", Nir = bench.Nir("alice-martin") }).Send(bench)).Ok();
        (await (call with { Token = token, Path = "/", Nir = bench.Nir("alice-martin") }).Send(bench)).Ok();
        (await new Call { Token = token }.Send(bench)).Is("chemin_inconnu");
    }

    [Theory]
    [InlineData("eidas1", false)]
    [InlineData("eidas2", true)]
    [InlineData("eidas3", true)]
    [InlineData("eidas3 eidas1", false)]
    public async Task The_lowest_level_must_reach_the_minimum(string acr, bool enough)
    {
        var answer = await (call with { Token = await bench.Token("alice-martin", acr: acr) }).Send(bench);
        if (enough)
            answer.Ok();
        else
            answer.Is("niveau_insuffisant");
    }

    [Fact]
    public async Task Adults_are_listed_when_the_setting_says_so()
    {
        var answer = await (call with { Path = "/me/beneficiaires", Token = await bench.Token("yves-camieg", acr: "eidas2") }).Send(bench);
        Assert.Contains("Nadia", answer.Ok().AsArray().Select(member => member!["prenom"]!.GetValue<string>()));
    }

    [Fact]
    public async Task The_regimes_served_are_named_from_the_configuration()
    {
        var answer = await (call with { Token = await bench.Token("marcel-paysan", acr: "eidas2") }).Send(bench);
        answer.Is("identite_non_rattachee");
        Assert.Contains("régime d'essai (77)", answer.Body, StringComparison.Ordinal);
        Assert.DoesNotContain("CNMSS", answer.Body, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_published_key_is_public_and_of_the_registered_algorithm()
    {
        var set = await bench.Api.GetFromJsonAsync<JsonNode>("/.well-known/jwks.json", Bench.Stop);
        var key = Assert.Single(set!["keys"]!.AsArray())!.AsObject();
        Assert.Equal(("RSA-OAEP-256", "enc"), (key["alg"]!.GetValue<string>(), key["use"]!.GetValue<string>()));
        Assert.DoesNotContain(key, member => member.Key is "d" or "p" or "q" or "dp" or "dq" or "qi");
    }
}
