using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;
using DroitsAmeli.Grains.RegimeSi;

namespace DroitsAmeli.Grains.Identites;

/// <summary>
/// From the identité pivot to the canonical request sent to the régime SI. Names are compared without marks, case, hyphens or
/// apostrophes; no name is refused for its characters.
/// </summary>
public static partial class Normalisation
{
    private const string France = "99100";

    /// <summary>The canonical request, or null when the identity lacks what the SI needs: a name, a birth date that can be read.</summary>
    public static IdentificationRequest? ToRequest(IdentitePivot identite)
    {
        var familyName = Name(identite.FamilyName ?? "");
        var givenNames = GivenNames(identite);
        var birthdate = Birthdate(identite.Birthdate ?? "");
        if (familyName.Length == 0 || birthdate is null)
            return null;

        var country = (identite.Birthcountry ?? "").Trim().ToUpperInvariant();
        return new()
        {
            FamilyName = familyName,
            GivenNames = givenNames,
            Gender = identite.Gender is "male" or "female" ? identite.Gender : "unspecified",
            Birthdate = birthdate,
            Birthplace = country is France ? (identite.Birthplace ?? "").Trim().ToUpperInvariant() : "",
            Birthcountry = country,
        };
    }

    /// <summary>A name as it is compared: upper case, without marks; apostrophes, hyphens and spaces are one space.</summary>
    public static string Name(string text)
    {
        var decomposed = text
            .Replace("œ", "oe", StringComparison.Ordinal).Replace("Œ", "OE", StringComparison.Ordinal)
            .Replace("æ", "ae", StringComparison.Ordinal).Replace("Æ", "AE", StringComparison.Ordinal)
            .Normalize(NormalizationForm.FormD);

        var name = new StringBuilder(decomposed.Length);
        foreach (var rune in decomposed.EnumerateRunes())
        {
            if (Rune.GetUnicodeCategory(rune) is UnicodeCategory.NonSpacingMark or UnicodeCategory.SpacingCombiningMark or UnicodeCategory.EnclosingMark)
                continue;
            if (!IsSeparator(rune))
                name.Append(Rune.ToUpperInvariant(rune));
            else if (name.Length > 0 && name[^1] != ' ')
                name.Append(' ');
        }

        return name.ToString().TrimEnd();
    }

    /// <summary>A birth date as the SI reads it: YYYY, YYYY-MM or YYYY-MM-DD; null when it is none.</summary>
    public static string? Birthdate(string text)
    {
        var match = PartialDate().Match(text);
        if (!match.Success)
            return null;

        var (year, month, day) = (match.Groups["year"].Value, match.Groups["month"].Value, match.Groups["day"].Value);
        if (month is "" or "00")
            return day is "" or "00" ? year : null;
        if (day is "" or "00")
            return int.Parse(month, CultureInfo.InvariantCulture) <= 12 ? $"{year}-{month}" : null;
        return DateOnly.TryParseExact(text, "yyyy-MM-dd", CultureInfo.InvariantCulture, DateTimeStyles.None, out _) ? text : null;
    }

    private static List<string> GivenNames(IdentitePivot identite)
    {
        IEnumerable<string> names = identite.GivenNameArray is { Count: > 0 } array
            ? array
            : (identite.GivenName ?? "").Split(' ', StringSplitOptions.RemoveEmptyEntries);
        return [.. names.Select(Name).Where(name => name.Length > 0)];
    }

    private static bool IsSeparator(Rune rune) =>
        Rune.IsWhiteSpace(rune)
        || Rune.GetUnicodeCategory(rune) is UnicodeCategory.DashPunctuation
        || rune.Value is '\'' or '`' or '´' or '\u2018' or '\u2019' or '\u201B' or '\u02BC' or '\u2032' or '\u00AD';

    [GeneratedRegex(@"\A(?<year>[0-9]{4})(?:-(?<month>[0-9]{2})(?:-(?<day>[0-9]{2}))?)?\z", RegexOptions.CultureInvariant)]
    private static partial Regex PartialDate();
}
