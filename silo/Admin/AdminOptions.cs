using DroitsAmeli.Grains.Configuration;

namespace DroitsAmeli.Silo.Admin;

/// <summary>Settings of <c>Admin:*</c>. Without a key every action is refused; the health stays open.</summary>
public sealed class AdminOptions
{
    public const string Section = "Admin";

    private const string Setting = "Admin:KeysSha256";
    private const int HexDigits = 64;
    private const string HashOfNothing = "E3B0C44298FC1C149AFBF4C8996FB92427AE41E4649B934CA495991B7852B855";

    /// <summary>SHA-256 of the operators' keys, in hexadecimal: an array, or one text with commas.</summary>
    public IReadOnlyList<string> KeysSha256 { get; set; } = [];

    /// <summary>Reads the setting in either form.</summary>
    internal static IReadOnlyList<string> Read(IConfiguration configuration) => Settings.ReadList(configuration, Setting);

    /// <summary>What is wrong with the setting, which is never quoted.</summary>
    internal IEnumerable<string> Faults()
    {
        for (var i = 0; i < KeysSha256.Count; i++)
        {
            var text = KeysSha256[i];
            if (text.Length != HexDigits || !text.All(char.IsAsciiHexDigit))
                yield return $"{Setting}: item {i + 1} is not the SHA-256 of a key, {HexDigits} hexadecimal digits.";
            else if (string.Equals(text, HashOfNothing, StringComparison.OrdinalIgnoreCase))
                yield return $"{Setting}: item {i + 1} is the SHA-256 of an empty key.";
        }
    }
}
