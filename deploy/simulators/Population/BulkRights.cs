namespace DroitsAmeli.Simulators;

/// <summary>Draws the rights of the bulk population's persons.</summary>
internal sealed class BulkRights(long seed, Prestations prestations)
{
    /// <param name="index">The family that is looked at: its caisse, its contracts, its doctors.</param>
    /// <param name="owner">The family in which the person is registered; another one for a child of two parents.</param>
    /// <param name="rank">The person's rank there.</param>
    /// <param name="civil">The person.</param>
    /// <param name="plan">The family that is looked at.</param>
    public DroitsSi Of(long index, long owner, int rank, EtatCivil civil, FamilyPlan plan) => new()
    {
        Caisse = plan.Caisse,
        Contrats = Contracts(new Draw(seed, index, 0, 8)),
        Exonerations = Exemptions(new Draw(seed, owner, rank, 9), civil, rank),
        MedecinsTraitants = Doctors(new Draw(seed, index, rank, 10)),
    };

    private List<ContratSi> Contracts(Draw draw)
    {
        var contracts = new List<ContratSi>(2)
        {
            draw.Next(1000) switch
            {
                < 4 => prestations.AideMedicaleEtat(),
                < 6 => prestations.Detenu(),
                < 16 => prestations.FutureBase(draw.Between(1, 120)),
                < 50 => prestations.EndingBase(draw.Between(0, 300)),
                _ => prestations.Base(draw.Between(100, 4000)),
            },
        };
        var solidaire = draw.Next(100);
        if (solidaire < 12)
            contracts.Add(prestations.Solidaire(withParticipation: solidaire >= 9, draw.Between(-30, 330)));
        return contracts;
    }

    private List<ExonerationSi> Exemptions(Draw draw, EtatCivil civil, int rank)
    {
        var exemptions = new List<ExonerationSi>(1);
        var age = prestations.Today.Year - civil.Naissance.Annee;
        if (rank == 15 && civil.Naissance.Complete is { } birth)
            exemptions.Add(Prestations.NouveauNe(birth));
        if (draw.Chance(age > 60 ? 35 : age > 40 ? 12 : 3))
            exemptions.Add(draw.Next(10) switch
            {
                < 8 => prestations.AldListe(draw.Between(1, 1700)),
                8 => prestations.Polypathologie(),
                _ => prestations.AldHorsListe(),
            });
        if (!civil.Male && age is >= 20 and <= 43 && rank < 2)
        {
            if (draw.Chance(4))
                exemptions.Add(prestations.Maternite(draw.Between(-10, 120)));
            else if (draw.Chance(1))
                exemptions.Add(prestations.Sterilite());
        }

        if (rank >= 2 && age is >= 6 and <= 17 && draw.Chance(1))
            exemptions.Add(prestations.EducationSpecialisee());
        if (age > 30 && draw.Chance(0.3))
            exemptions.Add(draw.Chance(50) ? prestations.Article115() : prestations.Invalide());
        return exemptions;
    }

    private List<MedecinTraitantSi> Doctors(Draw draw)
    {
        var doctor = draw.Next(50_000);
        var roll = draw.Next(100);
        if (roll < 12)
            return [];
        if (roll >= 17)
            return [prestations.Medecin(doctor, draw.Between(10, 5000))];

        var ends = draw.Between(0, 200);
        var leaving = prestations.Medecin(doctor, draw.Between(500, 5000), ends);
        return roll < 15 ? [leaving] : [leaving, prestations.Medecin(doctor + 1, -ends - 1)];
    }
}
