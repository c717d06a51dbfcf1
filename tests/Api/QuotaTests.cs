using System.Globalization;
using Xunit;

namespace DroitsAmeli.Tests.Api;

/// <summary>Every call with a known key counts, and every answer to it says what remains.</summary>
[Collection(ConventionsCollection.Name)]
public sealed class QuotaTests(ConventionsBench bench)
{
    [Fact]
    public async Task Every_answer_to_a_known_key_counts_and_says_so()
    {
        bench.Clock.JumpToNextMinute();
        var token = await bench.Token("alice-martin", TestPartners.Compte);
        var call = new Call { Key = TestPartners.Compte.Key, Token = token };
        var remaining = Remaining(await call.Send(bench));

        foreach (var (counted, status) in new (Call, int)[]
        {
            (call, 200),
            (call with { Path = "/nulle-part" }, 404),
            (call with { Method = HttpMethod.Post }, 405),
            (call with { Method = HttpMethod.Head }, 405),
            (call with { Content = new StringContent("x") }, 413),
            (call with { Token = null }, 401),
            (call with { Token = "inconnu" }, 401),
            (call with { Path = "/me?dateFin=x" }, 400),
            (call with { Path = "/caisse" }, 400),
            (call with { Path = "/caisse", Nir = bench.Nir("andre-roux") }, 404),
            (call with { Token = await bench.Token("alice-martin") }, 403),
            (call with { Token = await bench.Token("jean-dupont", TestPartners.Compte) }, 409),
        })
        {
            var answer = await counted.Send(bench);
            Assert.Equal(status, answer.Status);
            Assert.Equal("500", answer.Header("RateLimit-Limit"));
            Assert.Equal(--remaining, Remaining(answer));
            Assert.InRange(Number(answer, "RateLimit-Reset"), 1, 24 * 3600 + 3600);
        }
    }

    [Fact]
    public async Task An_answer_to_a_fault_says_so_too()
    {
        bench.Clock.JumpToNextMinute();
        var call = new Call { Key = TestPartners.Compte.Key, Token = await bench.Token("famille-7001", TestPartners.Compte, lifetime: 600) };
        await bench.SetFranceConnect("""{ "faute": "charabia" }""");
        await Says(call, "franceconnect_indisponible");
        await bench.SetFranceConnect();
        await bench.SetRegimeSi("""{ "faults": [{ "kind": "garbage" }] }""");
        await Says(call, "si_indisponible");
        await bench.SetRegimeSi();
        bench.Clock.Jump(TimeSpan.FromSeconds(30));
        (await call.Send(bench)).Ok();

        async Task Says(Call call, string code)
        {
            var answer = await call.Send(bench);
            answer.Is(code);
            Assert.Equal("500", answer.Header("RateLimit-Limit"));
            Assert.InRange(Remaining(answer), 0, 500);
            Assert.InRange(Number(answer, "RateLimit-Reset"), 1, 24 * 3600 + 3600);
        }
    }

    [Fact]
    public async Task A_used_up_quota_is_429_until_its_window_ends()
    {
        bench.Clock.JumpToNextMinute();
        var call = new Call { Key = TestPartners.PetitQuota.Key, Token = await bench.Token("alice-martin", TestPartners.PetitQuota) };
        for (var left = 2; left >= 0; left--)
        {
            var allowed = await call.Send(bench);
            allowed.Ok();
            Assert.Equal(("3", left), (allowed.Header("RateLimit-Limit"), Remaining(allowed)));
        }

        var refused = await call.Send(bench);
        refused.Is("quota_depasse");
        Assert.Equal(0, Remaining(refused));
        Assert.InRange(Number(refused, "Retry-After"), 1, 60);
        Assert.Equal(refused.Header("RateLimit-Reset"), refused.Header("Retry-After"));

        bench.Clock.JumpToNextMinute();
        (await (call with { Token = await bench.Token("alice-martin", TestPartners.PetitQuota) }).Send(bench)).Ok();
    }

    [Fact]
    public async Task A_call_refused_for_its_quota_asks_nobody()
    {
        bench.Clock.JumpToNextMinute();
        for (var call = 0; call < 3; call++)
            await new Call { Key = TestPartners.PetitQuota.Key }.Send(bench);

        var before = await bench.FranceConnectAsked();
        (await new Call { Key = TestPartners.PetitQuota.Key, Token = await bench.Token("alice-martin", TestPartners.PetitQuota) }.Send(bench)).Is("quota_depasse");
        Assert.Equal(0, (await bench.FranceConnectAsked() - before).Checktoken);
    }

    [Fact]
    public async Task An_unknown_key_learns_nothing_of_quotas()
    {
        var answer = await new Call { Key = "cle-inconnue" }.Send(bench);
        Assert.DoesNotContain(answer.Headers.Keys, name => name.StartsWith("RateLimit", StringComparison.OrdinalIgnoreCase));
    }

    private static int Remaining(Answer answer) => Number(answer, "RateLimit-Remaining");

    private static int Number(Answer answer, string header) => int.Parse(answer.Header(header)!, CultureInfo.InvariantCulture);
}
