using System.Globalization;

namespace DroitsAmeli.Simulators;

/// <summary>
/// Makes and checks NIRs by the rules of the public contract, on the simulator's own account: what it plays is another organisation's system.
/// </summary>
public static class NumeroNir
{
    /// <summary>Thirteen characters: sex, year, month, place of birth at the time (département and commune, or 99 and country), order.</summary>
    /// <param name="male">True for 1, false for 2.</param>
    /// <param name="year">Year of birth; its last two digits count.</param>
    /// <param name="month">1 to 12, or 20 to 99 when it is not known.</param>
    /// <param name="place">Five characters.</param>
    /// <param name="order">1 to 999.</param>
    public static string Write(bool male, int year, int month, string place, int order) =>
        string.Create(CultureInfo.InvariantCulture, $"{(male ? 1 : 2)}{year % 100:00}{month:00}{place}{order:000}");

    /// <summary>The control key: 97 − (N mod 97), Corsica's 2A read as 19 and 2B as 18.</summary>
    public static int Key(string nir)
    {
        var digits = nir.Replace("2A", "19", StringComparison.Ordinal).Replace("2B", "18", StringComparison.Ordinal);
        return 97 - (int)(long.Parse(digits, CultureInfo.InvariantCulture) % 97);
    }
}
