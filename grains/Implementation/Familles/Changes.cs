using DroitsAmeli.Grains.Droits;

namespace DroitsAmeli.Grains.Familles;

/// <summary>When the data itself changes: a right that ends today is another right tomorrow.</summary>
internal static class Changes
{
    /// <summary>The first midnight in Paris after that instant at which something in the rights begins or has ended; null when nothing will.</summary>
    public static DateTimeOffset? Next(DroitsBeneficiaire droits, DateTimeOffset after) => Next(
        droits.Contrats.SelectMany(contrat => contrat.PeriodesDroits.Append(new() { DateDebut = contrat.DateDebut, DateFin = contrat.DateFin }))
            .Concat(droits.Exonerations.Select(exoneration => new PeriodeDroits { DateDebut = exoneration.DateDebut, DateFin = exoneration.DateFin }))
            .Concat(droits.MedecinsTraitants.Select(medecin => new PeriodeDroits { DateDebut = medecin.DateDebut, DateFin = medecin.DateFin })),
        after);

    /// <summary>The same for a family's composition.</summary>
    public static DateTimeOffset? Next(Composition composition, DateTimeOffset after) => Next(
        composition.Membres.SelectMany(membre => (membre.Presences is { } presences ? presences.Amc.Concat(presences.MedecinTraitant) : [])
            .Concat(membre.Rattachement is { } rattachement ? [rattachement] : [])),
        after);

    private static DateTimeOffset? Next(IEnumerable<PeriodeDroits> periods, DateTimeOffset after)
    {
        var today = Paris.DayOf(after);
        DateOnly? first = null;
        foreach (var period in periods)
        {
            Consider(period.DateDebut);
            Consider(period.DateFin is { } end && end < DateOnly.MaxValue ? end.AddDays(1) : null);
        }

        return first is { } day ? Paris.StartOf(day) : null;

        void Consider(DateOnly? day)
        {
            if (day > today && (first is null || day < first))
                first = day;
        }
    }
}
