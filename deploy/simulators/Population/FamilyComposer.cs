using System.Globalization;

namespace DroitsAmeli.Simulators;

/// <summary>Composes one named family. NIR orders start at 990, where the bulk population never goes.</summary>
internal sealed class FamilyComposer(Prestations prestations)
{
    private readonly List<MembreSimule> _members = [];
    private int _order = PersonSpace.LastOrder;

    public Prestations P => prestations;

    public CaisseSi Caisse { get; private set; } = Caisses.RegimeGeneral[0];

    public IReadOnlyList<MembreSimule> Members => _members;

    public FamilyComposer In(CaisseSi caisse)
    {
        Caisse = caisse;
        return this;
    }

    /// <summary>Adds a member; base rights and a doctor unless said otherwise.</summary>
    public FamilyComposer With(
        EtatCivil civil,
        string qualite,
        string? nomUsage = null,
        IReadOnlyList<ContratSi>? contrats = null,
        IReadOnlyList<ExonerationSi>? exonerations = null,
        IReadOnlyList<MedecinTraitantSi>? medecins = null,
        int rang = 1,
        bool withoutNir = false,
        int? order = null,
        Func<BeneficiaireSi, BeneficiaireSi>? marks = null)
    {
        var droits = new DroitsSi
        {
            Caisse = Caisse,
            Contrats = contrats ?? [prestations.Base()],
            Exonerations = exonerations ?? [],
            MedecinsTraitants = medecins ?? [prestations.Medecin(StableNumber(civil.Nom))],
        };
        var beneficiaire = new BeneficiaireSi
        {
            Nir = withoutNir ? null : NirOf(civil, order ?? ++_order),
            NomFamille = civil.Nom,
            NomUsage = nomUsage,
            Prenom = civil.Prenoms[0],
            DateNaissance = civil.Naissance.Complete,
            RangNaissance = rang,
            Qualite = qualite,
            Presences = droits.Presences,
        };
        _members.Add(new MembreSimule(civil, marks?.Invoke(beneficiaire) ?? beneficiaire, droits));
        return this;
    }

    public FamilyComposer Assure(
        EtatCivil civil,
        string? nomUsage = null,
        IReadOnlyList<ContratSi>? contrats = null,
        IReadOnlyList<ExonerationSi>? exonerations = null,
        IReadOnlyList<MedecinTraitantSi>? medecins = null) =>
        With(civil, "assure", nomUsage, contrats, exonerations, medecins);

    /// <summary>Adds a child that turns <paramref name="age"/> this year, born where the assuré was unless said otherwise.</summary>
    public FamilyComposer Enfant(
        string nom, string prenom, bool male, int age,
        IReadOnlyList<ContratSi>? contrats = null,
        IReadOnlyList<ExonerationSi>? exonerations = null,
        IReadOnlyList<MedecinTraitantSi>? medecins = null,
        int rang = 1,
        Func<BeneficiaireSi, BeneficiaireSi>? marks = null,
        int? order = null,
        string? lieu = null) =>
        With(new EtatCivil(male, nom, [prenom], new DateNaissance(prestations.Today.Year - age, 5, 14), lieu ?? PlaceOfBirths), "enfant",
            null, contrats, exonerations, medecins, rang, order: order, marks: marks);

    private string PlaceOfBirths => Lieux.IsAbroad(_members[0].EtatCivil.Lieu) ? "93066" : _members[0].EtatCivil.Lieu;

    private static string NirOf(EtatCivil civil, int order) => NumeroNir.Write(
        civil.Male, civil.Naissance.Annee, civil.Naissance.Mois ?? 30, Lieux.AtBirth(civil.Lieu, civil.Naissance.Annee), order);

    private static int StableNumber(string text) => text.Aggregate(17, (sum, character) => (sum * 31 + character) & 0xFFFFFF);

    /// <summary>A man's civil status.</summary>
    public static EtatCivil Homme(string nom, string prenoms, string naissance, string lieu) => Civil(true, nom, prenoms, naissance, lieu);

    /// <summary>A woman's civil status.</summary>
    public static EtatCivil Femme(string nom, string prenoms, string naissance, string lieu) => Civil(false, nom, prenoms, naissance, lieu);

    private static EtatCivil Civil(bool male, string nom, string prenoms, string naissance, string lieu) =>
        DateNaissance.TryParse(naissance, out var birth)
            ? new EtatCivil(male, nom, prenoms.Split(", "), birth, lieu)
            : throw new FormatException(string.Create(CultureInfo.InvariantCulture, $"Not a birth date: {naissance}."));
}
