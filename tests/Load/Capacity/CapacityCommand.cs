using System.Text.Json;

namespace DroitsAmeli.Load.Capacity;

/// <summary>The mode <c>capacity</c>: measures the costs, or answers from those that were measured.</summary>
internal static class CapacityCommand
{
    public const string Usage = """
        capacity [--silos 1,2,3,4] [--front-ends 2] [--rates 20,50] [--cold 0.5] [--seconds 30] [--warm-up 60] [--families 20000] [--rest 125]
                 [--rounds 1] [--json file] [--costs file]
            measures what visits, families and silos cost on a PostgreSQL server of its own, and what the model makes of one and two silos
            against more. --rates: visits per second, below what the machine bears. --json: all samples. --costs: the costs, for the model.
        capacity --measured
        capacity --plan [--visits-per-second 15] [--families 360000] [--cold 0.8] [--stale 0] [--silo-cores 2] [--silo-gib 4]
                 [--front-end-cores 1] [--postgres-cores 4] [--busy 0.6] [--si-calls 32] [--si-call-seconds 0.418] [--si-share 0.7]
        capacity --guide deploy/CAPACITY.md
            print, from the costs in deploy/capacity.json, what was measured, or the site that bears a demand; or write the guide's figures anew.
        """;

    private static readonly string[] MeasureOptions =
        ["--silos", "--front-ends", "--rates", "--cold", "--seconds", "--warm-up", "--families", "--rest", "--rounds", "--json", "--costs"];

    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web) { WriteIndented = true };

    /// <exception cref="ArgumentException">An option is unknown or wrong.</exception>
    public static async Task Run(string[] args, CancellationToken stop)
    {
        switch (args)
        {
            case [CapacityQuestions.Plan or CapacityQuestions.Measured, ..]:
                await Console.Out.WriteLineAsync(CapacityQuestions.Answer(args, Costs()));
                break;
            case ["--guide", var guide]:
                var costs = Costs();
                await File.WriteAllTextAsync(
                    guide, CapacityGuide.Refresh(await File.ReadAllTextAsync(guide, stop), question => CapacityQuestions.Answer(question, costs)), stop);
                break;
            default:
                await Measure(Arguments.Read(args, MeasureOptions), stop);
                break;
        }
    }

    private static async Task Measure(Arguments options, CancellationToken stop)
    {
        var usual = new CapacityOptions();
        var run = new CapacityRun(
            new()
            {
                Silos = [.. options.Numbers("--silos", [.. usual.Silos]).Select(number => (int)number)],
                FrontEnds = (int)options.Number("--front-ends", usual.FrontEnds),
                Rates = [.. options.Numbers("--rates", usual.Rates).Order()],
                ColdShare = options.Number("--cold", usual.ColdShare),
                Duration = TimeSpan.FromSeconds(options.Number("--seconds", usual.Duration.TotalSeconds)),
                WarmUp = TimeSpan.FromSeconds(options.Number("--warm-up", usual.WarmUp.TotalSeconds)),
                Families = (int)options.Number("--families", usual.Families),
                Rest = TimeSpan.FromSeconds(options.Number("--rest", usual.Rest.TotalSeconds)),
                Rounds = (int)options.Number("--rounds", usual.Rounds),
            },
            Console.Out);
        var costs = await run.Measure(stop);
        await Console.Out.WriteLineAsync(CapacityText.Of(costs));
        if (options.Text("--costs") is { } file)
            costs.Write(file);
        if (options.Text("--json") is { } json)
            await File.WriteAllTextAsync(json, JsonSerializer.Serialize(new { costs, run.Samples }, Json), stop);
    }

    // tests/Load/bin/{configuration}/net10.0 is where this runs from.
    private static MeasuredCosts Costs() => MeasuredCosts.Read(MeasuredCosts.FileOf(
        new DirectoryInfo(AppContext.BaseDirectory).Parent!.Parent!.Parent!.Parent!.Parent!.FullName));
}
