using Orleans.Services;

namespace DroitsAmeli.Grains.Familles;

/// <summary>Tells the families that one silo holds, in batches, what happened to them: one call per silo, not one per family.</summary>
[Alias("droits.familles.service")]
public interface IFamillesService : IGrainService
{
    /// <summary>
    /// Makes the families of the batch that are held here superseded; those read lately are refreshed at once. A family that becomes active
    /// here within the next seconds is told too. Never activates one.
    /// </summary>
    /// <returns>The ids of the families of the batch that were held, or still being written, here; of none of them anything older is being written any more.</returns>
    [Alias("announce")]
    Task<string[]> Announce(Evenement[] evenements);

    /// <summary>Carries out what an operator, or a lost cursor, orders for many families.</summary>
    /// <returns>How many families it concerns of those held here, or held until it was in force.</returns>
    [Alias("obey")]
    Task<int> Obey(Ordre ordre);

    /// <summary>What is held of one family; null when it is not active here.</summary>
    [Alias("look")]
    Task<FamilleState?> Look(string famille);
}

/// <summary>A family has a new version at the SI.</summary>
[GenerateSerializer, Immutable, Alias("droits.evenement")]
public readonly record struct Evenement([property: Id(0)] string Famille, [property: Id(1)] long Version)
{
    /// <summary>Does not tell the family.</summary>
    public override string ToString() => $"Evenement(redacted, {Version})";
}

/// <summary>What an order does.</summary>
[Alias("droits.ordre-kind")]
public enum OrdreKind
{
    /// <summary>What was loaded before <see cref="Ordre.Instant"/> is asked again before it is shown, each family at its own moment within <see cref="Ordre.Spread"/>.</summary>
    Stale = 0,

    /// <summary>What the SI gave between <see cref="Ordre.From"/> and <see cref="Ordre.Instant"/> is forgotten.</summary>
    Quarantine = 1,

    /// <summary>Everything held of <see cref="Ordre.Famille"/> is forgotten, the version it must not go back from included.</summary>
    Forget = 2,

    /// <summary>The parts of <see cref="Ordre.Famille"/> are asked again before they are shown.</summary>
    StaleFamille = 3,
}

/// <summary>An order; kept until everything it concerns is gone, so that a silo that starts later obeys it too.</summary>
[GenerateSerializer, Immutable, Alias("droits.ordre")]
public sealed record Ordre
{
    /// <summary>Names the order: obeying it twice is obeying it once.</summary>
    [Id(0)] public required Guid Id { get; init; }

    [Id(1)] public required OrdreKind Kind { get; init; }

    /// <summary>The instant it is about: its own (Stale), the end of the interval (Quarantine).</summary>
    [Id(2)] public required DateTimeOffset Instant { get; init; }

    /// <summary>The beginning of the interval of a quarantine.</summary>
    [Id(3)] public DateTimeOffset From { get; init; }

    /// <summary>Over how long Stale is spread.</summary>
    [Id(4)] public TimeSpan Spread { get; init; }

    [Id(5)] public string? Famille { get; init; }

    /// <summary>True when that instant is of its interval: a quarantine's, else all time up to <see cref="Instant"/>.</summary>
    public bool Concerns(DateTimeOffset instant) => (Kind is not OrdreKind.Quarantine || From <= instant) && instant <= Instant;

    /// <summary>True when it concerns a copy that the SI confirmed last, and gave, at those instants.</summary>
    public bool Concerns(DateTimeOffset loadedAt, DateTimeOffset givenAt) => Concerns(loadedAt) || Concerns(givenAt);

    /// <summary>Does not tell the family.</summary>
    public override string ToString() => $"Ordre({Kind}, {Id})";
}

/// <summary>The cache state of one family: no rights, no NIR.</summary>
[GenerateSerializer, Immutable, Alias("droits.famille-state")]
public sealed record FamilleState
{
    /// <summary>The newest version known or announced.</summary>
    [Id(0)] public required long Newest { get; init; }

    [Id(1)] public required PartState[] Parts { get; init; }
}

/// <summary>The state of one cached part.</summary>
[GenerateSerializer, Immutable, Alias("droits.part-state")]
public sealed record PartState
{
    /// <summary>composition, droits.</summary>
    [Id(0)] public required string Part { get; init; }

    [Id(1)] public required long Version { get; init; }

    [Id(2)] public required DateTimeOffset LoadedAt { get; init; }

    [Id(3)] public required DateTimeOffset FreshUntil { get; init; }

    /// <summary>True when a newer version is known to exist.</summary>
    [Id(4)] public required bool Superseded { get; init; }

    /// <summary>si: loaded or confirmed by this activation; stockage: read from the store; migration: came from another silo.</summary>
    [Id(5)] public required string Source { get; init; }
}
