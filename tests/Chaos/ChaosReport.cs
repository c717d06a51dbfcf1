using System.Collections.Concurrent;
using System.Globalization;
using System.Text.Json;
using DroitsAmeli.Load.Processes;
using DroitsAmeli.Load.Reads;
using DroitsAmeli.Load.Visits;
using HdrHistogram;

namespace DroitsAmeli.Tests.Chaos;

/// <summary>What the calls that were meant to be sent during one disturbance got, and what it cost upstream. Many threads may count at once.</summary>
/// <param name="name">The disturbance.</param>
/// <param name="began">When, since the load began.</param>
/// <param name="familles">How many are held, each with its composition and its user's rights.</param>
internal sealed class ChaosPhase(string name, TimeSpan began, int familles)
{
    private const long LongestMicroseconds = 120_000_000;
    private const int PartsOfFamille = 2;

    private readonly LongConcurrentHistogram latencies = new(1, LongestMicroseconds, 3);
    private readonly ConcurrentDictionary<string, int> failures = new(StringComparer.Ordinal);
    private readonly Lock gate = new();
    private readonly VisitCount visits = new();
    private TimeSpan? first;
    private TimeSpan last;
    private int excused;
    private int wrong;

    public string Name => name;

    public TimeSpan Began => began;

    public long Calls => latencies.TotalCount;

    public int Failed => failures.Values.Sum();

    /// <summary>How many of each outcome that is not the expected answer.</summary>
    public IReadOnlyDictionary<string, int> Failures => failures;

    /// <summary>Of these, answers that say what is not so, or tell what is not for the caller.</summary>
    public int Wrong => wrong;

    /// <summary>Calls about families of which there was no copy, refused while the SI was disturbed: they are no failures.</summary>
    public int Excused => excused;

    /// <summary>The visits that were meant to begin then.</summary>
    public VisitCount Visits => visits;

    /// <summary>
    /// Parts of held families that the SI had to give in full: copies that were lost. Two for each visit by an unseen family that finished are taken off; what the
    /// other visits by unseen families had loaded counts here.
    /// </summary>
    public long Reloads => Si is null ? 0 : Math.Max(0, Si.Entieres - PartsOfFamille * visits.FinishedUnseen);

    /// <summary>Of all held parts.</summary>
    public double ReloadShare => (double)Reloads / (PartsOfFamille * familles);

    /// <summary>Grains of the busiest silo over the mean of all of them, at the end; null when the cluster did not say.</summary>
    public double? Balance { get; set; }

    /// <summary>Seconds from the first call that failed to the last one.</summary>
    public double ErrorWindow => first is { } from ? (last - from).TotalSeconds : 0;

    /// <summary>Seconds from the beginning of the disturbance to the last call that failed; 0 when none did.</summary>
    public double Recovery => first is null ? 0 : (last - began).TotalSeconds;

    /// <summary>How long after the beginning of the disturbance a silo was declared dead; null when none was, or the disturbance is of another kind.</summary>
    public TimeSpan? DeclaredDead { get; set; }

    public SiCounters? Si { get; set; }

    public long Checktokens { get; set; }

    /// <summary>Milliseconds below which that share of the calls ended, counted from the intended send time.</summary>
    public double Latency(double percent) => latencies.TotalCount == 0 ? 0 : latencies.GetValueAtPercentile(percent) / 1000.0;

    public void Add(JudgedRead call, CallFate fate, string? failure)
    {
        var due = call.Due;
        latencies.RecordValue(Math.Clamp((long)call.SinceDue.TotalMicroseconds, 1, LongestMicroseconds));
        if (fate is CallFate.Excused)
            Interlocked.Increment(ref excused);
        if (fate is CallFate.Wrong)
            Interlocked.Increment(ref wrong);
        if (failure is null)
            return;
        failures.AddOrUpdate(failure, 1, static (_, count) => count + 1);
        lock (gate)
        {
            if (first is null || due < first)
                first = due;
            if (due > last)
                last = due;
        }
    }

    public override string ToString() => string.Create(
        CultureInfo.InvariantCulture,
        $"{Began,8:mm\\:ss} {Name,-26} {Calls,7} calls, {Failed,4} failed ({ErrorWindow:0.0} s, over after {Recovery:0.0} s); p50 {Latency(50):0.0} p99 {Latency(99):0} p99.9 {Latency(99.9):0} max {Latency(100):0} ms; SI {Si?.Loads ?? 0}, at once {Si?.ConcurrenceMax ?? 0}; checktokens {Checktokens}; reloads {Reloads} ({100 * ReloadShare:0.00} %), balance {Balance:0.00}")
        + (visits.Begun == 0 ? "" : $"; {visits}; {Excused} calls excused")
        + (DeclaredDead is { } dead ? string.Create(CultureInfo.InvariantCulture, $"; declared dead after {dead.TotalSeconds:0.0} s") : "")
        + string.Concat(failures.OrderByDescending(failure => failure.Value).Select(failure => $"\n           {failure.Key} × {failure.Value}"));
}

