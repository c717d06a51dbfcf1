using System.Diagnostics.CodeAnalysis;
using System.Globalization;

namespace DroitsAmeli.Grains.Droits;

/// <summary>
/// The window of a search, from <see cref="DateDebut"/> to <see cref="DateFin"/>, both ends included. Nothing about the past, and
/// nothing beyond <see cref="Horizon"/>, one year after the day of the call. Source: the contract.
/// </summary>
public sealed record PlageRecherche
{
    private static readonly TimeZoneInfo Martinique = TimeZoneInfo.FindSystemTimeZoneById("America/Martinique");

    private PlageRecherche(DateOnly dateDebut, DateOnly dateFin, DateOnly aujourdhui) =>
        (DateDebut, DateFin, Aujourdhui) = (dateDebut, dateFin, aujourdhui);

    /// <summary>First day of the window.</summary>
    public DateOnly DateDebut { get; }

    /// <summary>Last day of the window, at most the horizon.</summary>
    public DateOnly DateFin { get; }

    /// <summary>The day of the call, in Paris.</summary>
    public DateOnly Aujourdhui { get; }

    /// <summary>One year after the day of the call: no end of right is known beyond it.</summary>
    public DateOnly Horizon => Aujourdhui.AddYears(1);

    /// <summary>Reads the two optional query parameters (ISO dates) against the instant of the call.</summary>
    /// <param name="dateDebut">Null when absent: the day of the call.</param>
    /// <param name="dateFin">Null when absent: one year after the first day.</param>
    /// <param name="now">The instant of the call.</param>
    /// <param name="plage">The window, when both parameters are acceptable.</param>
    /// <param name="parametre">The name of the parameter to blame, otherwise.</param>
    public static bool TryCreate(
        string? dateDebut,
        string? dateFin,
        DateTimeOffset now,
        [NotNullWhen(true)] out PlageRecherche? plage,
        [NotNullWhen(false)] out string? parametre)
    {
        plage = null;
        var today = Paris.DayOf(now);
        var horizon = today.AddYears(1);

        // An overseas hospital that calls in its evening still writes the day that Paris has just left.
        var readAsToday = Paris.DayIn(Martinique, now);

        var debut = today;
        var stillYesterday = false;
        if (dateDebut is not null)
        {
            if (!TryReadDate(dateDebut, out debut))
                return Blame("dateDebut", out parametre);
            stillYesterday = debut < today && debut == readAsToday;
            if (stillYesterday)
                debut = today;
            if (debut < today || debut > horizon)
                return Blame("dateDebut", out parametre);
        }

        var fin = debut.AddYears(1);
        if (dateFin is not null)
        {
            if (!TryReadDate(dateFin, out fin))
                return Blame("dateFin", out parametre);
            if (stillYesterday && fin == readAsToday)
                fin = today;
            if (fin < debut)
                return Blame("dateFin", out parametre);
        }

        plage = new PlageRecherche(debut, fin > horizon ? horizon : fin, today);
        parametre = null;
        return true;
    }

    /// <summary>True when a record that runs from <paramref name="debut"/> to <paramref name="fin"/> (null: unbounded) has a day in the window.</summary>
    public bool Overlaps(DateOnly? debut, DateOnly? fin) =>
        (debut is null || debut <= DateFin) && (fin is null || fin >= DateDebut);

    /// <summary>An end of right as it may be shown: never beyond the horizon.</summary>
    public DateOnly? ClampEnd(DateOnly? fin) => fin > Horizon ? Horizon : fin;

    /// <summary>A beginning as it may be shown where the contract gives it only for the future; relative to the day of the call.</summary>
    public DateOnly? OnlyIfFuture(DateOnly? debut) => debut > Aujourdhui ? debut : null;

    private static bool TryReadDate(string text, out DateOnly date) =>
        DateOnly.TryParseExact(text, "yyyy-MM-dd", CultureInfo.InvariantCulture, DateTimeStyles.None, out date);

    private static bool Blame(string name, out string? parametre)
    {
        parametre = name;
        return false;
    }
}
