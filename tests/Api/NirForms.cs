using System.Globalization;

namespace DroitsAmeli.Tests.Api;

/// <summary>The forms in which a partner may write a NIR.</summary>
internal static class NirForms
{
    /// <summary>The key of a NIR of 13 characters, computed here independently of the product.</summary>
    public static string KeyOf(string nir)
    {
        var number = long.Parse(nir.Replace("2A", "19", StringComparison.Ordinal).Replace("2B", "18", StringComparison.Ordinal), CultureInfo.InvariantCulture);
        return (97 - number % 97).ToString("00", CultureInfo.InvariantCulture);
    }

    public static string WrongKeyOf(string nir) =>
        (int.Parse(KeyOf(nir), CultureInfo.InvariantCulture) % 97 + 1).ToString("00", CultureInfo.InvariantCulture);

    public static IEnumerable<string> AllOf(string nir) =>
    [
        nir,
        nir + KeyOf(nir),
        $" {nir[0]} {nir[1..3]} {nir[3..5]} {nir[5..7]} {nir[7..10]} {nir[10..]} ",
        $"{nir[0]} {nir[1..3]} {nir[3..5]} {nir[5..7]} {nir[7..10]} {nir[10..]} {KeyOf(nir)}",
    ];
}
