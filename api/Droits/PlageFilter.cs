using DroitsAmeli.Grains.Droits;

namespace DroitsAmeli.Api.Droits;

/// <summary>
/// The resources of the contract, read off a cached part through the window of a search. Pure, and the same for every caller:
/// what a caller may see of them is decided afterwards by <see cref="MaskingPolicy"/>. Source: the contract.
/// </summary>
public static class PlageFilter
{
    /// <summary>
    /// A member of the family with the two booleans computed over the window. They are left out where the periods they need are
    /// not known, and for a newborn without NIR, whose rights cannot be asked for.
    /// </summary>
    public static Beneficiaire Beneficiaire(Membre membre, PlageRecherche plage)
    {
        var presences = membre.Beneficiaire.Nir is null ? null : membre.Presences;
        return membre.Beneficiaire with
        {
            PresenceCmucAcs = presences?.Amc.Any(plage.Overlaps),
            MedecinTraitantChoisi = presences?.MedecinTraitant.Any(plage.Overlaps),
        };
    }

    /// <summary>The caisse as known on the day of the call, whatever the window; null when the SI gave none.</summary>
    public static Caisse? Caisse(DroitsBeneficiaire droits) => droits.Caisse;

    /// <summary>The contracts that overlap the window, in the SI's order, each with its periods that do, from the earliest on.</summary>
    public static IReadOnlyList<Contrat> Contrats(DroitsBeneficiaire droits, PlageRecherche plage) =>
    [
        .. droits.Contrats
            .Where(contrat => IsIn(contrat, plage))
            .Select(contrat => contrat with
            {
                DateDebut = plage.OnlyIfFuture(contrat.DateDebut),
                DateFin = plage.ClampEnd(contrat.DateFin),
                PeriodesDroits =
                [
                    .. contrat.PeriodesDroits
                        .Where(plage.Overlaps)
                        .Select(periode => periode with { DateFin = plage.ClampEnd(periode.DateFin) })
                        .OrderBy(periode => Start(periode.DateDebut))
                        .ThenBy(periode => End(periode.DateFin)),
                ],
            }),
    ];

    /// <summary>
    /// The exemptions that overlap the window, sorted by the dates that are shown and by nothing else: a real beginning that is not
    /// shown, or a reason, must not be told by the order.
    /// </summary>
    public static IReadOnlyList<Exoneration> Exonerations(DroitsBeneficiaire droits, PlageRecherche plage) =>
    [
        .. droits.Exonerations
            .Where(exoneration => plage.Overlaps(exoneration.DateDebut, exoneration.DateFin))
            .Select(exoneration => exoneration with
            {
                DateDebut = plage.OnlyIfFuture(exoneration.DateDebut),
                DateFin = plage.ClampEnd(exoneration.DateFin),
            })
            .OrderBy(exoneration => Start(exoneration.DateDebut))
            .ThenBy(exoneration => End(exoneration.DateFin)),
    ];

    /// <summary>
    /// The doctor who is valid on the first day of the window (the latest chosen, if several are), else the next to come inside it,
    /// else one whose time ended between the day of the call and that first day and who has no successor (échu).
    /// </summary>
    /// <returns>Null when there is none: 404 <c>medecin_traitant_absent</c>.</returns>
    public static MedecinTraitant? MedecinTraitant(DroitsBeneficiaire droits, PlageRecherche plage)
    {
        var medecins = droits.MedecinsTraitants;
        var medecin = medecins.Where(candidate => IsValidOn(candidate, plage.DateDebut)).MaxBy(candidate => Start(candidate.DateDebut))
            ?? medecins.Where(candidate => candidate.DateDebut > plage.DateDebut && candidate.DateDebut <= plage.DateFin).MinBy(candidate => candidate.DateDebut)
            ?? LastEnded(medecins, plage);

        return medecin is null ? null : medecin with { DateFin = plage.ClampEnd(medecin.DateFin) };
    }

    private static MedecinTraitant? LastEnded(IReadOnlyList<MedecinTraitant> medecins, PlageRecherche plage)
    {
        var ended = medecins.Where(candidate => candidate.DateFin >= plage.Aujourdhui && candidate.DateFin < plage.DateDebut).MaxBy(candidate => candidate.DateFin);
        return medecins.Any(candidate => candidate.DateDebut > ended?.DateFin) ? null : ended;
    }

    private static bool IsValidOn(MedecinTraitant medecin, DateOnly day) => Start(medecin.DateDebut) <= day && End(medecin.DateFin) >= day;

    /// <summary>A contract without dates of its own is dated by its periods.</summary>
    private static bool IsIn(Contrat contrat, PlageRecherche plage) =>
        contrat is { DateDebut: null, DateFin: null, PeriodesDroits.Count: > 0 }
            ? contrat.PeriodesDroits.Any(plage.Overlaps)
            : plage.Overlaps(contrat.DateDebut, contrat.DateFin);

    private static bool Overlaps(this PlageRecherche plage, PeriodeDroits periode) => plage.Overlaps(periode.DateDebut, periode.DateFin);

    private static DateOnly Start(DateOnly? debut) => debut ?? DateOnly.MinValue;

    private static DateOnly End(DateOnly? fin) => fin ?? DateOnly.MaxValue;
}
