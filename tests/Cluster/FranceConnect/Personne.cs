using DroitsAmeli.Grains.Droits;
using DroitsAmeli.Simulators;

namespace DroitsAmeli.Tests.Cluster.FranceConnect;

/// <summary>An invented person of a name that no other test has, and the family id and NIR that go with it.</summary>
internal sealed class Personne
{
    public const string NirText = "1800175108001";

    private static int people;

    private readonly string letters = Letters(Interlocked.Increment(ref people));

    /// <summary>The name as the SI is asked for it.</summary>
    public string Name => "DURAND " + letters;

    public static Nir Nir => Parse(NirText);

    public string FamilleA => "A-" + letters;

    public string FamilleB => "B-" + letters;

    public IdentiteFranceConnect Identite(string? familyName = null, string givenName = "Jean Pierre", string birthdate = "1980-01-05") => new()
    {
        Gender = "male",
        FamilyName = familyName ?? Name,
        GivenName = givenName,
        GivenNameArray = [givenName],
        Birthdate = birthdate,
        Birthplace = "75108",
        Birthcountry = "99100",
    };

    public static Nir Parse(string text) =>
        Grains.Droits.Nir.TryParse(text, out var nir) ? nir : throw new ArgumentException("Not a NIR.", nameof(text));

    private static string Letters(int number)
    {
        var text = "";
        for (; number > 0; number /= 26)
            text += (char)('A' + number % 26);
        return "X" + text;
    }
}
