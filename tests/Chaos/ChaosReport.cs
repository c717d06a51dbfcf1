using System.Collections.Concurrent;
using System.Globalization;
using System.Text.Json;
using DroitsAmeli.Load.Processes;
using DroitsAmeli.Load.Reads;
using HdrHistogram;

namespace DroitsAmeli.Tests.Chaos;

/// <summary>What the calls that were meant to be sent during one disturbance got, and what it cost upstream. Many threads may count at once.</summary>
/// <param name="name">The disturbance.</param>
/// <param name="began">When, since the load began.</param>
internal sealed class ChaosPhase(string name, TimeSpan began)
{
    private const long LongestMicroseconds = 120_000_000;

    private readonly LongConcurrentHistogram latencies = new(1, LongestMicroseconds, 3);
    private readonly ConcurrentDictionary<string, int> failures = new(StringComparer.Ordinal);
    private readonly Lock gate = new();
    private TimeSpan? first;
    private TimeSpan last;

    public string Name => name;

    public TimeSpan Began => began;

    public long Calls => latencies.TotalCount;

    public int Failed => failures.Values.Sum();

    /// <summary>How many of each outcome that is not the expected answer.</summary>
    public IReadOnlyDictionary<string, int> Failures => failures;

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

    public void Add(TimeSpan due, TimeSpan latency, string? failure)
    {
        latencies.RecordValue(Math.Clamp((long)latency.TotalMicroseconds, 1, LongestMicroseconds));
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
        $"{Began,8:mm\\:ss} {Name,-26} {Calls,7} calls, {Failed,4} failed ({ErrorWindow:0.0} s, over after {Recovery:0.0} s); p50 {Latency(50):0.0} p99 {Latency(99):0} p99.9 {Latency(99.9):0} max {Latency(100):0} ms; SI {Si?.Loads ?? 0}, at once {Si?.ConcurrenceMax ?? 0}; checktokens {Checktokens}")
        + (DeclaredDead is { } dead ? string.Create(CultureInfo.InvariantCulture, $"; declared dead after {dead.TotalSeconds:0.0} s") : "")
        + string.Concat(failures.OrderByDescending(failure => failure.Value).Select(failure => $"\n           {failure.Key} × {failure.Value}"));
}

/// <summary>What a whole run gave.</summary>
internal sealed class ChaosReport
{
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(8);
    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web) { WriteIndented = true };

    private readonly List<ChaosPhase> phases = [];
    private readonly Lock gate = new();

    public IReadOnlyList<ChaosPhase> Phases => phases;

    public long Calls => phases.Sum(phase => phase.Calls);

    public int Failed => phases.Sum(phase => phase.Failed);

    public double Availability => Calls == 0 ? 0 : 1 - ((double)Failed / Calls);

    /// <summary>Most of the failures per call that this run leaves possible, with 95 % confidence: the upper Poisson limit by Wilson and Hilferty.</summary>
    public double FailureRateAtMost
    {
        get
        {
            const double z = 1.6448536269514722;
            var n = Failed + 1.0;
            return Calls == 0 ? 1 : n * Math.Pow(1 - (1 / (9 * n)) + (z / (3 * Math.Sqrt(n))), 3) / Calls;
        }
    }

    public ChaosPhase Begin(string name, TimeSpan at)
    {
        var phase = new ChaosPhase(name, at);
        lock (gate)
            phases.Add(phase);
        return phase;
    }

    /// <summary>Counts a call where it was meant to be sent.</summary>
    public void Add(JudgedRead read)
    {
        ChaosPhase? phase;
        lock (gate)
            phase = phases.FindLast(begun => begun.Began <= read.Due);
        phase?.Add(read.Due, read.SinceDue, FailureOf(read));
    }

    public override string ToString() => string.Join('\n', phases.Select(phase => phase.ToString()));

    /// <summary>All figures, for programs.</summary>
    public string ToJson() => JsonSerializer.Serialize(
        new
        {
            Calls,
            Failed,
            Availability,
            FailureRateAtMost,
            Phases = phases.Select(phase => new
            {
                phase.Name,
                BeganSeconds = phase.Began.TotalSeconds,
                phase.Calls,
                phase.Failed,
                phase.Failures,
                phase.ErrorWindow,
                phase.Recovery,
                DeclaredDeadSeconds = phase.DeclaredDead?.TotalSeconds,
                Milliseconds = new { P50 = phase.Latency(50), P99 = phase.Latency(99), P999 = phase.Latency(99.9), Max = phase.Latency(100) },
                phase.Si,
                phase.Checktokens,
            }),
        },
        Json);

    private static string? FailureOf(JudgedRead read) =>
        read.Reading.Status != 200 ? read.Reading.Outcome
        : !read.Right ? "wrong answer"
        : read.SinceDue > Deadline ? "200 after more than 8 s"
        : null;
}
