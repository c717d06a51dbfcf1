using System.Globalization;

namespace DroitsAmeli.Simulators;

/// <summary>A birth date of which the month and the day may be unknown.</summary>
/// <param name="Annee">The year.</param>
/// <param name="Mois">The month; null when unknown.</param>
/// <param name="Jour">The day; null when unknown, and then the date is not given to anybody.</param>
public readonly record struct DateNaissance(int Annee, int? Mois, int? Jour)
{
    /// <summary>The date, when it is wholly known.</summary>
    public DateOnly? Complete => Mois is { } month && Jour is { } day ? new DateOnly(Annee, month, day) : null;

    /// <summary>The date as FranceConnect writes it today: unknown parts as 00.</summary>
    public string ToFranceConnect() => string.Create(CultureInfo.InvariantCulture, $"{Annee:0000}-{Mois ?? 0:00}-{Jour ?? 0:00}");

    /// <summary>Reads YYYY, YYYY-MM and YYYY-MM-DD; 00 stands for an unknown part.</summary>
    public static bool TryParse(string? text, out DateNaissance date)
    {
        date = default;
        if (text is null || text.Length is not (4 or 7 or 10) || (text.Length > 4 && text[4] != '-') || (text.Length > 7 && text[7] != '-')
            || !TryNumber(text.AsSpan(0, 4), out var year))
            return false;

        var month = 0;
        var day = 0;
        if ((text.Length > 4 && !TryNumber(text.AsSpan(5, 2), out month)) || (text.Length > 7 && !TryNumber(text.AsSpan(8, 2), out day)))
            return false;
        if (year < 1 || month > 12 || (month == 0 && day > 0) || (month > 0 && day > DateTime.DaysInMonth(year, month)))
            return false;

        date = new DateNaissance(year, month == 0 ? null : month, day == 0 ? null : day);
        return true;
    }

    /// <summary>
    /// True when an identity's date may be this person's: an unknown part here matches an unknown one or 01 there, which is how
    /// unknown parts are also written.
    /// </summary>
    public bool Matches(DateNaissance asked) =>
        Annee == asked.Annee && PartMatches(Mois, asked.Mois) && PartMatches(Jour, asked.Jour);

    private static bool PartMatches(int? known, int? asked) => known is null ? asked is null or 1 : asked == known;

    private static bool TryNumber(ReadOnlySpan<char> text, out int number) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out number);
}
