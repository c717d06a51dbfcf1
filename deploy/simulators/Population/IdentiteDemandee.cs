namespace DroitsAmeli.Simulators;

/// <summary>The body of an identification, as the SI receives it.</summary>
/// <param name="FamilyName">Name at birth.</param>
/// <param name="GivenNames">First names; the first is compared.</param>
/// <param name="Gender">male, female or unspecified, which matches anybody.</param>
/// <param name="Birthdate">YYYY, YYYY-MM or YYYY-MM-DD.</param>
/// <param name="Birthplace">INSEE code, of today or of the time; empty for a birth abroad.</param>
/// <param name="Birthcountry">INSEE code.</param>
public sealed record IdentiteDemandee(
    string? FamilyName, IReadOnlyList<string>? GivenNames, string? Gender, string? Birthdate, string? Birthplace, string? Birthcountry)
{
    /// <summary>The request for that identity.</summary>
    public static IdentiteDemandee Of(IdentiteFranceConnect identite) => new(
        identite.FamilyName, identite.GivenNameArray, identite.Gender, identite.Birthdate, identite.Birthplace, identite.Birthcountry);
}

/// <summary>An identity reduced to what is compared.</summary>
internal sealed record ComparedIdentity(string Nom, IReadOnlyList<string> FirstNames, bool? Male, DateNaissance Naissance, string Lieu)
{
    private const int LongestFirstName = 3;

    /// <summary>Null when the request is not one: a name, date or place that nothing can match.</summary>
    public static ComparedIdentity? Of(IdentiteDemandee asked)
    {
        var given = (asked.GivenNames ?? []).Where(name => !string.IsNullOrWhiteSpace(name)).ToArray();
        if (string.IsNullOrWhiteSpace(asked.FamilyName) || given.Length == 0 || asked.Gender is not ("male" or "female" or "unspecified")
            || !DateNaissance.TryParse(asked.Birthdate, out var birth))
            return null;

        var inFrance = asked.Birthcountry is null or "" or Lieux.France;
        return new ComparedIdentity(
            Normalisation.Of(asked.FamilyName),
            [.. Enumerable.Range(1, Math.Min(LongestFirstName, given.Length)).Select(count => Normalisation.Of(string.Join(' ', given.Take(count))))],
            asked.Gender switch { "male" => true, "female" => false, _ => null },
            birth,
            Lieux.Present((inFrance ? asked.Birthplace : asked.Birthcountry)?.ToUpperInvariant() ?? ""));
    }

    /// <summary>
    /// Name at birth, first first name, date, sex unless unspecified, place. A first name in several words may have arrived in several pieces.
    /// </summary>
    public bool Matches(EtatCivil civil) =>
        civil.Naissance.Matches(Naissance)
        && (Male is null || Male == civil.Male)
        && civil.Lieu == Lieu
        && Nom == Normalisation.Of(civil.Nom)
        && FirstNames.Contains(Normalisation.Of(civil.Prenoms[0]));
}
