namespace DroitsAmeli.Simulators;

internal static partial class PersonaFamilies
{
    private const int SharedChildOrder = 998;

    private static readonly string[] FifteenChildren =
        ["Malo", "Enora", "Ewen", "Maïwenn", "Titouan", "Bleuenn", "Youenn", "Flora", "Gaspard", "Apolline", "Basile", "Capucine", "Côme"];

    private static IEnumerable<PersonaFamily> People() =>
    [
        Family("julie-moreau", "Jumelles de huit ans (rang_naissance 1 et 2)",
            Femme("Moreau", "Julie", "1986-08-23", "86194"), (f, user) => f
                .Assure(user)
                .Enfant("Moreau", "Manon", male: false, age: 8, rang: 1)
                .Enfant("Moreau", "Léa", male: false, age: 8, rang: 2)),
        Family("camille-lefevre", "Nouveau-né de douze jours, sans NIR, et exonération NE",
            Femme("Lefèvre", "Camille, Rose", "1995-05-29", "80021"), (f, user) =>
            {
                var birth = f.P.Today.AddDays(-12);
                f.Assure(user, exonerations: [f.P.Maternite(dueInDays: -12)])
                    .With(new EtatCivil(true, "Lefèvre", ["Gabriel"], new DateNaissance(birth.Year, birth.Month, birth.Day), "80021"), "enfant",
                        exonerations: [Prestations.NouveauNe(birth)], medecins: [], withoutNir: true)
                    .Enfant("Lefèvre", "Jade", male: false, age: 4);
            }),
        Family("jean-delacroix", "Famille de quinze personnes",
            Homme("Delacroix", "Jean, Marie, Joseph", "1979-03-19", "85191"), (f, user) =>
            {
                f.In(Caisses.Of("441")).Assure(user)
                    .With(Femme("des Roches", "Clémence", "1980-11-02", "85191"), "conjoint", "Delacroix");
                for (var child = 0; child < FifteenChildren.Length; child++)
                    f.Enfant("Delacroix", FifteenChildren[child], male: child % 2 == 0, age: 17 - child, order: 990 + child % 8);
            }),
        Family("marie-casanova", "Née en Corse avant 1976 (département 20 dans le NIR)",
            Femme("Casanova", "Marie, Angèle", "1961-05-15", "2A004"), (f, user) => f.In(Caisses.Of("201")).Assure(user)),
        Family("ange-mattei", "Né en Haute-Corse après 1976 (2B dans le NIR)",
            Homme("Mattei", "Ange, Toussaint", "1983-11-01", "2B033"), (f, user) => f.In(Caisses.Of("202"))
                .Assure(user)
                .Enfant("Mattei", "Anna", male: false, age: 6)),
        Family("jocelyne-payet", "Née à La Réunion (974), caisse d'outre-mer",
            Femme("Payet", "Jocelyne", "1970-09-09", "97411"), (f, user) => f.In(Caisses.Of("974")).Assure(user, exonerations: [f.P.AldListe()])),
        Family("fatou-ndiaye", "Née au Sénégal (99341) : lieu de naissance vide, apostrophe dans le nom",
            Femme("N'Diaye", "Fatou, Bintou", "1992-12-24", "99341"), (f, user) => f.In(Caisses.Of("931"))
                .Assure(user)
                .Enfant("N'Diaye", "Ibrahim", male: true, age: 2)),
        Family("louise-benoit", "Née à Oran avant 1963 (92 352 dans le NIR)",
            Femme("Benoît", "Louise, Odette", "1944-02-14", "99352"), (f, user) => f.In(Caisses.Of("342")).Assure(user)),
        Family("mohamed-haddad", "Année de naissance seule connue (1950-00-00), né au Maroc",
            Homme("Haddad", "Mohamed", "1950", "99350"), (f, user) => f.In(Caisses.Of("751")).Assure(user, exonerations: [f.P.AldListe()])),
        Family("aicha-belkacem", "Année de naissance seule connue, écrite 1957-01-01 par FranceConnect",
            Femme("Belkacem", "Aïcha", "1957", "99351"), (f, user) => f.In(Caisses.Of("691")).Assure(user), birthdate: "1957-01-01"),
        Family("rosa-ferreira", "Mois de naissance connu, jour inconnu (1963-07-00), née au Portugal",
            Femme("Ferreira", "Rosa, Maria", "1963-07", "99139"), (f, user) => f.In(Caisses.Of("331")).Assure(user)),
        Family("aurore-lhermitte", "Nom à apostrophe et ligature, prénom composé",
            Femme("L'Hermitte-Lebœuf", "Marie-Aurore, Zoé", "1985-01-31", "76540"), (f, user) => f.In(Caisses.Of("921")).Assure(user, "Læmmel")),
        new PersonaFamily(
            [new Persona("thomas-girard", "Père séparé : enfant rattaché aux deux parents (caisse de Paris)", Homme("Girard", "Thomas", "1985-04-16", "75112").ToFranceConnect())],
            f => f.In(Caisses.Of("751")).Assure(Homme("Girard", "Thomas", "1985-04-16", "75112"))
                .Enfant("Girard", "Éléna", male: false, age: 9, order: SharedChildOrder, lieu: "75112")),
        new PersonaFamily(
            [new Persona("laure-dubois", "Mère séparée : le même enfant, vu de sa propre famille (caisse de la Gironde)", Femme("Dubois", "Laure", "1987-09-30", "33063").ToFranceConnect())],
            f => f.In(Caisses.Of("331")).Assure(Femme("Dubois", "Laure", "1987-09-30", "33063"))
                .Enfant("Girard", "Éléna", male: false, age: 9, medecins: [f.P.Medecin(77)], order: SharedChildOrder, lieu: "75112")
                .Enfant("Dubois", "Nino", male: true, age: 3)),
        Family("francois-roy", "Enfant majeur encore rattaché, et un enfant mineur",
            Homme("Roy", "François", "1968-06-24", "37261"), (f, user) => f
                .Assure(user)
                .Enfant("Roy", "Victoire", male: false, age: 20)
                .Enfant("Roy", "Augustin", male: true, age: 15)),
        new PersonaFamily(
            [new Persona("jean-dupont", "Identité ambiguë : deux personnes répondent (409)", Homme("Dupont", "Jean", "1972-01-15", "69123").ToFranceConnect())],
            f => f.In(Caisses.Of("691")).Assure(Homme("Dupont", "Jean, Louis", "1972-01-15", "69123"))),
        new PersonaFamily([], f => f.In(Caisses.Of("061")).With(Homme("Dupont", "Jean, Paul", "1972-01-15", "69123"), "assure", order: 991)),
    ];

