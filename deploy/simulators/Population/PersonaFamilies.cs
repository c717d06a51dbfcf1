namespace DroitsAmeli.Simulators;

/// <summary>A named family: who can log in from it, and how it is composed on a given day.</summary>
internal sealed record PersonaFamily(IReadOnlyList<Persona> Users, Action<FamilyComposer> Compose);

/// <summary>The families behind <see cref="Personas"/>. Their order gives their ids: new ones come last.</summary>
internal static partial class PersonaFamilies
{
    public static IReadOnlyList<PersonaFamily> Definitions { get; } = [.. Rights(), .. People(), .. Regimes(), .. Marks(), .. Births()];

    /// <summary>All named families as they are on the day of these rights.</summary>
    public static IEnumerable<FamilleSimulee> All(Prestations prestations, FamilleId ids) =>
        Definitions.Select((definition, position) =>
        {
            var composer = new FamilyComposer(prestations);
            definition.Compose(composer);
            var number = FamilleId.FirstPersona + position;
            return new FamilleSimulee(number, ids.Write(number), composer.Members);
        });

    private static PersonaFamily Family(string id, string description, EtatCivil user, Action<FamilyComposer, EtatCivil> compose, string? birthdate = null)
    {
        var identite = user.ToFranceConnect();
        return new PersonaFamily([new Persona(id, description, birthdate is null ? identite : identite with { Birthdate = birthdate })],
            composer => compose(composer, user));
    }

    private static EtatCivil Homme(string nom, string prenoms, string naissance, string lieu) => FamilyComposer.Homme(nom, prenoms, naissance, lieu);

    private static EtatCivil Femme(string nom, string prenoms, string naissance, string lieu) => FamilyComposer.Femme(nom, prenoms, naissance, lieu);

    private static IEnumerable<PersonaFamily> Rights() =>
    [
        Family("alice-martin", "Assurée avec ALD, médecin traitant, conjoint et deux enfants : la démonstration complète",
            Femme("Martin", "Alice, Marie, Élodie", "1984-03-12", "26362"), (f, user) => f
                .Assure(user, "Lefèvre", exonerations: [f.P.AldListe()])
                .With(Homme("Lefèvre", "Julien, Paul", "1982-07-25", "69123"), "conjoint")
                .Enfant("Lefèvre", "Chloé", male: false, age: 11)
                .Enfant("Lefèvre", "Léo", male: true, age: 7, medecins: [])),
        Family("lucie-bernard", "Maternité en cours (MAT, accouchement prévu dans deux mois)",
            Femme("Bernard", "Lucie", "1993-06-18", "31555"), (f, user) => f.In(Caisses.Of("311"))
                .Assure(user, exonerations: [f.P.Maternite(dueInDays: 60)])
                .Enfant("Bernard", "Tom", male: true, age: 3)),
        Family("karim-benali", "Complémentaire santé solidaire sans participation (C2S), famille de trois",
            Homme("Benali", "Karim", "1988-01-09", "93066"), (f, user) => f.In(Caisses.Of("931"))
                .Assure(user, contrats: [f.P.Base(), f.P.Solidaire(false, 120)])
                .Enfant("Benali", "Yasmine", male: false, age: 9, contrats: [f.P.Base(), f.P.Solidaire(false, 120)])
                .Enfant("Benali", "Adam", male: true, age: 5, contrats: [f.P.Base(), f.P.Solidaire(false, 120)])),
        Family("sylvie-petit", "Complémentaire santé solidaire avec participation (C2SP), fin dans deux mois",
            Femme("Petit", "Sylvie", "1971-12-03", "59350"), (f, user) => f.In(Caisses.Of("595"))
                .Assure(user, contrats: [f.P.Base(), f.P.Solidaire(true, 305)])),
        Family("andre-roux", "Médecin traitant qui cesse son activité dans vingt jours, sans successeur (échu)",
            Homme("Roux", "André", "1949-02-20", "13055"), (f, user) => f.In(Caisses.Of("131"))
                .Assure(user, exonerations: [f.P.AldListe()], medecins: [f.P.Medecin(11, endsInDays: 20)])),
        Family("monique-faure", "Médecin traitant qui cesse son activité dans vingt jours, successeur déjà choisi",
            Femme("Faure", "Monique", "1953-10-11", "38185"), (f, user) => f.In(Caisses.Of("381"))
                .Assure(user, medecins: [f.P.Medecin(12, endsInDays: 20), f.P.Medecin(13, sinceDays: -21)])),
        Family("hugo-sans-medecin", "Assuré sans médecin traitant",
            Homme("Perrin", "Hugo", "1999-08-08", "44109"), (f, user) => f.In(Caisses.Of("441")).Assure(user, medecins: [])),
        Family("emma-futur", "Contrat de base qui commence dans un mois, C2S et médecin à venir",
            Femme("Girard", "Emma", "2001-04-27", "35238"), (f, user) => f.In(Caisses.Of("351"))
                .Assure(user, contrats: [f.P.FutureBase(30), f.P.Solidaire(false, -45)], medecins: [f.P.Medecin(14, sinceDays: -40)])),
        Family("denis-detenu", "Contrat d'un autre type (personne écrouée), montré BASE à un organisme complémentaire",
            Homme("Denis", "Fabrice", "1976-05-05", "59350"), (f, user) => f.In(Caisses.Of("595"))
                .Assure(user, contrats: [f.P.Detenu()], exonerations: [f.P.Article115()], medecins: [])),
        Family("ada-aide-medicale", "Contrat d'un autre type (aide médicale de l'État), née à l'étranger",
            Femme("Okafor", "Ada", "1990-09-14", "99338"), (f, user) => f.In(Caisses.Of("751"))
                .Assure(user, contrats: [f.P.AideMedicaleEtat()], medecins: [])),
        Family("pierre-polypathologie", "Polypathologie (EXP), et ALD hors liste (EXC) qui se termine dans quatre mois",
            Homme("Blanc", "Pierre, Henri", "1945-01-30", "87085"), (f, user) => f
                .Assure(user, exonerations: [f.P.Polypathologie(), f.P.AldHorsListe(sinceDays: 610)])),
        Family("claire-sterilite", "Exonération STE, et une autre (INV)",
            Femme("Morel", "Claire", "1989-03-03", "67482"), (f, user) => f.In(Caisses.Of("671"))
                .Assure(user, exonerations: [f.P.Sterilite(), f.P.Invalide()])),
        Family("olivier-droits-finissants", "Contrat de base qui se termine dans trois mois, enfant en éducation spécialisée (EDS)",
            Homme("Lacroix", "Olivier", "1980-10-19", "21231"), (f, user) => f.In(Caisses.Of("211"))
                .Assure(user, contrats: [f.P.EndingBase(90)])
                .Enfant("Lacroix", "Rose", male: false, age: 12, exonerations: [f.P.EducationSpecialisee()])),
    ];

