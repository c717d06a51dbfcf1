using System.Diagnostics;
using System.Text.Json;
using System.Threading.Channels;
using DroitsAmeli.Load.Processes;
using DroitsAmeli.Load.Reads;

namespace DroitsAmeli.Load.Visits;

/// <summary>
/// Begins admission visits at their intended times (open loop: a slow answer delays no other visit). A visit is a new token of 60 s and the
/// seven calls of the CNAM's sample client, one after the other, to all front ends in turn; it ends at the first call that is refused.
/// </summary>
public sealed class VisitGenerator(Deployment deployment)
{
    private const string BasePath = "/v1/droits/beneficiaires";
    private const int SecondsAhead = 3;
    private static readonly string[] Calls = ["/me", "/me/beneficiaires", "/caisse", "/contrats", "/exonerations", "/medecin-traitant", "/"];
    private static readonly TimeSpan TokenLifetime = TimeSpan.FromSeconds(60);

    /// <summary>How long after the start of a load its first visit begins.</summary>
    internal static readonly TimeSpan Lead = TimeSpan.FromSeconds(2);

    private static readonly TimeSpan Tick = TimeSpan.FromMilliseconds(1);
    private static readonly TimeSpan Late = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan CallLimit = TimeSpan.FromSeconds(20);

    private readonly record struct Planned(TimeSpan Due, string Token, bool Unseen);

    /// <summary>Runs a load to its end and waits for its last visit.</summary>
    /// <param name="load">Who visits, how often.</param>
    /// <param name="stop">Ends it early.</param>
    public async Task<VisitReport> Run(VisitLoad load, CancellationToken stop)
    {
        using var http = Deployment.NewHttp(CallLimit);
        var report = new VisitReport(load.Partner.Id);
        var plan = Channel.CreateBounded<IReadOnlyList<Planned>>(SecondsAhead);
        var clock = Stopwatch.StartNew();
        var planning = Plan(load, plan.Writer, clock, stop);
        var visits = new List<Task>();
        var turn = 0;
        await foreach (var second in plan.Reader.ReadAllAsync(stop))
        {
            foreach (var visit in second)
            {
                while (clock.Elapsed < visit.Due)
                    await Task.Delay(Tick, TimeProvider.System, stop);
                visits.Add(Visit(http, load.Partner, visit, turn++, clock, report, stop));
            }

            visits.RemoveAll(visit => visit.IsCompletedSuccessfully);
        }

        await Task.WhenAll(visits);
        await planning;
        return report;
    }

    /// <summary>Has each of the families that count as seen visit once, a few at a time.</summary>
    public async Task Warm(VisitLoad load, CancellationToken stop)
    {
        using var http = Deployment.NewHttp(CallLimit);
        var report = new VisitReport(load.Partner.Id);
        var clock = Stopwatch.StartNew();
        var families = Enumerable.Range(0, load.Seen).Select(famille => (long)famille).ToList();
        foreach (var batch in families.Chunk(20))
        {
            var tokens = await deployment.FranceConnect.Mint(batch, load.Partner, TokenLifetime, stop);
            await Task.WhenAll(tokens.Select((token, at) => Visit(http, load.Partner, new(clock.Elapsed, token, false), at, clock, report, stop)));
        }

        if (report.Finished < load.Seen)
            throw new InvalidOperationException($"Of {load.Seen} families {report.Finished} could be warmed: {report}");
    }

    private async Task Plan(VisitLoad load, ChannelWriter<IReadOnlyList<Planned>> plan, Stopwatch clock, CancellationToken stop)
    {
        try
        {
            var random = new Random(load.Seed);
            var total = (long)(load.PerSecond * load.Duration.TotalSeconds);
            var perBatch = (int)Math.Max(1, load.PerSecond);
            var unseen = load.FirstUnseen;
            var start = clock.Elapsed + Lead;
            for (long first = 0; first < total; first += perBatch)
            {
                var families = Enumerable.Range(0, (int)Math.Min(perBatch, total - first))
                    .Select(_ => random.NextDouble() < load.UnseenShare ? unseen++ : random.Next(load.Seen)).ToList();
                var tokens = await deployment.FranceConnect.Mint(families, load.Partner, TokenLifetime, stop);
                await plan.WriteAsync(
                    [.. families.Select((famille, at) =>
                        new Planned(start + TimeSpan.FromSeconds((first + at) / load.PerSecond), tokens[at], famille >= load.FirstUnseen))],
                    stop);
            }

            plan.Complete();
        }
        catch (Exception failure)
        {
            plan.Complete(failure);
            throw;
        }
    }

    private async Task Visit(HttpClient http, Partner partner, Planned visit, int turn, Stopwatch clock, VisitReport report, CancellationToken stop)
    {
        report.Began(visit.Unseen, clock.Elapsed - visit.Due > Late);
        string? nir = null;
        for (var at = 0; at < Calls.Length; at++)
        {
            using var request = Request(Calls[at], deployment.FrontEnds[(turn + at) % deployment.FrontEnds.Count], partner, visit.Token, nir);
            var reading = await Reading.Of(http, request, stop);
            report.Received(reading.Body.Length);
            if (!IsAnswered(Calls[at], reading))
            {
                report.Refused(Calls[at], reading.Outcome, at == 0 ? clock.Elapsed - visit.Due : reading.Took);
                return;
            }

            if (at == 0)
            {
                nir = NirOf(reading.Body);
                report.MeAnswered(clock.Elapsed - visit.Due);
            }
        }

        report.Ended(visit.Unseen);
    }

    // Whoever has no doctor is told so.
    private static bool IsAnswered(string call, Reading reading) =>
        reading.Status == 200 || (call == "/medecin-traitant" && reading is { Status: 404, Code: "medecin_traitant_absent" });

    private static HttpRequestMessage Request(string call, Node frontEnd, Partner partner, string token, string? nir)
    {
        var request = new HttpRequestMessage(HttpMethod.Get, new Uri(frontEnd.Address, BasePath + call));
        request.Headers.Add("X-Api-Key", partner.Key);
        request.Headers.Authorization = new("Bearer", token);
        if (call is not ("/me" or "/me/beneficiaires"))
            request.Headers.Add("nir", nir);
        return request;
    }

    private static string NirOf(byte[] me)
    {
        using var document = JsonDocument.Parse(me);
        return document.RootElement.GetProperty("nir").GetString()!;
    }
}
