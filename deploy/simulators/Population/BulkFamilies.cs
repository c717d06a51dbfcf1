namespace DroitsAmeli.Simulators;

/// <summary>Families drawn from their number: nothing is kept, asking twice gives the same family.</summary>
internal sealed class BulkFamilies(long seed, long size, DateOnly today, FamilleId ids)
{
    /// <summary>Rank 0 is the assuré, 1 the spouse, children follow; newborns have no coordinates of their own to keep.</summary>
    private const int FirstChildRank = 2;
    private const int LastChildRank = 14;
    private const int SharedChildrenPercent = 5;

    private readonly BulkRights _rights = new(seed, new Prestations(today));

    public PersonSpace Space { get; } = new(seed, size);

    public FamilleSimulee Get(long index)
    {
        var plan = FamilyPlan.Draw(seed, index, today.Year, IsSharing(index), IsSharing(index) && index % 2 == 1);
        var members = new List<MembreSimule>(4);
        var assure = Person(index, 0, plan.AssureMale, plan.AssureYear, plan.NomAssure);
        members.Add(Member(index, index, 0, assure, "assure", plan, plan.NomUsageAssure));
        if (plan.ConjointYear is { } conjointYear)
            members.Add(Member(index, index, 1, Person(index, 1, plan.ConjointMale, conjointYear, plan.NomConjoint), plan.ConjointQualite, plan, plan.NomUsageConjoint));

        AddChildren(members, index, index, plan, minorsOnly: false);
        if (plan.NewbornDaysAgo is { } days)
            members.Add(Newborn(index, plan, today.AddDays(-days)));
        if (IsSharing(index) && index % 2 == 1)
            AddChildren(members, index, index - 1, plan, minorsOnly: true);
        return new FamilleSimulee(index, ids.Write(index), members);
    }

    private bool IsSharing(long index) =>
        (index | 1) < size && new Draw(seed, index / 2, 0x50415253).Chance(SharedChildrenPercent);

    /// <summary>Adds to the family that is looked at the children of <paramref name="owner"/>, which is itself or the other parent's family.</summary>
    private void AddChildren(List<MembreSimule> members, long index, long owner, FamilyPlan plan, bool minorsOnly)
    {
        var ownerPlan = owner == index ? plan : FamilyPlan.Draw(seed, owner, today.Year, true, false);
        for (var child = 0; child < ownerPlan.ChildYears.Count; child++)
        {
            var rank = FirstChildRank + child;
            var year = ownerPlan.ChildYears[child];
            if (rank > LastChildRank || (minorsOnly && today.Year - year > 17))
                continue;

            var twinOfPrevious = child > 0 && year == ownerPlan.ChildYears[child - 1];
            var person = twinOfPrevious
                ? Twin(owner, rank - 1, year, ownerPlan.NomEnfants)
                : Person(owner, rank, ChildIsMale(owner, rank), year, ownerPlan.NomEnfants);
            members.Add(Member(index, owner, rank, person, "enfant", plan, null, twinOfPrevious ? 2 : 1));
        }
    }

    private bool ChildIsMale(long index, int rank) => new Draw(seed, index, rank, 1).Chance(51);

    private (EtatCivil EtatCivil, string? Nir) Person(long index, int rank, bool male, int year, string nom)
    {
        var at = Space.At(index, rank);
        return Person(at, new Draw(seed, index, rank, 2), male, year, nom, FirstName(at.NameClass, new Draw(seed, index, rank, 3).Next, male, year));
    }

    /// <summary>The second of twins: of the other sex, so that one place in the register serves both, as do the coordinates of the first.</summary>
    private (EtatCivil EtatCivil, string? Nir) Twin(long index, int firstRank, int year, string nom)
    {
        var at = Space.At(index, firstRank);
        var male = !ChildIsMale(index, firstRank);
        return Person(at, new Draw(seed, index, firstRank, 2), male, year, nom, FirstName(at.NameClass, new Draw(seed, index, firstRank, 4).Next, male, year));
    }

    private static (EtatCivil EtatCivil, string? Nir) Person(PersonCoordinates at, Draw draw, bool male, int year, string nom, string first)
    {
        var dayUnknown = at.Day == 1 && draw.Chance(Lieux.IsAbroad(at.Place) ? 60 : 15);
        var monthUnknown = dayUnknown && at.Month == 1 && draw.Chance(80);
        var birth = new DateNaissance(year, monthUnknown ? null : at.Month, dayUnknown ? null : at.Day);
        var others = Noms.Prenoms(male, year);
        IReadOnlyList<string> prenoms = draw.Next(3) switch
        {
            0 => [first],
            1 => [first, draw.Pick(others)],
            _ => [first, draw.Pick(others), draw.Pick(others)],
        };
        var nir = NumeroNir.Write(male, year, monthUnknown ? 30 + at.Month : at.Month, Lieux.AtBirth(at.Place, year), at.Order);
        return (new EtatCivil(male, nom, prenoms, birth, at.Place), nir);
    }

    private string FirstName(int nameClass, Func<int, int> next, bool male, int year)
    {
        var names = Noms.Prenoms(male, year);
        return names[nameClass + Space.NameClasses * next((names.Length - nameClass - 1) / Space.NameClasses + 1)];
    }

    private MembreSimule Newborn(long index, FamilyPlan plan, DateOnly birth)
    {
        var draw = new Draw(seed, index, 15, 5);
        var male = draw.Chance(51);
        var civil = new EtatCivil(male, plan.NomEnfants, [draw.Pick(Noms.Prenoms(male, birth.Year))],
            new DateNaissance(birth.Year, birth.Month, birth.Day), Space.At(index, 15).Place);
        return Member(index, index, 15, (civil, null), "enfant", plan, null);
    }

    private MembreSimule Member(
        long index, long owner, int rank, (EtatCivil EtatCivil, string? Nir) person, string qualite, FamilyPlan plan, string? nomUsage, int rang = 1)
    {
        var civil = person.EtatCivil;
        var droits = _rights.Of(index, owner, rank, civil, plan);
        var marks = new Draw(seed, owner, rank, 6);
        var age = today.Year - civil.Naissance.Annee;
        var child = rank >= FirstChildRank && rank <= LastChildRank;
        var roll = marks.Unit() * 100;
        return new MembreSimule(civil, new BeneficiaireSi
        {
            Nir = person.Nir,
            NomFamille = civil.Nom,
            NomUsage = nomUsage,
            Prenom = civil.Prenoms[0],
            DateNaissance = civil.Naissance.Complete,
            RangNaissance = rang,
            Qualite = qualite,
            Presences = droits.Presences,
            Restrictions = child && ((age is 16 or 17 && roll < 15) || roll < 0.5) ? [roll < 0.3 ? "dossier_sensible" : "autonomie"] : null,
            DateDeces = rank != 0 && roll is > 99 and < 99.3 ? today.AddDays(-marks.Between(10, 300)) : null,
            Rattachement = child && roll is > 97 and < 99
                ? roll < 98 ? new PeriodeSi(today.AddDays(-900), today.AddDays(-marks.Between(1, 200))) : new PeriodeSi(today.AddDays(marks.Between(5, 90)), null)
                : null,
        }, droits);
    }
}
