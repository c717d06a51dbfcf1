using DroitsAmeli.Load.Processes;
using DroitsAmeli.Load.Reads;

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

    /// <summary>The next family that has been seen; null: any of them, each as often. Called by one thread.</summary>
    public Func<long>? NextSeen { get; init; }

    public int Seed { get; init; } = 1;

    /// <summary>Gets each visit once it has ended and is judged; called by many threads. Only for a generator that knows the right answers.</summary>
    public Action<JudgedVisit>? Judged { get; init; }
}

/// <summary>A visit of a load, and what came of it.</summary>
/// <param name="Due">When it was meant to begin, since the load was started.</param>
/// <param name="Unseen">Whether nobody had asked about the family.</param>
/// <param name="Calls">In their order; the last one is the first that was not answered right. The first is due when the visit is, each later one when the one before it has ended.</param>
public sealed record JudgedVisit(TimeSpan Due, bool Unseen, IReadOnlyList<JudgedRead> Calls);
