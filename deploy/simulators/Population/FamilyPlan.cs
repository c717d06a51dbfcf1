namespace DroitsAmeli.Simulators;

/// <summary>What is drawn of a family before its persons: who there is, born when, under which names, in which caisse.</summary>
internal sealed record FamilyPlan
{
    private const int LargeFamilyChildren = 13;

    public required bool AssureMale { get; init; }
    public required int AssureYear { get; init; }
    public required string NomAssure { get; init; }
    public string? NomUsageAssure { get; init; }
    public int? ConjointYear { get; init; }
    public bool ConjointMale { get; init; }
    public string ConjointQualite { get; init; } = "conjoint";
    public string NomConjoint { get; init; } = "";
    public string? NomUsageConjoint { get; init; }
    public required string NomEnfants { get; init; }
    /// <summary>Years of birth, the eldest first; the same year twice in a row means twins.</summary>
    public required IReadOnlyList<int> ChildYears { get; init; }
    public int? NewbornDaysAgo { get; init; }
    public required CaisseSi Caisse { get; init; }

    /// <param name="seed">The population's.</param>
    /// <param name="index">The family's number.</param>
    /// <param name="year">The present year.</param>
    /// <param name="separated">One of two parents who live apart and share children.</param>
    /// <param name="childless">The children are registered in the other parent's family.</param>
    public static FamilyPlan Draw(long seed, long index, int year, bool separated, bool childless)
    {
        var draw = new Draw(seed, index, 0, 7);
        var caisse = DrawCaisse(ref draw);
        var age = separated ? draw.Between(30, 48) : caisse == Caisses.Cavimac ? draw.Between(50, 88) : draw.Between(20, 90);
        var male = separated ? index % 2 == 0 : draw.Chance(49);
        var alone = separated || caisse == Caisses.Cavimac || age < 24 || !draw.Chance(38);
        var conjointMale = draw.Chance(3) ? male : !male;
        var nom = draw.Pick(Noms.Famille);
        var nomConjoint = draw.Pick(Noms.Famille);
        var married = !alone && draw.Chance(70);
        var qualite = married ? draw.Chance(97) ? "conjoint" : "conjoint_separe" : draw.Chance(60) ? "pacse" : "concubin";
        var usage = draw.Next(10) switch { < 5 => nom, < 7 => $"{nomConjoint}-{nom}", _ => null };
        var nomEnfants = alone || male || draw.Chance(20) ? nom : draw.Chance(85) ? nomConjoint : $"{nom}-{nomConjoint}";
        var children = childless || caisse == Caisses.Cavimac ? [] : DrawChildren(ref draw, age, separated);
        return new FamilyPlan
        {
            AssureMale = male,
            AssureYear = year - age,
            NomAssure = nom,
            NomUsageAssure = male || !married ? null : draw.Chance(60) ? nomConjoint : null,
            ConjointYear = alone ? null : year - Math.Max(20, age + draw.Between(-6, 6)),
            ConjointMale = conjointMale,
            ConjointQualite = qualite,
            NomConjoint = nomConjoint,
            NomUsageConjoint = married && !conjointMale ? usage : null,
            NomEnfants = nomEnfants,
            ChildYears = [.. children.Select(childAge => year - childAge)],
            NewbornDaysAgo = !childless && children.Count < LargeFamilyChildren && age is >= 20 and <= 42 && draw.Chance(3) ? draw.Between(0, 60) : null,
            Caisse = caisse,
        };
    }

    private static CaisseSi DrawCaisse(ref Draw draw) => draw.Next(1000) switch
    {
        < 30 => Caisses.Cnmss,
        < 50 => Caisses.Camieg,
        < 65 => Caisses.Mnh,
        < 70 => Caisses.Cavimac,
        _ => draw.Pick(Caisses.RegimeGeneral),
    };

    private static List<int> DrawChildren(ref Draw draw, int age, bool atLeastOne)
    {
        if (age is < 24 or > 58)
            return [];
        if (age is >= 38 and <= 50 && draw.Chance(0.2))
            return [.. Enumerable.Range(0, LargeFamilyChildren).Select(child => LargeFamilyChildren + 4 - child)];

        var children = new List<int>();
        if (age >= 42 && draw.Chance(25))
            children.Add(draw.Between(19, Math.Min(24, age - 20)));
        var wanted = draw.Next(100) switch { < 40 => 0, < 65 => 1, < 88 => 2, < 97 => 3, _ => 4 };
        var next = draw.Between(2, Math.Clamp(age - 21, 2, 16));
        for (var child = 0; child < Math.Max(wanted, atLeastOne ? 1 : 0) && next >= 1; child++, next -= draw.Between(1, 4))
        {
            children.Add(next);
            if (draw.Chance(1.5))
                children.Add(next);
        }

        return children;
    }
}
