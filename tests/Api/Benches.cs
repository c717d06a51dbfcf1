using Xunit;

namespace DroitsAmeli.Tests.Api;

/// <summary>Everything as it is by default.</summary>
public sealed class DefaultBench() : Bench;

[CollectionDefinition(Name)]
public sealed class DefaultCollection : ICollectionFixture<DefaultBench>
{
    public const string Name = "default";
}

/// <summary>As it is by default, and nothing is cached yet of the families whose calls are counted.</summary>
public sealed class ColdBench() : Bench;

/// <summary>An SI that takes one call at a time.</summary>
public sealed class ScarceBench() : Bench(new Dictionary<string, string?> { ["RegimeSi:MaxConcurrentCalls"] = "1" });

/// <summary>A front end that lets as few calls in as it can be told to.</summary>
public sealed class NarrowBench() : Bench(new Dictionary<string, string?> { ["Api:MaxConcurrentCalls"] = "64" });

/// <summary>Short upstream time-outs, for what goes wrong upstream.</summary>
public sealed class FaultBench() : Bench(new Dictionary<string, string?>
{
    ["FranceConnect:TimeoutSeconds"] = "2",
    ["RegimeSi:TimeoutSeconds"] = "2",
});

[CollectionDefinition(Name)]
public sealed class FaultCollection : ICollectionFixture<FaultBench>
{
    public const string Name = "faults";
}

/// <summary>A deadline of the front end that ends before the upstream time-outs.</summary>
public sealed class DeadlineBench() : Bench(new Dictionary<string, string?> { ["Api:DeadlineSeconds"] = "1" });

/// <summary>The other algorithms, a prefix, a higher minimum level, adults listed, and other names of the régimes.</summary>
public sealed class VariantBench() : Bench(
    new Dictionary<string, string?>
    {
        ["Api:PathPrefix"] = "/test",
        ["FranceConnect:MinimumAcr"] = "eidas2",
        ["Famille:AutresMajeurs"] = "listes",
        ["Regimes:Heberges:0"] = "régime d'essai (77)",
    },
    rsa: true);

/// <summary>Conventions and quotas, which the tests change.</summary>
public sealed class ConventionsBench() : Bench;

[CollectionDefinition(Name)]
public sealed class ConventionsCollection : ICollectionFixture<ConventionsBench>
{
    public const string Name = "conventions";
}

/// <summary>With an operator.</summary>
public sealed class OperatorBench() : Bench(new Dictionary<string, string?> { ["Admin:KeysSha256"] = AdminTests.KeySha256 });
