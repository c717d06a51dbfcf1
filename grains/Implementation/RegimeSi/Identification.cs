using System.Text.Json.Serialization;
using DroitsAmeli.Grains.Droits;

namespace DroitsAmeli.Grains.RegimeSi;

/// <summary>The body of an identification, canonical: normalised names, upper-case codes. What is remembered is remembered under its HMAC.</summary>
[GenerateSerializer, Immutable, Alias("droits.identification-request")]
public sealed record IdentificationRequest
{
    [Id(0), JsonPropertyName("family_name")] public required string FamilyName { get; init; }
    [Id(1), JsonPropertyName("given_names")] public required IReadOnlyList<string> GivenNames { get; init; }
    /// <summary>male, female or unspecified.</summary>
    [Id(2), JsonPropertyName("gender")] public required string Gender { get; init; }
    /// <summary>YYYY, YYYY-MM or YYYY-MM-DD.</summary>
    [Id(3), JsonPropertyName("birthdate")] public required string Birthdate { get; init; }
    /// <summary>INSEE COG code, empty for a birth abroad.</summary>
    [Id(4), JsonPropertyName("birthplace")] public required string Birthplace { get; init; }
    [Id(5), JsonPropertyName("birthcountry")] public required string Birthcountry { get; init; }

    /// <summary>Shows nothing of the person.</summary>
    public override string ToString() => "IdentificationRequest(redacted)";
}

/// <summary>Whose family an identity leads to.</summary>
/// <param name="Famille">The SI's opaque family id.</param>
/// <param name="Nir">The user's NIR.</param>
public sealed record Identification(string Famille, Nir Nir)
{
    /// <summary>Shows nothing of the person.</summary>
    public override string ToString() => "Identification(redacted)";
}
