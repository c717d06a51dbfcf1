using System.Globalization;
using System.Text.Json;
using DroitsAmeli.Load.Links;
using DroitsAmeli.Load.Processes;
using DroitsAmeli.Load.Visits;

const string usage = """
    usage: DroitsAmeli.Load peak [--seconds 60] [--warm-up 10] [--rate 0.7] [--flood 10] [--modest 0.3] [--silos 1] [--front-ends 2]
                                 [--connection-string …] [--json file]
           DroitsAmeli.Load tls [--seconds 20] [--repeats 5] [--workers 8] [--silos 1] [--front-ends 1] [--connection-string …] [--json file]
    peak: the cold peak. --rate and --modest are shares of the SI's capacity, --flood multiplies --rate. More than one silo needs a
    database (--connection-string) to which the schema was applied.
    tls: CPU per hot read with the links in clear and under mutual TLS, in turn.
    """;

if (args.FirstOrDefault() is not ("peak" or "tls") || args.Length % 2 != 1)
{
    await Console.Error.WriteLineAsync(usage);
    return 2;
}

var options = args.Skip(1).Chunk(2).ToDictionary(option => option[0], option => option[1], StringComparer.Ordinal);
using var stop = new CancellationTokenSource();
Console.CancelKeyPress += (_, pressed) =>
{
    pressed.Cancel = true;
    stop.Cancel();
};

if (args[0] == "tls")
    return await LinkCostCommand.Run(options, stop.Token);

var (seconds, warmUp) = (TimeSpan.FromSeconds(Number("--seconds", 60)), TimeSpan.FromSeconds(Number("--warm-up", 10)));
var (rate, flood, modest) = (Number("--rate", 0.7), Number("--flood", 10), Number("--modest", 0.3));
var deploymentOptions = new DeploymentOptions
{
    Silos = (int)Number("--silos", 1),
    FrontEnds = (int)Number("--front-ends", 2),
    ConnectionString = options.GetValueOrDefault("--connection-string"),
    Families = 1_000_000,
};

await using var deployment = await Deployment.Start(deploymentOptions, stop.Token);
var peak = new Peak(deployment);
await peak.Prepare(stop.Token);
var (one, other) = (Partner.All[0], Partner.All[1]);
var parts = new List<PeakPart>();
await Add(await peak.Run($"{rate:P0} of the SI's capacity", warmUp, seconds, stop.Token, (one, Peak.VisitsPerSecond(rate))));
await Add(await peak.Run($"one partner alone at {modest:P0}", warmUp, seconds, stop.Token, (other, Peak.VisitsPerSecond(modest))));
await Add(await peak.Run(
    $"{flood:0} × {rate:P0}, and the other partner at {modest:P0}", warmUp, seconds, stop.Token,
    (one, Peak.VisitsPerSecond(rate * flood)), (other, Peak.VisitsPerSecond(modest))));
await Console.Out.WriteLineAsync($"the other partner finished {parts[2].Partners[1].Finished} visits beside the flood, {parts[1].Partners[0].Finished} alone: {1 - (double)parts[2].Partners[1].Finished / parts[1].Partners[0].Finished:P1} lost");
if (options.GetValueOrDefault("--json") is { } file)
    await File.WriteAllTextAsync(file, JsonSerializer.Serialize(parts.Select(Figures), JsonSerializerOptions.Web), stop.Token);
return 0;

async Task Add(PeakPart part)
{
    parts.Add(part);
    await Console.Out.WriteLineAsync(part.ToString());
}

double Number(string name, double otherwise) =>
    options.TryGetValue(name, out var text) ? double.Parse(text, CultureInfo.InvariantCulture) : otherwise;

static object Figures(PeakPart part) => new
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
