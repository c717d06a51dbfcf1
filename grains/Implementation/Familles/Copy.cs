namespace DroitsAmeli.Grains.Familles;

/// <summary>A copy of one part of a family.</summary>
/// <param name="Value">The part.</param>
/// <param name="Version">The SI's version of it.</param>
/// <param name="CurrentAt">The newest family version against which the SI has confirmed this copy.</param>
/// <param name="LoadedAt">The instant the SI gave or confirmed it.</param>
/// <param name="FreshUntil">Until when it is served without asking.</param>
/// <param name="Source">Where it came from to this silo.</param>
internal sealed record Copy<T>(T Value, long Version, long CurrentAt, DateTimeOffset LoadedAt, DateTimeOffset FreshUntil, CopySource Source)
{
    /// <summary>The instant the SI gave the part: before <see cref="LoadedAt"/> where it has only confirmed it since.</summary>
    public DateTimeOffset GivenAt { get; init; } = LoadedAt;
}

/// <summary>Where a copy came from to this silo.</summary>
internal enum CopySource
{
    Si,
    Stockage,
    Migration,
}
