namespace DroitsAmeli.Grains.Familles;

/// <summary>A family has a new version at the SI.</summary>
[GenerateSerializer, Immutable, Alias("droits.evenement")]
public readonly record struct Evenement([property: Id(0)] string Famille, [property: Id(1)] long Version)
{
    /// <summary>Does not tell the family.</summary>
    public override string ToString() => $"Evenement(redacted, {Version})";
}
