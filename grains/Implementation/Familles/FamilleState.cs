namespace DroitsAmeli.Grains.Familles;

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
