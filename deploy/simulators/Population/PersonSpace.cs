using System.Collections.Frozen;

namespace DroitsAmeli.Simulators;

/// <summary>What a person's number decides of their civil status.</summary>
/// <param name="Place">Present INSEE code of the place of birth.</param>
/// <param name="Month">1 to 12.</param>
/// <param name="Day">1 to 28.</param>
/// <param name="Order">The last three digits of the NIR; unique with place and month.</param>
/// <param name="NameClass">The first name's position in its list, modulo <see cref="PersonSpace.NameClasses"/>.</param>
internal readonly record struct PersonCoordinates(string Place, int Month, int Day, int Order, int NameClass);

/// <summary>
/// The bijection behind the population: a person's number (family and rank in it) is scrambled and written in the digits of place, month,
/// day, first name and NIR order, so that an identity leads back to its person without any table, and no two persons share one.
/// </summary>
internal sealed class PersonSpace
{
    /// <summary>Ranks that a family has room for.</summary>
    public const int Ranks = 16;

    /// <summary>Orders above belong to the named personas.</summary>
    public const int LastOrder = 989;

    private const int Days = 28;
    private const int Months = 12;
    private const int FewestCommunes = 14;
    private const int MostCommunes = 300;

    private readonly string[] _places;
    private readonly FrozenDictionary<string, int> _placeNumbers;
    private readonly Permutation _permutation;
    private readonly long _persons;

    /// <summary>Lays out a space for that many families.</summary>
    /// <exception cref="ArgumentOutOfRangeException">More families than there are NIRs for.</exception>
    public PersonSpace(long seed, long families)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(families, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(families, LargestPopulation);
        _persons = families * Ranks;
        var communes = FewestCommunes;
        while (_persons > CapacityOf(Lieux.Table(communes).Length))
            communes += 4;

        _places = Lieux.Table(communes);
        _placeNumbers = _places.Select((code, number) => (code, number)).ToFrozenDictionary(place => place.code, place => place.number);
        var cell = (long)Months * _places.Length;
        var orders = (_persons + cell - 1) / cell;
        NameClasses = (int)((orders + Days - 1) / Days);
        _permutation = new Permutation(seed ^ 0x4E4952, orders * cell);
    }

    /// <summary>As many families as there are NIRs for, with sixteen kept for each.</summary>
    public static long LargestPopulation { get; } = CapacityOf(Lieux.Table(MostCommunes).Length) / Ranks;

    /// <summary>Among how many classes first names are dealt, at most 36.</summary>
    public int NameClasses { get; }

    public PersonCoordinates At(long famille, int rank)
    {
        var scrambled = _permutation.Scramble(famille * Ranks + rank);
        var month = (int)(scrambled % Months);
        var place = (int)(scrambled / Months % _places.Length);
        var order = (int)(scrambled / Months / _places.Length);
        var day = (order + Shift(place, month)) % Days;
        return new PersonCoordinates(_places[place], month + 1, day + 1, order + 1, order / Days);
    }

    /// <summary>The only person who can have these coordinates.</summary>
    public (long Famille, int Rank)? Find(string place, int month, int day, int nameClass)
    {
        if (day is < 1 or > Days || !_placeNumbers.TryGetValue(place, out var number))
            return null;

        var order = nameClass * Days + (day - 1 - Shift(number, month - 1) + 2 * Days) % Days;
        var scrambled = ((long)order * _places.Length + number) * Months + month - 1;
        if (scrambled >= _permutation.Count)
            return null;

        var person = _permutation.Unscramble(scrambled);
        return person < _persons ? (person / Ranks, (int)(person % Ranks)) : null;
    }

    private static long CapacityOf(int places) => (long)LastOrder * Months * places;

    private static int Shift(int place, int month) => (int)(Draw.Mix((ulong)(place * Months + month)) % Days);
}
