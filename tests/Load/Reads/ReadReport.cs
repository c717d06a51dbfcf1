using System.Collections.Concurrent;
using HdrHistogram;

namespace DroitsAmeli.Load.Reads;

/// <summary>What a load of reads got. Many threads may count at once.</summary>
public sealed class ReadReport
{
    private const long LongestMicroseconds = 120_000_000;
    private const int MostExamples = 10;

    private readonly ConcurrentDictionary<(string Phase, string Outcome), int> outcomes = new();
    private readonly ConcurrentDictionary<string, int> cache = new(StringComparer.Ordinal);
    private readonly ConcurrentQueue<string> examples = new();
    private readonly LongConcurrentHistogram latencies = new(1, LongestMicroseconds, 3);
    private long oldestTicks;
    private int wrong;
    private int undeclared;
    private int good;
    private int late;

    /// <summary>What is going on; outcomes are counted apart for each phase, and those of calls that saw it change under the names of both.</summary>
    public string Phase { get; set; } = "";

    public int Total => outcomes.Values.Sum();

    /// <summary>200, the right bytes, the age declared.</summary>
    public int Good => good;

    /// <summary>200 with other bytes than the right ones, or about somebody else.</summary>
    public int Wrong => wrong;

    /// <summary>200 without an age, or with one that cannot be true.</summary>
    public int Undeclared => undeclared;

    /// <summary>Calls that this program itself sent more than 100 ms after their time.</summary>
    public int SentLate => late;

    /// <summary>The share of calls that were good.</summary>
    public double GoodShare => Total == 0 ? 0 : (double)good / Total;

    /// <summary>The oldest age that an answer declared.</summary>
    public TimeSpan OldestAge => TimeSpan.FromTicks(Interlocked.Read(ref oldestTicks));

    /// <summary>How many of each outcome, over all phases.</summary>
    public IReadOnlyDictionary<string, int> Outcomes =>
        outcomes.GroupBy(entry => entry.Key.Outcome).ToDictionary(group => group.Key, group => group.Sum(entry => entry.Value), StringComparer.Ordinal);

    /// <summary>How many answers of each kind of cache state: hit, stale hit, miss…</summary>
    public IReadOnlyDictionary<string, int> CacheStates => cache;

    /// <summary>Milliseconds below which that share of the calls ended, counted from the intended send time.</summary>
    /// <param name="percent">From 0 to 100.</param>
    public double Latency(double percent) => latencies.TotalCount == 0 ? 0 : latencies.GetValueAtPercentile(percent) / 1000.0;

    /// <summary>How many were not good, and in what way.</summary>
    public string Refusals() => $"{Total - Good} not good ({Text(Outcomes)})";

    /// <summary>One line for a table.</summary>
    public override string ToString() => FormattableString.Invariant(
        $"{Total} reads, {Refusals()}, {Wrong} wrong, p50 {Latency(50):0.0} p99 {Latency(99):0.0} p99.9 {Latency(99.9):0.0} max {Latency(100):0} ms");

    /// <summary>All that failed, by phase, with a few examples of wrong answers.</summary>
    public string Failures() => string.Join(
        '\n',
        outcomes.Where(entry => entry.Key.Outcome != "200").OrderBy(entry => entry.Key.Phase).Select(entry => $"{entry.Key.Phase}: {entry.Key.Outcome} × {entry.Value}").Concat(examples));

    /// <summary>The share of the calls that ended so.</summary>
    public double ShareOf(string outcome) => Total == 0 ? 0 : (double)Outcomes.GetValueOrDefault(outcome) / Total;

    /// <summary>How many of an outcome in one phase.</summary>
    public int Count(string phase, string outcome) => outcomes.GetValueOrDefault((phase, outcome));

    internal void SendsLate() => Interlocked.Increment(ref late);

    internal void Add(Question question, Reading reading, TimeSpan sinceIntended, bool right, DeclaredAge age, string? sentIn = null)
    {
        var phase = sentIn is null || sentIn == Phase ? Phase : $"{sentIn}, then {Phase}";
        outcomes.AddOrUpdate((phase, reading.Outcome), 1, static (_, count) => count + 1);
        latencies.RecordValue(Math.Clamp((long)sinceIntended.TotalMicroseconds, 1, LongestMicroseconds));
        if (reading.Status != 200)
            return;

        cache.AddOrUpdate(KindOf(reading), 1, static (_, count) => count + 1);
        if (!right)
        {
            Interlocked.Increment(ref wrong);
            if (examples.Count < MostExamples)
                examples.Enqueue($"wrong answer to {question.Resource}: {System.Text.Encoding.UTF8.GetString(reading.Body)}");
        }
        else if (!Declares(reading, age))
        {
            Interlocked.Increment(ref undeclared);
            if (examples.Count < MostExamples)
                examples.Enqueue($"no believable age: Date-Situation {reading.Situation:O}, Cache-Status {reading.CacheStatus}, received {reading.ReceivedAt:O}");
        }
        else
        {
            Interlocked.Increment(ref good);
        }
    }

    private bool Declares(Reading reading, DeclaredAge declared)
    {
        if (!declared.IsBelievable(reading))
            return false;
        var age = reading.ReceivedAt - reading.Situation!.Value;
        var seen = Interlocked.Read(ref oldestTicks);
        while (age.Ticks > seen && Interlocked.CompareExchange(ref oldestTicks, age.Ticks, seen) != seen)
            seen = Interlocked.Read(ref oldestTicks);
        return true;
    }

    private static string KindOf(Reading reading) => reading.CacheStatus switch
    {
        null => "undeclared",
        var status when status.Contains("hit", StringComparison.Ordinal) => reading.TtlSeconds >= 0 ? "hit" : "stale hit",
        var status when status.Contains("fwd=miss", StringComparison.Ordinal) => "miss",
        var status when status.Contains("fwd-status=304", StringComparison.Ordinal) => "confirmed",
        var status when status.Contains("fwd-status=200", StringComparison.Ordinal) => "refreshed",
        var status when status.Contains("fwd-status=503", StringComparison.Ordinal) => "old copy",
        _ => "other",
    };

    private static string Text(IReadOnlyDictionary<string, int> counts) =>
        string.Join(", ", counts.Where(count => count.Key != "200").OrderByDescending(count => count.Value).Select(count => $"{count.Key} × {count.Value}")) is { Length: > 0 } text ? text : "none";
}
