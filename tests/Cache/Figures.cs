using System.Globalization;

namespace DroitsAmeli.Tests.Cache;

/// <summary>The table of measured figures: one line each, on the standard output and in the file that <c>DROITS_TESTS_TABLE</c> names.</summary>
internal static class Figures
{
    private static readonly Lock Gate = new();
    private static readonly string? TablePath = Environment.GetEnvironmentVariable("DROITS_TESTS_TABLE");

    /// <summary>Adds a line.</summary>
    /// <param name="target">T4, T7… or what it belongs to.</param>
    /// <param name="measured">What was measured, in words.</param>
    /// <param name="figure">What came out.</param>
    /// <param name="wanted">What was promised.</param>
    public static void Add(string target, string measured, FormattableString figure, string wanted)
    {
        var line = string.Create(
            CultureInfo.InvariantCulture,
            $"{target,-8} | {measured,-72} | {figure.ToString(CultureInfo.InvariantCulture),-60} | {wanted,-28} | load {Scale.LoadAverage():0.0}");
        lock (Gate)
        {
            Console.WriteLine(line);
            if (TablePath is { Length: > 0 } path)
                File.AppendAllText(path, line + "\n");
        }
    }
}
