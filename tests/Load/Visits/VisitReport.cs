using System.Collections.Concurrent;
using System.Globalization;
using HdrHistogram;

namespace DroitsAmeli.Load.Visits;

/// <summary>What became of one partner's visits. Many threads may count at once.</summary>
public sealed class VisitReport(string partner)
{
    private const long LongestMicroseconds = 120_000_000;

    private readonly ConcurrentDictionary<string, int> ends = new(StringComparer.Ordinal);
    private readonly LongConcurrentHistogram me = new(1, LongestMicroseconds, 3);
    private readonly LongConcurrentHistogram refusals = new(1, LongestMicroseconds, 3);
    private int visits;
    private int unseen;
    private int finished;
    private int finishedUnseen;
    private int begun;
    private int late;
    private long answerBytes;

    public string Partner => partner;

    public int Visits => visits;

    /// <summary>Of these, by families that nobody had asked about.</summary>
    public int Unseen => unseen;

    /// <summary>All seven calls were answered.</summary>
    public int Finished => finished;

    /// <summary>Of these, by families that nobody had asked about.</summary>
    public int FinishedUnseen => finishedUnseen;

    /// <summary>/me was answered, and a later call was not.</summary>
    public int Broken => begun - finished;

    /// <summary>Visits that this program itself began more than 100 ms after their time.</summary>
    public int SentLate => late;

    /// <summary>Bytes of all bodies of answers 200.</summary>
    public long AnswerBytes => answerBytes;

    public double FinishedShare => visits == 0 ? 0 : (double)finished / visits;

    /// <summary>How visits ended that did not finish: the call and its outcome.</summary>
    public IReadOnlyDictionary<string, int> Ends => ends;

    /// <summary>How many visits ended with that outcome, whatever the call.</summary>
    public int EndedWith(string outcome) => ends.Where(end => end.Key.EndsWith($" {outcome}", StringComparison.Ordinal)).Sum(end => end.Value);

    /// <summary>Milliseconds below which that share of /me was answered with 200, counted from the intended send time.</summary>
    /// <param name="percent">From 0 to 100.</param>
    public double Me(double percent) => Milliseconds(me, percent);

    /// <summary>Milliseconds below which that share of the refusals came; of /me counted from the intended send time.</summary>
    /// <param name="percent">From 0 to 100.</param>
    public double Refusal(double percent) => Milliseconds(refusals, percent);

    /// <summary>One line for a table.</summary>
    public override string ToString() => string.Create(
        CultureInfo.InvariantCulture,
        $"{partner,-11} {visits,6} visits, {finished,6} finished ({FinishedShare:P1}), {Broken,4} broken; /me p50 {Me(50):0} p99 {Me(99):0} max {Me(100):0} ms; refused p50 {Refusal(50):0} p99 {Refusal(99):0} max {Refusal(100):0} ms; sent late {late}; {Text}");

    internal void Began(bool isUnseen, bool isLate)
    {
        Interlocked.Increment(ref visits);
        if (isUnseen)
            Interlocked.Increment(ref unseen);
        if (isLate)
            Interlocked.Increment(ref late);
    }

    internal void Received(int bytes) => Interlocked.Add(ref answerBytes, bytes);

    internal void MeAnswered(TimeSpan sinceIntended)
    {
        Interlocked.Increment(ref begun);
        me.RecordValue(Bounded(sinceIntended));
    }

    internal void Ended(bool unseen)
    {
        Interlocked.Increment(ref finished);
        if (unseen)
            Interlocked.Increment(ref finishedUnseen);
    }

    internal void Refused(string call, string outcome, TimeSpan after)
    {
        ends.AddOrUpdate($"{call} {outcome}", 1, static (_, count) => count + 1);
        refusals.RecordValue(Bounded(after));
    }

    private string Text => string.Join(", ", ends.OrderByDescending(end => end.Value).Select(end => $"{end.Key} × {end.Value}"));

    private static long Bounded(TimeSpan time) => Math.Clamp((long)time.TotalMicroseconds, 1, LongestMicroseconds);

    private static double Milliseconds(LongConcurrentHistogram histogram, double percent) =>
        histogram.TotalCount == 0 ? 0 : histogram.GetValueAtPercentile(percent) / 1000.0;
}
