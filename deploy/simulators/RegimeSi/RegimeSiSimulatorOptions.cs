using System.ComponentModel.DataAnnotations;

namespace DroitsAmeli.Simulators.RegimeSi;

/// <summary>How a régime SI simulator starts; bound from <c>Simulators:RegimeSi</c> when it is its own process.</summary>
public sealed class RegimeSiSimulatorOptions
{
    /// <summary>The configuration section.</summary>
    public const string Section = "Simulators:RegimeSi";

    /// <summary>Loopback port of the SI; 0 takes a free one.</summary>
    [Range(0, 65535)]
    public int Port { get; set; } = 8082;

    /// <summary>
    /// Loopback port of the <c>/sandbox</c> calls; 0 takes a free one. Null: they are on <see cref="Port"/>. When set, only
    /// <c>GET /sandbox/compteurs</c> stays there too.
    /// </summary>
    [Range(0, 65535)]
    public int? AdminPort { get; set; }

    /// <summary>The bearer that every SI call must carry; null or empty: none is asked for.</summary>
    public string? ApiKey { get; set; }

    /// <summary>Seed of the population.</summary>
    public int Seed { get; set; } = 2019;

    /// <summary>Families in the bulk population.</summary>
    [Range(1, long.MaxValue)]
    public long Families { get; set; } = 1_000_000;

    /// <summary>Events that the feed remembers; a cursor older than that is answered 410.</summary>
    [Range(1, 10_000_000)]
    public int FeedCapacity { get; set; } = 100_000;

    /// <summary>Latency, limits and faults at the start; <c>PUT /sandbox/reglages</c> replaces them.</summary>
    public Reglages Reglages { get; set; } = new();

    /// <summary>The environment the process was explicitly given; by default what the usual variables say.</summary>
    public string? EnvironmentName { get; set; } = SimulatorEnvironment.Explicit;

    /// <exception cref="ValidationException">A setting is out of range; the message names it.</exception>
    internal void Validate()
    {
        var failures = new List<ValidationResult>();
        Validator.TryValidateObject(this, new ValidationContext(this), failures, validateAllProperties: true);
        if (Families > Population.LargestSize)
            failures.Add(new ValidationResult($"Families is at most {Population.LargestSize}."));
        if (Reglages.Problem() is { } problem)
            failures.Add(new ValidationResult($"Reglages: {problem}"));
        if (failures.Count > 0)
            throw new ValidationException(string.Join(' ', failures.Select(failure => $"{Section}: {failure.ErrorMessage}")));
    }
}
