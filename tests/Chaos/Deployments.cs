using DroitsAmeli.Load.Processes;
using DroitsAmeli.Load.Reads;

namespace DroitsAmeli.Tests.Chaos;

/// <summary>What the scenarios have in common.</summary>
internal static class Deployments
{
    public static Resource[] Both { get; } = [Resource.Me, Resource.Exonerations];

    /// <summary>Copies stay fresh, so that whatever the SI is asked was lost.</summary>
    public static DeploymentOptions ThreeSilos { get; } = new()
    {
        Silos = 3,
        FrontEnds = 2,
        Families = 1_000_000,
        SiloSettings = new Dictionary<string, string> { ["Freshness:FreshMinutes"] = "600", ["Freshness:BehindMinutes"] = "700" },
    };
}
