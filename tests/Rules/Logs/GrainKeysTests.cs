using System.Reflection;
using DroitsAmeli.Grains.Droits;
using DroitsAmeli.Grains.Familles;
using DroitsAmeli.Grains.FranceConnect;
using DroitsAmeli.Grains.Logs;
using DroitsAmeli.Grains.RegimeSi;
using Orleans;
using Orleans.Metadata;
using Orleans.Runtime;
using Xunit;

namespace DroitsAmeli.Tests.Rules.Logs;

public sealed class GrainKeysTests
{
    [Fact]
    public void Each_grain_with_a_text_for_its_key_is_declared_personal_or_readable()
    {
        var declared = GrainKeys.Personal.Select(grain => grain.Type).Concat(GrainKeys.Readable).Order(StringComparer.Ordinal);
        var grains = typeof(RegimeSiClient).Assembly.GetTypes().Concat(typeof(Silo.SiloHosting).Assembly.GetTypes())
            .Where(type => type is { IsClass: true, IsAbstract: false } && !typeof(GrainReference).IsAssignableFrom(type) && HasText(type))
            .Select(TypeOf)
            .Order(StringComparer.Ordinal);
        Assert.Equal(declared, grains);
    }

    [Fact]
    public void No_answer_that_the_runtime_may_log_tells_the_user_or_the_family()
    {
        Assert.True(Nir.TryParse("278027510800555", out var nir));
        object[] answers =
        [
            new JetonReply
            {
                Outcome = JetonOutcome.Active,
                Introspection = new() { ExpiresAt = default, Acr = "eidas1", Scope = "openid", ServiceProvider = "fs-chu", Subject = "SECRET" },
            },
            new IdentiteReply { Outcome = IdentiteOutcome.Resolved, Famille = "SECRET", Nir = nir },
            new Evenement("SECRET", 1),
            new Ordre { Id = default, Kind = OrdreKind.Forget, Instant = default, Famille = "SECRET" },
            new Identification("SECRET", nir!),
        ];
        Assert.All(answers, answer => Assert.DoesNotContain("SECRET", answer.ToString(), StringComparison.Ordinal));
    }

    private static bool HasText(Type type) => typeof(IGrainWithStringKey).IsAssignableFrom(type)
        || typeof(IGrainWithGuidCompoundKey).IsAssignableFrom(type)
        || typeof(IGrainWithIntegerCompoundKey).IsAssignableFrom(type);

    private static string TypeOf(Type grain) =>
        grain.GetCustomAttributes().OfType<IGrainTypeProviderAttribute>().SingleOrDefault()?.GetGrainType(null!, grain).ToString()
        ?? grain.Name[..^"Grain".Length].ToLowerInvariant();
}
