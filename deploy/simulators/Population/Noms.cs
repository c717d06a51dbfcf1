namespace DroitsAmeli.Simulators;

/// <summary>Names as they are met in France, with their accents, hyphens, apostrophes and particles. No first name stands twice in these lists.</summary>
internal static class Noms
{
    public static readonly string[] Famille = Split("""
        Martin|Bernard|Thomas|Petit|Robert|Richard|Durand|Dubois|Moreau|Laurent|Simon|Michel|Lefèvre|Leroy|Roux|David|Bertrand|Morel|Fournier|Girard
        Bonnet|Dupont|Lambert|Fontaine|Rousseau|Vincent|Müller|Lefebvre|Faure|André|Mercier|Blanc|Guérin|Boyer|Garnier|Chevalier|François|Legrand|Gauthier|Garcia
        Perrin|Robin|Clément|Morin|Nicolas|Henry|Roussel|Mathieu|Gautier|Masson|Marchand|Duval|Denis|Dumont|Marie|Lemaire|Noël|Meyer|Dufour|Meunier
        Brun|Blanchard|Giraud|Joly|Rivière|Lucas|Brunet|Gaillard|Barbier|Arnaud|Martínez|Gérard|Roche|Renard|Schmitt|Roy|Leroux|Colin|Vidal|Caron
        Picard|Roger|Fabre|Aubert|Lemoine|Renaud|Dumas|Lacroix|Olivier|Philippe|Bourgeois|Pierre|Benoît|Rey|Leclerc|Payet|Rolland|Leclercq|Guillaume|Lecomte
        López|Jean|Dupuy|Guillot|Hubert|Berger|Carpentier|Sánchez|Dupuis|Moulin|Louis|Deschamps|Huet|Vasseur|Pérez|Boucher|Fleury|Royer|Klein|Jacquet
        Adam|Paris|Poirier|Marty|Aubry|Guyot|Carré|Charles|Renault|Charpentier|Ménard|Maillard|Baron|Bertin|Bailly|Hervé|Schneider|Fernández|Le Gall|Collet
        Léger|Bouvier|Julien|Prévost|Millet|Perrot|Daniel|Le Roux|Cousin|Germain|Breton|Besson|Langlois|Rémy|Le Goff|Pelletier|Lévêque|Perrier|Leblanc|Barré
        N'Diaye|N'Guessan|Diallo|Traoré|Sow|Nguyễn|Benali|Da Silva|Dos Santos|D'Angelo|O'Connor|Haddad|Belkacem|Yılmaz|Kowalski|Ivanović|Çelik|Ferreira|Òrdoñez|Núñez
        de La Fontaine|du Plessis|des Roches|d'Estaing|de Saint-Exupéry|L'Hermitte|Saint-Martin|Le Bris-Kerouédan|Dupont-Moreau|Garcia y Vega|Van den Berghe|von Kessel|L'Hôte|d'Aboville|De Sousa|Le Cœur|Læmmel|Lebœuf|Bœuf|Lévy-Bruhl
        """);

    /// <summary>First names of those born before 1995.</summary>
    public static readonly string[] AdultMen = Split("""
        Jean|Pierre|Michel|André|Philippe|René|Louis|Alain|Jacques|Bernard|Marcel|Daniel|Roger|Robert|Paul|Claude|Christian|Henri|Georges|Nicolas
        François|Patrick|Gérard|Christophe|Jean-Pierre|Éric|Frédéric|Laurent|Stéphane|Olivier|Pascal|Thierry|Jean-François|Guy|Maurice|Cédric|Sébastien|Jérôme|Grégory|Loïc
        Benoît|Joël|Noël|Gaël|Hervé|Raphaël|Jean-Christophe|Mickaël|Ludovic|Fabrice|Didier|Yves|Mamadou|Mohamed|Rachid|José|Jean Philippe|Anh-Tuấn|Josué|Étienne
        """);

    /// <summary>First names of those born before 1995.</summary>
    public static readonly string[] AdultWomen = Split("""
        Jeanne|Françoise|Monique|Catherine|Nathalie|Isabelle|Jacqueline|Anne|Sylvie|Martine|Madeleine|Nicole|Suzanne|Hélène|Christine|Marguerite|Denise|Louise|Marie|Céline
        Valérie|Sandrine|Stéphanie|Véronique|Sophie|Chantal|Annick|Brigitte|Geneviève|Thérèse|Élisabeth|Béatrice|Agnès|Aurélie|Émilie|Laëtitia|Gaëlle|Anaïs|Mélanie|Marie-Claire
        Anne-Sophie|Marie-Thérèse|Aïcha|Fatou|Khadija|Noémie|Zoé|Maëlle|Joëlle|Yaëlle|Clémence|Ségolène|Maryse|Odile|Fátima|Ana María|Marie-Noëlle|Solène|Pauline|Mireille
        """);

    /// <summary>First names of those born from 1995 on.</summary>
    public static readonly string[] YoungMen = Split("""
        Léo|Gabriel|Jules|Lucas|Adam|Maël|Hugo|Liam|Noah|Arthur|Sacha|Nathan|Tom|Mathéo|Ethan|Timéo|Aaron|Théo|Malo|Nolan
        Axel|Marius|Enzo|Mathis|Martin|Antoine|Kylian|Eliott|Gaspard|Augustin|Côme|Soan|Valentin|Évan|Naël|Rayan|Yanis|Ibrahim|Imran|Ayoub
        Amadou|Tiago|Diego|Milo|Oscar|Basile|Célestin|Anatole|Gaétan|Félix|Rémi|Clément|Baptiste|Jean-Baptiste|Titouan|Ewen|Youenn|Killian|Lorenzo|Mehdi
        """);

    /// <summary>First names of those born from 1995 on.</summary>
    public static readonly string[] YoungWomen = Split("""
        Emma|Jade|Alba|Ambre|Alma|Rose|Lina|Mia|Romy|Chloé|Léa|Inès|Manon|Juliette|Lou|Anna|Iris|Agathe|Léonie|Mila
        Éléna|Nina|Julia|Éva|Margaux|Camille|Lola|Sarah|Lucie|Charlotte|Adèle|Jeanne-Marie|Victoire|Mathilde|Héloïse|Capucine|Apolline|Maïssa|Nour|Yasmine
        Awa|Aminata|Lyna|Aya|Elsa|Gabrielle|Océane|Ninon|Louane|Maëlys|Candice|Salomé|Rachelle|Judith|Enora|Bleuenn|Maïwenn|Thaïs|Flora|Noélie
        """);

    public static string[] Prenoms(bool male, int year) => (male, year < 1995) switch
    {
        (true, true) => AdultMen,
        (true, false) => YoungMen,
        (false, true) => AdultWomen,
        (false, false) => YoungWomen,
    };

    private static string[] Split(string lines) =>
        lines.Split(['|', '\n'], StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
}
