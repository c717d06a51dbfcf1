using DroitsAmeli.Load.Processes;

namespace DroitsAmeli.Load.Visits;

/// <summary>Admission visits of one partner at a given rate, whatever the answers take.</summary>
public sealed record VisitLoad
{
    public required Partner Partner { get; init; }

    public required double PerSecond { get; init; }

    public required TimeSpan Duration { get; init; }

    /// <summary>The share of visits by a family that nobody has asked about.</summary>
    public double UnseenShare { get; init; } = 0.8;

    /// <summary>The first family of the population that nobody has asked about; the next unseen one is the next.</summary>
    public required long FirstUnseen { get; init; }

    /// <summary>The families that have been seen are the first so many of the population.</summary>
    public int Seen { get; init; } = 200;

    public int Seed { get; init; } = 1;
}
