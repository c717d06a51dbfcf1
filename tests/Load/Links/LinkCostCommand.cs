using DroitsAmeli.Load.Processes;

namespace DroitsAmeli.Load.Links;

/// <summary>The mode <c>tls</c>: what mutual TLS between the processes costs.</summary>
internal static class LinkCostCommand
{
    public const string Usage = """
        tls [--seconds 20] [--repeats 5] [--workers 8] [--silos 1] [--front-ends 1] [--connection-string …] [--json file]
            CPU per hot read with the links in clear and under mutual TLS, in turn.
        """;

    private static readonly string[] Options = ["--seconds", "--repeats", "--workers", "--silos", "--front-ends", "--connection-string", "--json"];

    /// <summary>Measures, prints the table, and writes the JSON that was asked for.</summary>
    /// <exception cref="ArgumentException">An option is unknown or wrong.</exception>
    public static async Task Run(string[] args, CancellationToken stop)
    {
        var options = Arguments.Read(args, Options);
        var before = Machine.LoadAverage();
        var report = await LinkCost.Measure(
            new()
            {
                Silos = (int)options.Number("--silos", 1),
                FrontEnds = (int)options.Number("--front-ends", 1),
                ConnectionString = options.Text("--connection-string"),
                Workers = (int)options.Number("--workers", 8),
                Turn = TimeSpan.FromSeconds(options.Number("--seconds", 20)),
                Repeats = (int)options.Number("--repeats", 5),
            },
            stop);
        await Console.Out.WriteLineAsync(report.ToString());
        if (options.Text("--json") is { } file)
            await File.WriteAllTextAsync(file, report.ToJson((before, Machine.LoadAverage())) + "\n", stop);
    }
}