/// <summary>What is to be thought of a call.</summary>
internal enum CallFate
{
    Good,

    /// <summary>Refused, and nothing else could be done: the SI was disturbed, and there was no copy.</summary>
    Excused,

    Failed,

    /// <summary>Answered, but not with what is so.</summary>
    Wrong,
}

/// <summary>What became of admission visits. Many threads may count at once.</summary>
internal sealed class VisitCount
{
    private int unseen;
    private int finished;
    private int finishedUnseen;
    private int refused;
    private int broken;

    public int Begun => finished + refused + broken;

    /// <summary>Of these, by families that nobody had asked about.</summary>
    public int Unseen => unseen;

    /// <summary>All seven calls were answered right and in time.</summary>
    public int Finished => finished;

    /// <summary>Of these, by families that nobody had asked about.</summary>
    public int FinishedUnseen => finishedUnseen;

    /// <summary>Ended by a call that is excused.</summary>
    public int Refused => refused;

    /// <summary>A call failed.</summary>
    public int Broken => broken;

    public void Add(bool isUnseen, CallFate worst)
    {
        if (isUnseen)
            Interlocked.Increment(ref unseen);
        if (worst is CallFate.Good)
        {
            Interlocked.Increment(ref finished);
            if (isUnseen)
                Interlocked.Increment(ref finishedUnseen);
        }
        else if (worst is CallFate.Excused)
        {
            Interlocked.Increment(ref refused);
        }
        else
        {
            Interlocked.Increment(ref broken);
        }
    }

    public override string ToString() => string.Create(
        CultureInfo.InvariantCulture, $"visits {Begun} ({Unseen} unseen), {Finished} finished, {Refused} refused, {Broken} broken");
}

