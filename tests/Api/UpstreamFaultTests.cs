using System.Diagnostics;
using System.Text.Json;
using DroitsAmeli.Simulators.RegimeSi;
using Xunit;

namespace DroitsAmeli.Tests.Api;

/// <summary>What a partner sees when FranceConnect or the régime SI fail, and that nothing of it is kept.</summary>
/// <remarks>Each test uses families of its own, and jumps a minute ahead when it ends: pauses and circuits are over then.</remarks>
[Collection(FaultCollection.Name)]
public sealed class UpstreamFaultTests(FaultBench bench) : IAsyncDisposable
{
    private static int lastFamily = 100;

    private readonly string persona = $"famille-{Interlocked.Increment(ref lastFamily)}";

    /// <summary>An older version is told only by comparison: it has a test of its own.</summary>
    public static TheoryData<FaultKind> SiFaults => [.. Enum.GetValues<FaultKind>().Where(kind => kind is not FaultKind.OlderVersion)];

    public async ValueTask DisposeAsync()
    {
        await bench.SetFranceConnect();
        await bench.SetRegimeSi();
        bench.Clock.Jump(TimeSpan.FromMinutes(2));
    }

    [Theory]
    [InlineData("erreur_500", "franceconnect_indisponible")]
    [InlineData("erreur_503", "franceconnect_indisponible")]
    [InlineData("identifiants_refuses", "franceconnect_indisponible")]
    [InlineData("coupure", "franceconnect_indisponible")]
    [InlineData("charabia", "franceconnect_indisponible")]
    [InlineData("trop_grand", "franceconnect_indisponible")]
    [InlineData("redirection", "franceconnect_indisponible")]
    [InlineData("mauvais_type", "franceconnect_indisponible")]
    [InlineData("mauvais_iss", "franceconnect_indisponible")]
    [InlineData("mauvais_aud", "franceconnect_indisponible")]
    [InlineData("vieux_iat", "franceconnect_indisponible")]
    [InlineData("alg_none", "franceconnect_indisponible")]
    [InlineData("alg_hs256", "franceconnect_indisponible")]
    [InlineData("mauvais_enc", "franceconnect_indisponible")]
    [InlineData("jws_seul", "franceconnect_indisponible")]
    [InlineData("json_nu", "franceconnect_indisponible")]
    [InlineData("sans_reponse", "delai_depasse")]
    public async Task A_fault_of_franceconnect_is_answered_and_not_remembered(string fault, string code)
    {
        var token = await bench.Token(persona);
        await bench.SetFranceConnect($$"""{ "faute": "{{fault}}" }""");
        (await Within8Seconds(new Call { Token = token })).Is(code, token, "simulated", "server_error", "invalid_client");

        await bench.SetFranceConnect();
        (await new Call { Token = token }.Send(bench)).Ok();
    }

    [Fact]
    public async Task FranceConnect_without_its_keys_is_502()
    {
        bench.Clock.Jump(TimeSpan.FromHours(2));
        await bench.SetFranceConnect("""{ "jwks_en_panne": true }""");
        (await Within8Seconds(new Call { Token = await bench.Token(persona) })).Is("franceconnect_indisponible");
    }

    [Theory]
    [MemberData(nameof(SiFaults))]
    public async Task A_fault_of_the_si_is_answered_and_nothing_of_it_is_kept(FaultKind fault)
    {
        await WarmCircuit();
        var call = new Call("/contrats") { Token = await bench.Token(persona, lifetime: 600), Nir = bench.Nir(persona) };
        await bench.SetRegimeSi($$"""{ "faults": [{ "kind": {{JsonSerializer.Serialize(fault)}}, "target": "droits" }] }""");
        (await Within8Seconds(call)).Is(fault is FaultKind.Hang or FaultKind.SlowDrip ? "delai_depasse" : "si_indisponible");
        await Recovers(call);
    }

    [Fact]
    public async Task An_older_version_is_refused_and_what_is_held_is_given_with_its_age()
    {
        await WarmCircuit();
        var call = new Call("/me/beneficiaires") { Token = await bench.Token(persona) };
        var held = (await call.Send(bench)).Ok().ToJsonString();
        bench.Clock.Jump(TimeSpan.FromMinutes(90));
        await bench.SetRegimeSi("""{ "faults": [{ "kind": "older_version", "target": "familles" }] }""");
        var old = await Within8Seconds(call with { Token = await bench.Token(persona) });
        Assert.Equal(held, old.Ok().ToJsonString());
        Assert.Matches("^DroitsAmeli; fwd=stale; fwd-status=503; ttl=-", old.Header("Cache-Status"));
    }

    [Theory]
    [InlineData("identifications")]
    [InlineData("familles")]
    public async Task A_silent_si_is_504(string target)
    {
        await WarmCircuit();
        var call = new Call("/contrats") { Token = await bench.Token(persona, lifetime: 600), Nir = bench.Nir(persona) };
        await bench.SetRegimeSi($$"""{ "faults": [{ "kind": "hang", "target": "{{target}}" }] }""");
        (await Within8Seconds(call)).Is("delai_depasse");
        await Recovers(call);
    }