    private static IEnumerable<PersonaFamily> Marks() =>
    [
        Family("isabelle-mercier", "Un enfant à accès restreint (dossier sensible), un autre non",
            Femme("Mercier", "Isabelle", "1977-04-04", "54395"), (f, user) => f
                .Assure(user)
                .Enfant("Mercier", "Sacha", male: true, age: 16, marks: child => child with { Restrictions = ["autonomie", "dossier_sensible"] })
                .Enfant("Mercier", "Iris", male: false, age: 10)),
        Family("paul-garnier", "Conjoint et enfant décédés, un enfant vivant",
            Homme("Garnier", "Paul", "1975-10-28", "14118"), (f, user) => f
                .Assure(user)
                .With(Femme("Joly", "Hélène", "1976-02-02", "14118"), "conjoint", "Garnier", marks: member => member with { DateDeces = f.P.Today.AddDays(-200) })
                .Enfant("Garnier", "Arthur", male: true, age: 14)
                .Enfant("Garnier", "Nina", male: false, age: 12, marks: child => child with { DateDeces = f.P.Today.AddDays(-200) })),
        Family("christine-blanchard", "Un enfant détaché depuis un mois, un autre rattaché dans deux semaines, un troisième rattaché",
            Femme("Blanchard", "Christine", "1981-12-31", "51108"), (f, user) => f
                .Assure(user)
                .Enfant("Blanchard", "Noah", male: true, age: 15,
                    marks: child => child with { Rattachement = new PeriodeSi(f.P.Today.AddDays(-3000), f.P.Today.AddDays(-30)) })
                .Enfant("Blanchard", "Mila", male: false, age: 5,
                    marks: child => child with { Rattachement = new PeriodeSi(f.P.Today.AddDays(14), null) })
                .Enfant("Blanchard", "Jules", male: true, age: 8,
                    marks: child => child with { Rattachement = new PeriodeSi(f.P.Today.AddDays(-2000), f.P.Today.AddDays(2000)) })),
        Family("roger-decede", "L'utilisateur lui-même est décédé : rien n'est montré",
            Homme("Caron", "Roger", "1938-08-15", "62041"), (f, user) => f
                .With(user, "assure", marks: member => member with { DateDeces = f.P.Today.AddDays(-15) })),
        Family("sarah-majeure", "Enfant majeure qui se connecte elle-même : n'ouvre que ses propres droits",
            Femme("Rolland", "Sarah", "2005-06-10", "63113"), (f, user) => f
                .Assure(Homme("Rolland", "Michel", "1970-01-20", "63113"))
                .With(user, "enfant")
                .Enfant("Rolland", "Oscar", male: true, age: 13)),
    ];

    private static IEnumerable<PersonaFamily> Births() =>
    [
        Family("elise-nouveau-ne", "Nouveau-né de dix jours qui a déjà son NIR : exonération NE, jamais donnée à un organisme complémentaire",
            Femme("Fournier", "Élise", "1994-02-08", "63113"), (f, user) =>
            {
                var birth = f.P.Today.AddDays(-10);
                f.Assure(user, exonerations: [f.P.Maternite(dueInDays: -10)])
                    .With(new EtatCivil(false, "Fournier", ["Agathe"], new DateNaissance(birth.Year, birth.Month, birth.Day), "63113"), "enfant",
                        exonerations: [Prestations.NouveauNe(birth)], medecins: []);
            }),
    ];
}
