using System.Text.Json;
using DroitsAmeli.Load.Processes;

namespace DroitsAmeli.Load.Visits;

/// <summary>The mode <c>peak</c>: the cold peak.</summary>
internal static class PeakCommand
{
    public const string Usage = """
        peak [--seconds 60] [--warm-up 10] [--rate 0.7] [--flood 10] [--modest 0.3] [--silos 1] [--front-ends 2] [--connection-string …] [--json file]
            the cold peak. --rate and --modest are shares of the SI's capacity, --flood multiplies --rate. More than one silo needs a
            database (--connection-string) to which the schema was applied.
        """;

    private static readonly string[] Options =
        ["--seconds", "--warm-up", "--rate", "--flood", "--modest", "--silos", "--front-ends", "--connection-string", "--json"];

    /// <exception cref="ArgumentException">An option is unknown or wrong.</exception>
    public static async Task Run(string[] args, CancellationToken stop)
    {
        var options = Arguments.Read(args, Options);
        var (seconds, warmUp) = (TimeSpan.FromSeconds(options.Number("--seconds", 60)), TimeSpan.FromSeconds(options.Number("--warm-up", 10)));
        var (rate, flood, modest) = (options.Number("--rate", 0.7), options.Number("--flood", 10), options.Number("--modest", 0.3));
        var deploymentOptions = new DeploymentOptions
        {
            Silos = (int)options.Number("--silos", 1),
            FrontEnds = (int)options.Number("--front-ends", 2),
            ConnectionString = options.Text("--connection-string"),
            Families = 1_000_000,
        };

        await using var deployment = await Deployment.Start(deploymentOptions, stop);
        var peak = new Peak(deployment);
        await peak.Prepare(stop);
        var (one, other) = (Partner.All[0], Partner.All[1]);
        var parts = new List<PeakPart>();
        await Add(await peak.Run($"{rate:P0} of the SI's capacity", warmUp, seconds, stop, (one, Peak.VisitsPerSecond(rate))));
        await Add(await peak.Run($"one partner alone at {modest:P0}", warmUp, seconds, stop, (other, Peak.VisitsPerSecond(modest))));
        await Add(await peak.Run(
            $"{flood:0} × {rate:P0}, and the other partner at {modest:P0}", warmUp, seconds, stop,
            (one, Peak.VisitsPerSecond(rate * flood)), (other, Peak.VisitsPerSecond(modest))));
        await Console.Out.WriteLineAsync($"the other partner finished {parts[2].Partners[1].Finished} visits beside the flood, {parts[1].Partners[0].Finished} alone: {1 - (double)parts[2].Partners[1].Finished / parts[1].Partners[0].Finished:P1} lost");
        if (options.Text("--json") is { } file)
            await File.WriteAllTextAsync(file, JsonSerializer.Serialize(parts.Select(Figures), JsonSerializerOptions.Web), stop);

        async Task Add(PeakPart part)
        {
            parts.Add(part);
            await Console.Out.WriteLineAsync(part.ToString());
        }
    }

    private static object Figures(PeakPart part) => new
    {
        part.Name,
        part.Seconds,
        part.Si,
        Peak.Capacity,
        part.Used,
        part.Useful,
        part.Delivered,
        part.CallsPerVisit,
        part.CallsPerFinishedVisit,
        LoadAverage = new[] { part.LoadAverage.Before, part.LoadAverage.After },
        Partners = part.Partners.Select(partner => new
        {
            partner.Partner,
            partner.Visits,
            partner.Unseen,
            partner.Finished,
            partner.FinishedUnseen,
            partner.Broken,
            partner.SentLate,
            partner.Ends,
            MeMs = new { p50 = partner.Me(50), p99 = partner.Me(99), max = partner.Me(100) },
            RefusedMs = new { p50 = partner.Refusal(50), p99 = partner.Refusal(99), max = partner.Refusal(100) },
        }),
    };
}