    [Theory]
    [InlineData("identifications")]
    [InlineData("familles")]
    public async Task A_failing_si_is_503_wherever_it_fails(string target)
    {
        await WarmCircuit();
        var call = new Call { Token = await bench.Token(persona, lifetime: 600) };
        await bench.SetRegimeSi($$"""{ "faults": [{ "kind": "garbage", "target": "{{target}}" }] }""");
        (await Within8Seconds(call)).Is("si_indisponible");
        await Recovers(call);
    }

    [Fact]
    public async Task A_closed_si_is_503_whose_retry_after_is_its_opening()
    {
        await bench.SetRegimeSi($$"""{ "closed_until": "{{bench.Clock.Now.AddSeconds(50):O}}" }""");
        var answer = await Within8Seconds(new Call { Token = await bench.Token(persona) });
        answer.Is("si_indisponible");
        Assert.InRange(int.Parse(answer.Header("Retry-After")!, System.Globalization.CultureInfo.InvariantCulture), 40, 50);
    }

    [Fact]
    public async Task What_is_held_is_given_with_its_age_while_the_si_fails()
    {
        await WarmCircuit();
        var call = new Call { Token = await bench.Token(persona) };
        var fresh = await call.Send(bench);
        bench.Clock.Jump(TimeSpan.FromMinutes(90));
        await bench.SetRegimeSi("""{ "faults": [{ "kind": "garbage" }] }""");

        var old = await Within8Seconds(new Call { Token = await bench.Token(persona) });
        Assert.Equal(fresh.Ok().ToJsonString(), old.Ok().ToJsonString());
        Assert.Equal(fresh.Header("Date-Situation"), old.Header("Date-Situation"));
        Assert.Matches("^DroitsAmeli; fwd=stale; fwd-status=503; ttl=-[0-9]+$", old.Header("Cache-Status"));
    }

    [Fact]
    public async Task What_is_held_is_given_to_those_alone_whose_convention_takes_its_age()
    {
        await WarmCircuit();
        (await (await Contrats(TestPartners.Exigeante)).Send(bench)).Ok();
        bench.Clock.Jump(TimeSpan.FromMinutes(90));
        await bench.SetRegimeSi("""{ "faults": [{ "kind": "garbage" }] }""");

        var old = await Within8Seconds(await Contrats(TestPartners.Chu));
        old.Ok();
        Assert.Matches("^DroitsAmeli; fwd=stale; fwd-status=503; ttl=-[0-9]+$", old.Header("Cache-Status"));
        var exigeante = await Contrats(TestPartners.Exigeante);
        (await Within8Seconds(exigeante)).Is("si_indisponible");
        await Recovers(exigeante);

        async Task<Call> Contrats(TestPartner partner) =>
            new("/contrats") { Key = partner.Key, Token = await bench.Token(persona, partner), Nir = bench.Nir(persona) };
    }

    [Fact]
    public async Task What_is_held_for_a_quarter_of_an_hour_is_refreshed_behind_the_answer()
    {
        // A copy does not outlive the day in Paris: the quarter of an hour must not end in the next one.
        var paris = TimeZoneInfo.ConvertTimeBySystemTimeZoneId(bench.Clock.GetUtcNow(), "Europe/Paris");
        if (paris.TimeOfDay > TimeSpan.FromHours(23.5))
            bench.Clock.Jump(TimeSpan.FromHours(1));

        (await new Call { Token = await bench.Token(persona) }.Send(bench)).Ok();
        bench.Clock.Jump(TimeSpan.FromMinutes(20));
        var stale = await new Call { Token = await bench.Token(persona) }.Send(bench);
        stale.Ok();

        // The silo may have begun to follow the SI's feed only after the first read: what was loaded before is asked again, once.
        if (stale.Header("Cache-Status") is "DroitsAmeli; fwd=stale; fwd-status=304")
        {
            bench.Clock.Jump(TimeSpan.FromMinutes(20));
            stale = await new Call { Token = await bench.Token(persona) }.Send(bench);
            stale.Ok();
        }

        Assert.Matches("^DroitsAmeli; hit; ttl=-[0-9]+$", stale.Header("Cache-Status"));
    }

    private async Task Recovers(Call call)
    {
        await bench.SetRegimeSi();
        bench.Clock.Jump(TimeSpan.FromSeconds(30));
        (await call.Send(bench)).Ok();
    }

    // Ten good calls first, so that one test's faults do not open the circuit to the SI and hide what is tested.
    private async Task WarmCircuit()
    {
        var families = Enumerable.Range(0, 4).Select(_ => $"famille-{Interlocked.Increment(ref lastFamily)}");
        foreach (var family in families)
            (await new Call { Token = await bench.Token(family) }.Send(bench)).Ok();
    }

    private async Task<Answer> Within8Seconds(Call call)
    {
        var started = Stopwatch.GetTimestamp();
        var answer = await call.Send(bench);
        Assert.InRange(Stopwatch.GetElapsedTime(started).TotalSeconds, 0, 8);
        return answer;
    }
}
