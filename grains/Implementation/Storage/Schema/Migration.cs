using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace DroitsAmeli.Grains.Storage.Schema;

/// <summary>One step of the schema: a file <c>NNNN_name.sql</c> of <c>deploy/postgres</c>, which never changes once it is released.</summary>
/// <param name="Number">Its place, from 1, without gaps.</param>
/// <param name="Name">What it is about.</param>
/// <param name="Sql">The statements.</param>
public sealed record Migration(int Number, string Name, string Sql)
{
    private const string Prefix = "schema/";
    private const string Suffix = ".sql";

    /// <summary>Those of this build, in order.</summary>
    public static IReadOnlyList<Migration> OfThisBuild { get; } =
    [
        .. typeof(Migration).Assembly.GetManifestResourceNames()
            .Where(name => name.StartsWith(Prefix, StringComparison.Ordinal))
            .Select(Read)
            .OrderBy(migration => migration.Number),
    ];

    /// <summary>SHA-256 of the text, in hexadecimal; the same however a checkout ends its lines.</summary>
    public string Sha256 =>
        Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(Sql.ReplaceLineEndings("\n"))));

    /// <summary>As its file is named, without the suffix.</summary>
    public override string ToString() => $"{Number:0000}_{Name}";

    private static Migration Read(string resource)
    {
        using var reader = new StreamReader(typeof(Migration).Assembly.GetManifestResourceStream(resource)!);
        var file = resource[Prefix.Length..^Suffix.Length];
        return new(int.Parse(file.AsSpan(0, 4), NumberStyles.None, CultureInfo.InvariantCulture), file[5..], reader.ReadToEnd());
    }
}
