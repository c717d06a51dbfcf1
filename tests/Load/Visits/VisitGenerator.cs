using System.Diagnostics;
using System.Text.Json;
using System.Threading.Channels;
using DroitsAmeli.Load.Processes;
using DroitsAmeli.Load.Reads;

namespace DroitsAmeli.Load.Visits;

/// <summary>
/// Begins admission visits at their intended times (open loop: a slow answer delays no other visit). A visit is a new token of 60 s and the
/// seven calls of the CNAM's sample client, one after the other, to where partners call; it ends at the first call that is refused.
/// </summary>
/// <param name="deployment">Is visited.</param>
/// <param name="book">The right answers to the partner, any other being a refusal; null: whatever is answered 200 will do.</param>
public sealed class VisitGenerator(Deployment deployment, AnswerBook? book = null)
{
    private const int SecondsAhead = 3;

    /// <summary>The calls of a visit.</summary>
    public static IReadOnlyList<Resource> Calls { get; } =
    [
        Resource.Me, Resource.Beneficiaires, Resource.Caisse, Resource.Contrats, Resource.Exonerations, Resource.MedecinTraitant, Resource.Beneficiaire,
    ];

    private static readonly TimeSpan TokenLifetime = TimeSpan.FromSeconds(60);

    /// <summary>How long after the start of a load its first visit begins.</summary>
    internal static readonly TimeSpan Lead = TimeSpan.FromSeconds(2);

    private static readonly TimeSpan Tick = TimeSpan.FromMilliseconds(1);
    private static readonly TimeSpan Late = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan CallLimit = TimeSpan.FromSeconds(20);

    private readonly record struct Planned(TimeSpan Due, long Famille, string Token, bool Unseen);

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
                visits.Add(Visit(http, load, visit, turn++, clock, report, stop));
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
            await Task.WhenAll(tokens.Select((token, at) => Visit(http, load, new(clock.Elapsed, batch[at], token, false), at, clock, report, stop)));
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
                    .Select(_ => random.NextDouble() < load.UnseenShare ? unseen++ : load.NextSeen?.Invoke() ?? random.Next(load.Seen)).ToList();
                var tokens = await deployment.FranceConnect.Mint(families, load.Partner, TokenLifetime, stop);
                await plan.WriteAsync(
                    [.. families.Select((famille, at) =>
                        new Planned(start + TimeSpan.FromSeconds((first + at) / load.PerSecond), famille, tokens[at], famille >= load.FirstUnseen))],
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

    private async Task Visit(HttpClient http, VisitLoad load, Planned visit, int turn, Stopwatch clock, VisitReport report, CancellationToken stop)
    {
        report.Began(visit.Unseen, clock.Elapsed - visit.Due > Late);
        var judged = new List<JudgedRead>(Calls.Count);
        await Call(http, load, visit, turn, clock, report, judged, stop);
        if (book is not null)
            load.Judged?.Invoke(new(visit.Due, visit.Unseen, judged));
    }

    private async Task Call(
        HttpClient http, VisitLoad load, Planned visit, int turn, Stopwatch clock, VisitReport report, List<JudgedRead> judged, CancellationToken stop)
    {
        var age = DeclaredAge.Of(deployment.SiloSettings, load.Partner);
        var due = visit.Due;
        string? nir = null;
        for (var at = 0; at < Calls.Count; at++)
        {
            var question = new Question(visit.Famille, Calls[at]);
            using var request = question.To(deployment.Entrances[(turn + at) % deployment.Entrances.Count], load.Partner, visit.Token, nir);
            var reading = await Reading.Of(http, request, stop);
            report.Received(reading.Body.Length);
            var ended = clock.Elapsed;
            if (book is not null)
                judged.Add(JudgedRead.Of(book, age, due, question, reading, ended - due));
            if (book is null ? !IsAnswered(question, reading) : !judged[^1].Right)
            {
                report.Refused(question.Path, reading.Outcome, ended - due);
                return;
            }

            if (at == 0)
            {
                nir = NirOf(reading.Body);
                report.MeAnswered(ended - due);
            }

            due = ended;
        }

        report.Ended(visit.Unseen);
    }

    // Whoever has no doctor is told so.
    private static bool IsAnswered(Question question, Reading reading) =>
        reading.Status == 200 || (question.Resource == Resource.MedecinTraitant && reading is { Status: 404, Code: "medecin_traitant_absent" });

    private static string NirOf(byte[] me)
    {
        using var document = JsonDocument.Parse(me);
        return document.RootElement.GetProperty("nir").GetString()!;
    }
}
