using System.Text.Json.Serialization;

namespace DroitsAmeli.Simulators;

/// <summary>The identité pivot as FranceConnect gives it for a person; claims that are absent are null.</summary>
public sealed record IdentiteFranceConnect
{
    /// <summary>male, female or unspecified.</summary>
    [JsonPropertyName("gender")] public required string Gender { get; init; }

    /// <summary>The name at birth.</summary>
    [JsonPropertyName("family_name")] public required string FamilyName { get; init; }

    /// <summary>All first names, joined by a space.</summary>
    [JsonPropertyName("given_name")] public required string GivenName { get; init; }

    /// <summary>The first names one by one.</summary>
    [JsonPropertyName("given_name_array")] public required IReadOnlyList<string> GivenNameArray { get; init; }

    /// <summary>YYYY-MM-DD, or one of the forms FranceConnect uses for a date that is only partly known.</summary>
    [JsonPropertyName("birthdate")] public required string Birthdate { get; init; }

    /// <summary>INSEE code of the commune; empty for a birth abroad.</summary>
    [JsonPropertyName("birthplace")] public required string Birthplace { get; init; }

    /// <summary>INSEE code of the country, 99100 for France.</summary>
    [JsonPropertyName("birthcountry")] public required string Birthcountry { get; init; }
}

/// <summary>Somebody who can log in to FranceConnect in the sandbox.</summary>
/// <param name="Id">Short and stable, ASCII: <c>alice-martin</c>, or <c>famille-42</c> for the assuré of a family of the bulk population.</param>
/// <param name="Description">One line in French: what the persona is there to show.</param>
/// <param name="Identite">What FranceConnect says of the person.</param>
/// <param name="Sub">A fixed <c>sub</c>, when the persona needs one; else FranceConnect makes it.</param>
public sealed record Persona(string Id, string Description, IdentiteFranceConnect Identite, string? Sub = null);
