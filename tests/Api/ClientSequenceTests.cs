using Xunit;

namespace DroitsAmeli.Tests.Api;

/// <summary>
/// The CNAM's sample client, to the letter: seven calls on one token, <c>X-Api-Key</c>, no <c>Accept</c>, <c>nir</c> on the last five, and the
/// base URL with an empty string after it. Each test has a family of its own, cold.
/// </summary>
public sealed class ClientSequenceTests(ColdBench bench) : IClassFixture<ColdBench>
{
    [Fact]
    public async Task An_etablissement_gets_seven_answers()
    {
        var answers = await Run("jocelyne-payet", TestPartners.Chu);
        Assert.All(answers, answer => answer.Ok());
        Assert.Equal("LIS", answers[5].Json[0]!["motif"]!["code"]!.GetValue<string>());
    }

    [Fact]
    public async Task An_organisme_gets_masked_exonerations_and_no_doctor()
    {
        var answers = await Run("mohamed-haddad", TestPartners.Masquees);
        Assert.All(answers[..6], answer => answer.Ok());
        Assert.Equal(["date_fin"], answers[5].Json[0]!.AsObject().Select(member => member.Key));
        answers[6].Is("donnee_reservee");
    }

    [Fact]
    public async Task A_stricter_organisme_gets_neither()
    {
        var answers = await Run("therese-cavimac", TestPartners.Refusees);
        Assert.All(answers[..5], answer => answer.Ok());
        answers[5].Is("donnee_reservee");
        answers[6].Is("donnee_reservee");
    }

    [Fact]
    public async Task Two_hundred_concurrent_calls_on_one_fresh_token_make_one_checktoken_and_three_si_calls()
    {
        var call = new Call { Token = await bench.Token("famille-4242") };
        var franceConnect = await bench.FranceConnectAsked();
        var regimeSi = await bench.RegimeSiAsked();

        var answers = await Task.WhenAll(Enumerable.Range(0, 200).Select(_ => call.Send(bench)));

        Assert.All(answers, answer => answer.Ok());
        Assert.Single(answers.Select(answer => answer.Body).Distinct(StringComparer.Ordinal));
        Assert.Equal(1, (await bench.FranceConnectAsked() - franceConnect).Checktoken);
        Assert.Equal((1, 1, 1), Si(await bench.RegimeSiAsked() - regimeSi));
    }

    [Theory]
    [InlineData("famille-4301", "{}")]
    [InlineData("famille-4302", """{ "presences": false }""")]
    public async Task A_cold_visit_costs_three_si_calls_whatever_the_composition_carries(string persona, string si)
    {
        await bench.SetRegimeSi(si);
        try
        {
            var before = await bench.RegimeSiAsked();
            var call = new Call { Token = await bench.Token(persona), Nir = bench.Nir(persona) };
            foreach (var path in new[] { "/me", "/me/beneficiaires", "/caisse", "/contrats", "/exonerations", "/medecin-traitant", "/" })
            {
                var answer = await (call with { Path = path }).Send(bench);
                Assert.True(answer.Status == 200 || (path == "/medecin-traitant" && answer.Code == "medecin_traitant_absent"), $"{path}: {answer.Status}");
            }
            Assert.Equal((1, 1, 1), Si(await bench.RegimeSiAsked() - before));
        }
        finally
        {
            await bench.SetRegimeSi();
        }
    }

    private async Task<Answer[]> Run(string persona, TestPartner partner)
    {
        var token = await bench.Token(persona, partner);
        var franceConnect = await bench.FranceConnectAsked();
        var regimeSi = await bench.RegimeSiAsked();

        var call = new Call { Key = partner.Key, Token = token };
        var answers = new List<Answer> { await call.Send(bench) };
        var nir = answers[0].Ok()["nir"]!.GetValue<string>();
        Assert.Equal(bench.Nir(persona), nir);
        answers.Add(await (call with { Path = "/me/beneficiaires" }).Send(bench));
        foreach (var path in Call.Resources[2..])
            answers.Add(await (call with { Path = path, Nir = nir }).Send(bench));

        Assert.Equal(1, (await bench.FranceConnectAsked() - franceConnect).Checktoken);
        Assert.Equal((1, 1, 1), Si(await bench.RegimeSiAsked() - regimeSi));
        Assert.Equal(answers[0].Body, answers[2].Body);
        return [.. answers];
    }

    private static (long Identifications, long Familles, long Droits) Si(Asked asked) => (asked.Identifications, asked.Familles, asked.Droits);
}
