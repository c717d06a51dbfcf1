using DroitsAmeli.Api;
using DroitsAmeli.Api.Callers;
using DroitsAmeli.Api.Droits;
using DroitsAmeli.Api.FranceConnect;
using DroitsAmeli.Grains.FranceConnect;
using DroitsAmeli.Tests.Rules.Droits;
using Microsoft.Extensions.Options;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace DroitsAmeli.Tests.Rules.FranceConnect;

/// <summary>What a front end checks on each call, also of an introspection that its token's grain has remembered for too long.</summary>
public sealed class FranceConnectChecksTests
{
    private readonly FakeTimeProvider time = new();

    [Fact]
    public void A_token_ends_at_its_exp_to_the_tick()
    {
        var introspection = Good();
        time.SetUtcNow(introspection.ExpiresAt.AddTicks(-1));
        Assert.Null(Refuse(introspection));
        time.Advance(TimeSpan.FromTicks(1));
        Assert.Same(Problems.JetonInvalide, Refuse(introspection));
        time.Advance(TimeSpan.FromMinutes(1));
        Assert.Same(Problems.JetonInvalide, Refuse(introspection));
    }

    [Fact]
    public void The_first_check_that_fails_answers()
    {
        var bad = Good() with { ExpiresAt = time.GetUtcNow(), Acr = "eidas1", Scope = "openid", ServiceProvider = "fs-autre" };
        Assert.Same(Problems.JetonInvalide, Refuse(bad));
        bad = bad with { ExpiresAt = Good().ExpiresAt };
        Assert.Same(Problems.NiveauInsuffisant, Refuse(bad));
        bad = bad with { Acr = "eidas2 eidas3" };
        Assert.Same(Problems.ScopeInsuffisant, Refuse(bad));
        bad = bad with { Scope = "cnam_caisse" };
        Assert.Same(Problems.JetonAutrePartenaire, Refuse(bad));
        Assert.Null(Refuse(bad with { ServiceProvider = "fs-chu" }));
    }

    [Theory]
    [InlineData("")]
    [InlineData("eidas9")]
    [InlineData("eidas2 eidas9")]
    [InlineData("eidas3 eidas1")]
    public void A_level_that_is_unknown_or_too_low_is_refused(string acr) => Assert.Same(Problems.NiveauInsuffisant, Refuse(Good() with { Acr = acr }));

    private Introspection Good() => new()
    {
        ExpiresAt = time.GetUtcNow().AddSeconds(60),
        Acr = "eidas2",
        Scope = "openid cnam_caisse",
        ServiceProvider = "fs-chu",
        Subject = "s",
    };

    private Problem? Refuse(Introspection introspection)
    {
        var checks = new FranceConnectChecks(Options.Create(new FranceConnectApiOptions { MinimumAcr = AcrLevel.Eidas2 }), time);
        var convention = Cases.Partner(CallerType.EtablissementDeSoins, ExonerationsRule.Refusees) with { ClientsFranceConnect = new HashSet<string> { "fs-chu" } };
        return checks.Refuse(new JetonReply { Outcome = JetonOutcome.Active, Introspection = introspection }, convention, Ressource.Caisse, out _);
    }
}
