using DroitsAmeli.Grains;
using Microsoft.Extensions.Options;

namespace DroitsAmeli.Api;

/// <summary>
/// How many calls a front end lets into the cluster at once. Where no grain has answered fast for a while, calls queue everywhere and each
/// of them would end too late: fewer are let in, and the others are refused at once, so that those let in are answered. The régime SI and
/// FranceConnect make some answers slow but never all of them, so their slowness alone refuses nobody.
/// </summary>
/// <remarks>The fastest of an interval as the sign of a queue that stands: K. Nichols and V. Jacobson, Controlling Queue Delay (RFC 8289).</remarks>
public sealed partial class Admission(IOptions<ApiOptions> options, TimeProvider time, ILogger<Admission> logger)
{
    private const double Shrinks = 0.5;
    private const double Grows = 2;

    /// <summary>Calls of a front end that are let in however slow the cluster is: twice the 32 that the régime SI serves at once.</summary>
    public const int Least = 64;

    /// <summary>An answer that took no longer than this met no queue.</summary>
    public static readonly TimeSpan Fast = TimeSpan.FromMilliseconds(100);

    /// <summary>How often the limit is judged, and how long a queue must stand: a burst that is over sooner refuses nobody.</summary>
    public static readonly TimeSpan Interval = TimeSpan.FromSeconds(1);

    private readonly Dictionary<string, int> byConvention = new(StringComparer.Ordinal);
    private readonly int most = options.Value.MaxConcurrentCalls;
    private readonly Lock gate = new();
    private double limit = options.Value.MaxConcurrentCalls;
    private int total;
    private long judged = time.GetTimestamp();

    // When an answer was last fast, or fewer calls were inside than are let in anyhow.
    private long calm = time.GetTimestamp();

    /// <summary>Calls that may be in the cluster now.</summary>
    public int Limit => (int)limit;

    /// <summary>
    /// Lets a call in, or refuses it: above the limit a convention still gets in while it has less than its equal share of half the limit.
    /// </summary>
    /// <param name="convention">Whose call it is.</param>
    /// <returns>To be disposed of when the call ends; null for a call that is refused.</returns>
    public IDisposable? TryEnter(string convention)
    {
        lock (gate)
        {
            if (total < Least)
                calm = time.GetTimestamp();
            Judge();
            var own = byConvention.GetValueOrDefault(convention);
            var conventions = byConvention.Count + (own == 0 ? 1 : 0);
            if (total >= limit && own >= limit / (2 * conventions))
            {
                Telemetry.Refused.Add(1);
                return null;
            }

            byConvention[convention] = own + 1;
            total++;
            return new Entry(this, convention);
        }
    }

    /// <summary>Tells how long a grain took to answer.</summary>
    public void Observe(TimeSpan duration)
    {
        lock (gate)
        {
            if (duration <= Fast)
                calm = time.GetTimestamp();
            Judge();
        }
    }

    private void Judge()
    {
        if (time.GetElapsedTime(judged) < Interval)
            return;
        judged = time.GetTimestamp();
        var before = limit;
        var isQueueing = total >= Least && time.GetElapsedTime(calm) >= Interval;
        limit = isQueueing ? Math.Max(Least, Math.Min(limit, total) * Shrinks) : Math.Min(most, limit * Grows);
        if (before == most && limit < most)
            LogFewer((int)limit);
        else if (before < most && limit == most)
            LogAll();
    }

    private void Leave(string convention)
    {
        lock (gate)
        {
            total--;
            if (byConvention[convention] == 1)
                byConvention.Remove(convention);
            else
                byConvention[convention]--;
        }
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "No grain has answered fast for a second: {Limit} calls at once are let into the cluster, the others are refused with 503. Nothing has to be done while processes have just started; else see which of front ends, silos and PostgreSQL is short of CPU, and add front ends or silos.")]
    private partial void LogFewer(int limit);

    [LoggerMessage(Level = LogLevel.Information, Message = "Grains answer fast again: all calls are let in.")]
    private partial void LogAll();

    private sealed class Entry(Admission admission, string convention) : IDisposable
    {
        public void Dispose() => admission.Leave(convention);
    }
}
