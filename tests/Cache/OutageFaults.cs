using DroitsAmeli.Simulators.RegimeSi;

namespace DroitsAmeli.Tests.Cache;

/// <summary>The faults of the régime SI that its outage is made of: every one there is, in the order in which they are played.</summary>
internal static class OutageFaults
{
    /// <summary>The SI does not work: what it gets is a probe now and then.</summary>
    public static readonly FaultKind[] Dead =
    [
        FaultKind.Status500, FaultKind.Status429, FaultKind.Status503, FaultKind.Hang, FaultKind.Reset, FaultKind.SlowDrip, FaultKind.Truncated,
    ];

    /// <summary>The SI answers, and the answer is not one: it must be refused.</summary>
    public static readonly FaultKind[] Garbage =
        [FaultKind.Garbage, FaultKind.WrongFamille, FaultKind.WrongNir, FaultKind.OlderVersion, FaultKind.HugeBody];
}
