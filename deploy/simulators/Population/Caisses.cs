namespace DroitsAmeli.Simulators;

/// <summary>The caisses of the régime général and of the régimes hosted in its SI.</summary>
internal static class Caisses
{
    /// <summary>Caisses of the régime général, overseas included.</summary>
    public static readonly CaisseSi[] RegimeGeneral =
    [
        Cpam("261", "de la Drôme", "6", "AVENUE", "DU PRESIDENT EDOUARD HERRIOT", "26024", "VALENCE CEDEX"),
        Cpam("751", "de Paris", "21", "RUE", "GEORGES AURIC", "75948", "PARIS CEDEX 19"),
        Cpam("131", "des Bouches-du-Rhône", "56", "CHEMIN", "JOSEPH AIGUIER", "13297", "MARSEILLE CEDEX 09"),
        Cpam("691", "du Rhône", "276", "COURS", "EMILE ZOLA", "69619", "VILLEURBANNE CEDEX"),
        Cpam("311", "de la Haute-Garonne", "3", "BOULEVARD", "PROFESSEUR LEOPOLD ESCANDE", "31093", "TOULOUSE CEDEX 9"),
        Cpam("331", "de la Gironde", null, "PLACE", "DE L EUROPE", "33085", "BORDEAUX CEDEX"),
        Cpam("441", "de Loire-Atlantique", "9", "RUE", "GAETAN RONDEAU", "44958", "NANTES CEDEX 9"),
        Cpam("351", "d'Ille-et-Vilaine", "7", "COURS", "DES ALLIES", "35024", "RENNES CEDEX"),
        Cpam("342", "de l'Hérault", "29", "COURS", "GAMBETTA", "34934", "MONTPELLIER CEDEX 9"),
        Cpam("381", "de l'Isère", "2", "RUE", "DES ALLIES", "38045", "GRENOBLE CEDEX 9"),
        Cpam("061", "des Alpes-Maritimes", "48", "AVENUE", "DU ROI ROBERT COMTE DE PROVENCE", "06180", "NICE CEDEX 2"),
        Cpam("211", "de la Côte-d'Or", "8", "RUE", "DU DOCTEUR MARET", "21045", "DIJON CEDEX"),
        Cpam("671", "du Bas-Rhin", "16", "RUE", "DE LAUSANNE", "67090", "STRASBOURG CEDEX"),
        Cpam("595", "de Lille-Douai", "2", "RUE", "D IENA", "59895", "LILLE CEDEX 9"),
        Cpam("921", "des Hauts-de-Seine", "113", "RUE", "DES TROIS FONTANOT", "92026", "NANTERRE CEDEX"),
        Cpam("931", "de la Seine-Saint-Denis", "195", "AVENUE", "PAUL VAILLANT COUTURIER", "93014", "BOBIGNY CEDEX"),
        Cpam("941", "du Val-de-Marne", "1", "AVENUE", "DU GENERAL DE GAULLE", "94031", "CRETEIL CEDEX"),
        Cpam("011", "de l'Ain", "1", "PLACE", "DE LA GRENOUILLERE", "01015", "BOURG EN BRESSE CEDEX"),
        Cpam("291", "du Finistère", "1", "RUE", "DE SAVOIE", "29282", "BREST CEDEX"),
        Cpam("201", "de la Corse-du-Sud", null, "BOULEVARD", "ABBE RECCO", "20702", "AJACCIO CEDEX 9"),
        Cpam("202", "de la Haute-Corse", "5", "AVENUE", "JEAN ZUCCARELLI", "20406", "BASTIA CEDEX 9"),
        Overseas("971", "CGSS de la Guadeloupe", null, null, "PROVIDENCE", "97139", "LES ABYMES"),
        Overseas("972", "CGSS de la Martinique", null, "PLACE", "D ARMES", "97210", "LE LAMENTIN CEDEX 2"),
        Overseas("973", "CGSS de la Guyane", null, "RUE", "DES REMPARTS", "97307", "CAYENNE CEDEX"),
        Overseas("974", "CGSS de La Réunion", "4", "BOULEVARD", "DORET", "97704", "SAINT DENIS CEDEX 9"),
        Overseas("976", "CSSM de Mayotte", null, "RUE", "DU COMMERCE", "97600", "MAMOUDZOU"),
    ];

    public static readonly CaisseSi Cnmss = new()
    {
        Id = "08835", GrandRegime = "08", CodeCentre = "0000", Libelle = "Caisse nationale militaire de sécurité sociale", Organisme = "CNMSS",
        Adresse = Address("CNMSS", "247", "AVENUE", "JACQUES CARTIER", "83090", "TOULON CEDEX 9"),
    };

    public static readonly CaisseSi Camieg = new()
    {
        Id = "01928", GrandRegime = "01", CodeCentre = "0000", Libelle = "Caisse d'assurance maladie des industries électrique et gazière", Organisme = "CAMIEG",
        Adresse = Address("CAMIEG", "11", "RUE", "DE ROSNY", "93100", "MONTREUIL") with { MentionDistribution = "TSA 70001" },
    };

    public static readonly CaisseSi Mnh = new()
    {
        Id = "01459", GrandRegime = "01", CodeCentre = "95", Libelle = "Mutuelle nationale des hospitaliers, section locale", Organisme = "MNH",
        Adresse = Address("MNH", "331", "AVENUE", "D ANTIBES", "45213", "MONTARGIS CEDEX"),
    };

    public static readonly CaisseSi Cavimac = new()
    {
        Id = "90000", GrandRegime = "90", CodeCentre = "0000", Libelle = "Caisse d'assurance vieillesse, invalidité et maladie des cultes", Organisme = "CAVIMAC",
        Adresse = Address("CAVIMAC", "9", "RUE", "DE ROSNY", "93100", "MONTREUIL") with { ComplementAdresse = "LE TRYALIS" },
    };

    /// <summary>A caisse of the régime général by its three characters.</summary>
    public static CaisseSi Of(string code) => RegimeGeneral.First(caisse => caisse.Id == "01" + code);

    private static CaisseSi Cpam(string code, string where, string? number, string kind, string street, string postcode, string town) => new()
    {
        Id = "01" + code, GrandRegime = "01", CodeCentre = code + "1", Libelle = "Caisse primaire d'assurance maladie " + where, Organisme = "CPAM " + where,
        Adresse = Address("CPAM " + where.ToUpperInvariant(), number, kind, street, postcode, town),
    };

    private static CaisseSi Overseas(string code, string name, string? number, string? kind, string street, string postcode, string town) => new()
    {
        Id = "01" + code, GrandRegime = "01", CodeCentre = code + "1", Libelle = name, Organisme = name,
        Adresse = Address(name.ToUpperInvariant(), number, kind, street, postcode, town),
    };

    private static AdresseSi Address(string recipient, string? number, string? kind, string street, string postcode, string town) => new()
    {
        Destinataire = Normalisation.Of(recipient), NumeroVoie = number, TypeVoie = kind, NomVoie = street, CodePostal = postcode, Commune = town,
    };
}
