using System.Globalization;

namespace DroitsAmeli.Simulators;

/// <summary>Makes contracts, exemptions and doctors whose dates are plausible on the given day.</summary>
/// <param name="today">The day in Paris.</param>
internal sealed class Prestations(DateOnly today)
{
    public DateOnly Today => today;

    /// <summary>Base rights; the end lies beyond what the API may show.</summary>
    public ContratSi Base(int sinceDays = 700) =>
        Contract("AMO", "BASE", "Droits de base (contrat sans spécificité)", today.AddDays(-sinceDays), new DateOnly(today.Year + 1, 12, 31));

    /// <summary>Base rights that start later.</summary>
    public ContratSi FutureBase(int inDays) =>
        Contract("AMO", "BASE", "Droits de base (contrat sans spécificité)", today.AddDays(inDays), new DateOnly(today.Year + 2, 12, 31));

    /// <summary>Base rights that end within the year.</summary>
    public ContratSi EndingBase(int inDays) =>
        Contract("AMO", "BASE", "Droits de base (contrat sans spécificité)", today.AddDays(-900), today.AddDays(inDays));

    /// <summary>Complémentaire santé solidaire, granted for one year.</summary>
    public ContratSi Solidaire(bool withParticipation, int sinceDays)
    {
        var start = today.AddDays(-sinceDays);
        return Contract("AMC", withParticipation ? "C2SP" : "C2S",
            $"Complémentaire santé solidaire {(withParticipation ? "avec" : "sans")} participation financière", start, start.AddYears(1).AddDays(-1));
    }

    public ContratSi AideMedicaleEtat() =>
        Contract("AMO", "AME", "Aide médicale de l'État", today.AddDays(-100), today.AddDays(264));

    public ContratSi Detenu() =>
        Contract("AMO", "DET", "Personne écrouée (sans reste à charge)", today.AddDays(-200), new DateOnly(today.Year + 1, 12, 31));

    public ExonerationSi AldListe(int sinceDays = 800, int forDays = 1825) =>
        Exemption("LIS", "ALD liste", "Affection de longue durée inscrite sur la liste", sinceDays, forDays);

    public ExonerationSi Polypathologie() =>
        Exemption("EXP", "Polypathologie", "Plusieurs affections entraînant un état pathologique invalidant", 400, 1095);

    public ExonerationSi AldHorsListe(int sinceDays = 150) =>
        Exemption("EXC", "ALD hors liste", "Affection de longue durée hors liste", sinceDays, 730);

    public ExonerationSi Sterilite() => Exemption("STE", "Stérilité", "Investigations et traitement de la stérilité", 60, 700);

    public ExonerationSi Invalide() => Exemption("INV", "Invalidité", "Titulaire d'une pension d'invalidité d'un petit régime", 900, 4000);

    public ExonerationSi EducationSpecialisee() => Exemption("EDS", "Éducation spécialisée", "Enfant en établissement d'éducation spécialisée", 300, 900);

    public ExonerationSi Article115() => Exemption("A115_DET_PML", "Art. 115", "Article 115, détenu ou pensionné militaire", 500, 5000);

    public static ExonerationSi NouveauNe(DateOnly birth) =>
        new(new MotifSi("NE", "Nouveau-né", "Nouveau-né, soins des trente premiers jours"), birth, birth.AddDays(30));

    /// <summary>From the sixth month of pregnancy to twelve days after the birth.</summary>
    /// <param name="dueInDays">Days to the expected birth; negative after it.</param>
    public ExonerationSi Maternite(int dueInDays)
    {
        var due = today.AddDays(dueInDays);
        var conception = due.AddDays(-273);
        return new ExonerationSi(new MotifSi("MAT", "Maternité", "Assurance maternité"), due.AddDays(-121), due.AddDays(12),
            new MaterniteSi(conception, dueInDays < 0 ? due : null));
    }

    /// <summary>A doctor drawn from a number: the same number gives the same doctor.</summary>
    public MedecinTraitantSi Medecin(int number, int sinceDays = 1500, int? endsInDays = null)
    {
        var draw = new Draw(number, 0x4D54);
        var male = draw.Chance(50);
        var numero = string.Create(CultureInfo.InvariantCulture, $"{draw.Between(1, 95):00}1{draw.Next(1_000_000):000000}");
        return new MedecinTraitantSi(draw.Pick(Noms.Famille).ToUpperInvariant(), draw.Pick(male ? Noms.AdultMen : Noms.AdultWomen), numero,
            today.AddDays(-sinceDays), endsInDays is { } days ? today.AddDays(days) : null);
    }

    private static ContratSi Contract(string nature, string code, string label, DateOnly start, DateOnly end) =>
        new(nature, new DetailsContratSi(code, label), start, end, [new PeriodeSi(start, end)]);

    private ExonerationSi Exemption(string code, string label, string longLabel, int sinceDays, int forDays) =>
        new(new MotifSi(code, label, longLabel), today.AddDays(-sinceDays), today.AddDays(forDays - sinceDays));
}