    private static IEnumerable<PersonaFamily> Regimes() =>
    [
        Family("herve-legall", "Militaire, régime hébergé CNMSS (08835)",
            Homme("Le Gall", "Hervé", "1974-06-06", "29232"), (f, user) => f.In(Caisses.Cnmss).Assure(user)),
        Family("nicolas-fontaine", "Agent des industries électriques et gazières, régime hébergé CAMIEG (01928)",
            Homme("Fontaine", "Nicolas", "1978-02-17", "69123"), (f, user) => f.In(Caisses.Camieg).Assure(user)),
        Family("beatrice-simon", "Hospitalière, section locale MNH (01459)",
            Femme("Simon", "Béatrice", "1966-11-21", "45234"), (f, user) => f.In(Caisses.Mnh).Assure(user)),
        Family("therese-cavimac", "Religieuse retraitée, régime hébergé CAVIMAC (90)",
            Femme("d'Aboville", "Thérèse, Marie", "1941-10-01", "56260"), (f, user) => f.In(Caisses.Cavimac).Assure(user, exonerations: [f.P.AldListe(3000, 5000)])),
        new PersonaFamily(
            [
                new Persona("nadia-ayant-droit", "Ayant droit majeure d'un régime hébergé (conjoint) : n'ouvre que ses propres droits",
                    Femme("Cherif", "Nadia", "1987-07-07", "99352").ToFranceConnect()),
                new Persona("yves-camieg", "Assuré retraité CAMIEG avec conjoint ayant droit et enfant",
                    Homme("Kerbrat", "Yves", "1958-12-12", "29232").ToFranceConnect()),
            ],
            f => f.In(Caisses.Camieg)
                .Assure(Homme("Kerbrat", "Yves", "1958-12-12", "29232"))
                .With(Femme("Cherif", "Nadia", "1987-07-07", "99352"), "conjoint", "Kerbrat")
                .Enfant("Kerbrat", "Lou", male: false, age: 10)),
    ];
}