/// <summary>What a whole run gave.</summary>
/// <param name="familles">How many are held when it begins.</param>
internal sealed class ChaosReport(int familles)
{
    private const int MostExamples = 5;
    private const int LongestExample = 600;
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(8);
    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web) { WriteIndented = true };

    private readonly List<ChaosPhase> phases = [];
    private readonly List<(TimeSpan From, TimeSpan To)> siDisturbed = [];
    private readonly ConcurrentQueue<string> examples = new();
    private readonly VisitCount visits = new();
    private readonly Lock gate = new();

    public IReadOnlyList<ChaosPhase> Phases => phases;

    public long Calls => phases.Sum(phase => phase.Calls);

    public int Failed => phases.Sum(phase => phase.Failed);

    /// <summary>Of these, answers that say what is not so, or tell what is not for the caller.</summary>
    public int Wrong => phases.Sum(phase => phase.Wrong);

    /// <summary>Calls about families of which there was no copy, refused while the SI was disturbed: they are no failures.</summary>
    public int Excused => phases.Sum(phase => phase.Excused);

    /// <summary>All visits.</summary>
    public VisitCount Visits => visits;

    /// <summary>Calls or visits that the load itself began more than 100 ms after their time.</summary>
    public int SentLate { get; set; }

    public double Availability => Calls == 0 ? 0 : 1 - ((double)Failed / Calls);

    /// <summary>Most of the failures per call that this run leaves possible, with 95 % confidence.</summary>
    public double FailureRateAtMost => Calls == 0 ? 1 : MostOf(Failed) / Calls;

    /// <summary>The same for visits that break.</summary>
    public double BrokenRateAtMost => visits.Begun == 0 ? 1 : MostOf(visits.Broken) / visits.Begun;

    public ChaosPhase Begin(string name, TimeSpan at)
    {
        var phase = new ChaosPhase(name, at, familles);
        lock (gate)
            phases.Add(phase);
        return phase;
    }

    /// <summary>From that instant of the load on the SI is disturbed.</summary>
    public void SiFails(TimeSpan at)
    {
        lock (gate)
            siDisturbed.Add((at, TimeSpan.MaxValue));
    }

    /// <summary>From that instant of the load on it no longer is.</summary>
    public void SiWorks(TimeSpan at)
    {
        lock (gate)
            siDisturbed[^1] = siDisturbed[^1] with { To = at };
    }

    /// <summary>Counts a call where it was meant to be sent.</summary>
    public void Add(JudgedRead read)
    {
        var (fate, failure) = Judge(read);
        PhaseAt(read.Due)?.Add(read, fate, failure);
    }

    /// <summary>Counts a visit where it was meant to begin, and each of its calls where that was.</summary>
    public void Add(JudgedVisit visit)
    {
        var worst = CallFate.Good;
        foreach (var call in visit.Calls)
        {
            var (fate, failure) = Judge(call);
            if (visit.Unseen && fate is CallFate.Failed && IsExcused(call))
                (fate, failure) = (CallFate.Excused, null);
            if (fate > worst)
                worst = fate;
            PhaseAt(call.Due)?.Add(call, fate, failure is null ? null : $"{call.Question.Path} {failure}");
        }

        PhaseAt(visit.Due)?.Visits.Add(visit.Unseen, worst);
        visits.Add(visit.Unseen, worst);
    }

    public override string ToString() => string.Join('\n', phases.Select(phase => phase.ToString()).Concat(examples).Append(string.Create(
        CultureInfo.InvariantCulture,
        $"   total {Calls} calls, {Failed} failed, {Wrong} wrong, {Excused} excused; sent late {SentLate}") + (visits.Begun == 0 ? "" : $"; {visits}")));

    /// <summary>All figures, for programs.</summary>
    public string ToJson() => JsonSerializer.Serialize(
        new
        {
            Calls,
            Failed,
            Wrong,
            Excused,
            SentLate,
            Availability,
            FailureRateAtMost,
            Visits,
            BrokenRateAtMost,
            Phases = phases.Select(phase => new
            {
                phase.Name,
                BeganSeconds = phase.Began.TotalSeconds,
                phase.Calls,
                phase.Failed,
                phase.Wrong,
                phase.Excused,
                phase.Failures,
                phase.ErrorWindow,
                phase.Recovery,
                DeclaredDeadSeconds = phase.DeclaredDead?.TotalSeconds,
                Milliseconds = new { P50 = phase.Latency(50), P99 = phase.Latency(99), P999 = phase.Latency(99.9), Max = phase.Latency(100) },
                phase.Visits,
                phase.Si,
                phase.Reloads,
                phase.ReloadShare,
                phase.Balance,
                phase.Checktokens,
            }),
        },
        Json);

    // The upper Poisson limit by Wilson and Hilferty.
    private static double MostOf(int seen)
    {
        const double z = 1.6448536269514722;
        var n = seen + 1.0;
        return n * Math.Pow(1 - (1 / (9 * n)) + (z / (3 * Math.Sqrt(n))), 3);
    }

    private ChaosPhase? PhaseAt(TimeSpan due)
    {
        lock (gate)
            return phases.FindLast(begun => begun.Began <= due);
    }

    // What no copy can answer and the SI does not.
    private bool IsExcused(JudgedRead call)
    {
        if (call.Reading is not ({ Status: 503, Code: "si_indisponible" } or { Status: 504, Code: "delai_depasse" }) || call.SinceDue > Deadline)
            return false;
        lock (gate)
            return siDisturbed.Exists(disturbed => call.Due < disturbed.To && call.Due + call.SinceDue > disturbed.From);
    }

    private (CallFate Fate, string? Failure) Judge(JudgedRead call)
    {
        var reading = call.Reading;
        var late = call.SinceDue > Deadline;
        if (!call.Right)
        {
            // A refusal that speaks of the person or of the partner says what is not so.
            return reading.Status switch
            {
                200 => Example(call, CallFate.Wrong, "wrong answer"),
                403 or 404 or 409 => Example(call, CallFate.Wrong, $"wrong answer, {reading.Outcome}"),
                _ => (CallFate.Failed, late ? $"{reading.Outcome} after more than 8 s" : reading.Outcome),
            };
        }

        return !call.Declared ? Example(call, CallFate.Failed, "no believable age")
            : late ? (CallFate.Failed, $"{reading.Outcome} after more than 8 s")
            : (CallFate.Good, null);
    }

    private (CallFate Fate, string? Failure) Example(JudgedRead call, CallFate fate, string failure)
    {
        if (examples.Count < MostExamples)
        {
            var body = System.Text.Encoding.UTF8.GetString(call.Reading.Body);
            examples.Enqueue(string.Create(
                CultureInfo.InvariantCulture,
                $"{failure} to {call.Question} due at {call.Due:mm\\:ss\\.fff}: {call.Reading.Outcome}, Date-Situation {call.Reading.Situation:O}, Cache-Status {call.Reading.CacheStatus}, received {call.Reading.ReceivedAt:O} after {call.Reading.Took.TotalMilliseconds:0} ms {body[..Math.Min(body.Length, LongestExample)]}"));
        }

        return (fate, failure);
    }
}
