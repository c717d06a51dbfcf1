using System.Globalization;

namespace DroitsAmeli.Load;

/// <summary>Options of a command line, each a name that begins with <c>--</c> and a value.</summary>
public sealed class Arguments
{
    private readonly Dictionary<string, string> values;

    private Arguments(Dictionary<string, string> values) => this.values = values;

    /// <summary>Reads options.</summary>
    /// <param name="args">Names and values in turn.</param>
    /// <param name="names">Those there are.</param>
    /// <exception cref="ArgumentException">One is unknown, stands twice or lacks its value.</exception>
    public static Arguments Read(IReadOnlyList<string> args, params IReadOnlyCollection<string> names)
    {
        var values = new Dictionary<string, string>(StringComparer.Ordinal);
        for (var at = 0; at < args.Count; at += 2)
        {
            if (!names.Contains(args[at]))
                throw new ArgumentException($"{args[at]} is no option of this.");
            if (at + 1 == args.Count || !values.TryAdd(args[at], args[at + 1]))
                throw new ArgumentException($"{args[at]} takes one value.");
        }

        return new(values);
    }

    /// <summary>An option's value; null when it was not given.</summary>
    public string? Text(string name) => values.GetValueOrDefault(name);

    /// <summary>A number, with a point.</summary>
    /// <exception cref="ArgumentException">It is no number.</exception>
    public double Number(string name, double otherwise) => Text(name) is { } text ? Parsed(name, text) : otherwise;

    /// <summary>Numbers with commas between them.</summary>
    /// <exception cref="ArgumentException">One is no number.</exception>
    public IReadOnlyList<double> Numbers(string name, params IReadOnlyList<double> otherwise) =>
        Text(name) is { } text ? [.. text.Split(',').Select(part => Parsed(name, part))] : otherwise;

    private static double Parsed(string name, string text) =>
        double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var number) ? number : throw new ArgumentException($"{name} takes numbers.");
}
