using System.Globalization;

namespace DroitsAmeli.Load.Links;

/// <summary>The command <c>tls</c>.</summary>
internal static class LinkCostCommand
{
    /// <summary>Measures, prints the table, and writes the JSON that was asked for.</summary>
    public static async Task<int> Run(IReadOnlyDictionary<string, string> options, CancellationToken stop)
    {
        var before = LoadAverage();
        var report = await LinkCost.Measure(
            new()
            {
                Silos = (int)Number("--silos", 1),
                FrontEnds = (int)Number("--front-ends", 1),
                ConnectionString = options.GetValueOrDefault("--connection-string"),
                Workers = (int)Number("--workers", 8),
                Turn = TimeSpan.FromSeconds(Number("--seconds", 20)),
                Repeats = (int)Number("--repeats", 5),
            },
            stop);
        await Console.Out.WriteLineAsync(report.ToString());
        if (options.GetValueOrDefault("--json") is { } file)
            await File.WriteAllTextAsync(file, report.ToJson((before, LoadAverage())) + "\n", stop);
        return 0;

        double Number(string name, double otherwise) =>
            options.TryGetValue(name, out var text) ? double.Parse(text, CultureInfo.InvariantCulture) : otherwise;
    }

    private static double LoadAverage() => double.Parse(File.ReadAllText("/proc/loadavg").Split(' ')[0], CultureInfo.InvariantCulture);
}
