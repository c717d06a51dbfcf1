namespace DroitsAmeli.Grains.Identites;

/// <summary>The identité pivot as FranceConnect gave it; absent claims are null.</summary>
public sealed record IdentitePivot
{
    public string? Gender { get; init; }
    public string? FamilyName { get; init; }
    /// <summary>All first names joined by a space.</summary>
    public string? GivenName { get; init; }
    /// <summary>The first names one by one; tells where one ends.</summary>
    public IReadOnlyList<string>? GivenNameArray { get; init; }
    public string? Birthdate { get; init; }
    public string? Birthplace { get; init; }
    public string? Birthcountry { get; init; }

    /// <summary>Shows nothing of the person.</summary>
    public override string ToString() => "IdentitePivot(redacted)";
}
