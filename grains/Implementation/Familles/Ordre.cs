namespace DroitsAmeli.Grains.Familles;

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

    /// <summary>
    /// The end of the interval of a quarantine; else the order's own instant: what was loaded before it (<see cref="OrdreKind.Forget"/>: up to it)
    /// is concerned.
    /// </summary>
    [Id(2)] public required DateTimeOffset Instant { get; init; }

    /// <summary>The beginning of the interval of a quarantine.</summary>
    [Id(3)] public DateTimeOffset From { get; init; }

    /// <summary>Over how long Stale is spread.</summary>
    [Id(4)] public TimeSpan Spread { get; init; }

    [Id(5)] public string? Famille { get; init; }

    /// <summary>
    /// The order as this build carries it out. One of a kind that only a later build knows may be to forget something, and what that is must not
    /// be shown: everything that was given from <see cref="From"/> to <see cref="Instant"/> is forgotten, of <see cref="Famille"/> or, when it names
    /// none, of all. Without a beginning before its end the interval is all time up to that. The régime SI is then asked more than it has to be.
    /// </summary>
    public Ordre Understood => Kind is OrdreKind.Stale or OrdreKind.Quarantine or OrdreKind.Forget or OrdreKind.StaleFamille
        ? this
        : this with
        {
            Kind = Famille is null ? OrdreKind.Quarantine : OrdreKind.Forget,
            From = Famille is null && From < Instant ? From : default,
            Spread = default,
        };

    /// <summary>From when on it concerns nothing that may be shown.</summary>
    public DateTimeOffset EndsAt => Instant + Spread + Ordres.Retention;

    /// <summary>True when that instant is of its interval: a quarantine's, else all time up to <see cref="Instant"/>.</summary>
    public bool Concerns(DateTimeOffset instant) => (Kind is not OrdreKind.Quarantine || From <= instant) && instant <= Instant;

    /// <summary>True when it concerns a copy that the SI confirmed last, and gave, at those instants.</summary>
    public bool Concerns(DateTimeOffset loadedAt, DateTimeOffset givenAt) => Concerns(loadedAt) || Concerns(givenAt);

    /// <summary>Does not tell the family.</summary>
    public override string ToString() => $"Ordre({Kind}, {Id})";
}
