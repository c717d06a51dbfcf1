using System.Diagnostics;
using System.Threading.Channels;
using DroitsAmeli.Load.Processes;

namespace DroitsAmeli.Load.Reads;

/// <summary>A load of reads at a given rate, whatever the answers take.</summary>
public sealed record ReadLoad
{
    public required double PerSecond { get; init; }

    public required TimeSpan Duration { get; init; }

    /// <summary>The next family to be asked about. Called by one thread.</summary>
    public required Func<long> NextFamille { get; init; }

    public Partner Partner { get; init; } = Partner.Hopital;

    /// <summary>Asked in turn.</summary>
    public IReadOnlyList<Resource> Resources { get; init; } = [Resource.Me, Resource.Exonerations];

    public TimeSpan TokenLifetime { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>Gets each answer with its question; called by many threads.</summary>
    public Action<Question, Reading>? Seen { get; init; }

    /// <summary>Gets each answer once it is judged; called by many threads.</summary>
    public Action<JudgedRead>? Judged { get; init; }

    /// <summary>Families drawn by Zipf's law with exponent 0.99 from the first so many of the population.</summary>
    public static Func<long> ZipfOver(int familles, int seed = 1)
    {
        var zipf = new Zipf(familles, 0.99, seed);
        return () => zipf.Next();
    }

    /// <summary>Each family once, from that index on.</summary>
    public static Func<long> EachFrom(long first)
    {
        var next = first;
        return () => next++;
    }
}

/// <summary>A call of a load, and what came of it.</summary>
/// <param name="Due">When it was meant to be sent, since the load was started.</param>
/// <param name="Question">What was asked.</param>
/// <param name="Reading">What came back.</param>
/// <param name="SinceDue">From then to its end.</param>
/// <param name="Right">False for anything but the right answer.</param>
/// <param name="Declared">False for a 200 whose declared age cannot be true.</param>
public readonly record struct JudgedRead(TimeSpan Due, Question Question, Reading Reading, TimeSpan SinceDue, bool Right, bool Declared)
{
    /// <summary>Judges an answer.</summary>
    internal static JudgedRead Of(AnswerBook book, DeclaredAge age, TimeSpan due, Question question, Reading reading, TimeSpan sinceDue) =>
        new(due, question, reading, sinceDue, book.IsRight(question, reading), reading.Status != 200 || age.IsBelievable(reading));
}

/// <summary>
/// Sends reads at their intended times to where partners call (open loop: a slow answer delays no other call), with tokens minted
/// ahead, and checks every answer.
/// </summary>
public sealed class OpenLoopReader(Deployment deployment, AnswerBook book)
{
    private const int SecondsAhead = 3;
    private static readonly TimeSpan Lead = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan Tick = TimeSpan.FromMilliseconds(1);
    private static readonly TimeSpan Late = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan CallLimit = TimeSpan.FromSeconds(20);

    private readonly record struct Planned(TimeSpan Due, Question Question, string Token);

    /// <summary>Runs a load to its end, or until it is told to stop, and waits for the last answer.</summary>
    /// <param name="load">What to ask.</param>
    /// <param name="report">Gets the outcomes while they come.</param>
    /// <param name="stop">Ends the load early; its calls under way are still waited for.</param>
    public async Task<ReadReport> Run(ReadLoad load, ReadReport report, CancellationToken stop)
    {
        using var http = Deployment.NewHttp(CallLimit);
        using var ended = CancellationTokenSource.CreateLinkedTokenSource(stop);
        var plan = Channel.CreateBounded<IReadOnlyList<Planned>>(SecondsAhead);
        var clock = Stopwatch.StartNew();
        var planning = Plan(load, plan.Writer, clock, ended.Token);
        var calls = new List<Task>();
        try
        {
            var turn = 0;
            await foreach (var second in plan.Reader.ReadAllAsync(stop))
            {
                foreach (var read in second)
                {
                    while (clock.Elapsed < read.Due)
                        await Task.Delay(Tick, TimeProvider.System, stop);
                    if (clock.Elapsed - read.Due > Late)
                        report.SendsLate();
                    calls.Add(Ask(http, load, read, deployment.Entrances[turn++ % deployment.Entrances.Count], clock, report));
                }

                calls.RemoveAll(call => call.IsCompletedSuccessfully);
            }
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            // Told to stop.
        }

        await ended.CancelAsync();
        await Task.WhenAll(calls);
        try
        {
            await planning;
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            // Told to stop.
        }

        return report;
    }

    private async Task Plan(ReadLoad load, ChannelWriter<IReadOnlyList<Planned>> plan, Stopwatch clock, CancellationToken stop)
    {
        try
        {
            var purse = new TokenPurse(deployment.FranceConnect, load.Partner, load.TokenLifetime);
            var total = (long)(load.PerSecond * load.Duration.TotalSeconds);
            var perBatch = (int)Math.Max(1, load.PerSecond);
            var start = clock.Elapsed + Lead;
            for (long first = 0; first < total; first += perBatch)
            {
                var questions = Enumerable.Range(0, (int)Math.Min(perBatch, total - first))
                    .Select(index => (Due: start + TimeSpan.FromSeconds((first + index) / load.PerSecond),
                        Question: new Question(load.NextFamille(), load.Resources[(int)((first + index) % load.Resources.Count)])))
                    .ToList();
                var lastAt = TimeProvider.System.GetUtcNow() + (questions[^1].Due - clock.Elapsed);
                await purse.Provide(questions.Select(asked => asked.Question.Famille), lastAt, stop);
                await plan.WriteAsync([.. questions.Select(asked => new Planned(asked.Due, asked.Question, purse.Of(asked.Question.Famille)))], stop);
            }

            plan.Complete();
        }
        catch (Exception failure)
        {
            plan.Complete(failure);
            throw;
        }
    }

    private async Task Ask(HttpClient http, ReadLoad load, Planned read, Node entrance, Stopwatch clock, ReadReport report)
    {
        using var request = read.Question.To(entrance, load.Partner, read.Token, deployment.RegimeSi);
        var phase = report.Phase;
        var reading = await Reading.Of(http, request, CancellationToken.None);
        load.Seen?.Invoke(read.Question, reading);
        var age = DeclaredAge.Of(deployment.SiloSettings, load.Partner);
        var judged = JudgedRead.Of(book, age, read.Due, read.Question, reading, clock.Elapsed - read.Due);
        load.Judged?.Invoke(judged);
        report.Add(read.Question, reading, judged.SinceDue, judged.Right, age, phase);
    }
}
