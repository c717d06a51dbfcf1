using DroitsAmeli.Grains;
using Microsoft.Extensions.Options;

namespace DroitsAmeli.Api;

/// <summary>
/// How many calls a front end lets into the cluster at once. Where even the fastest answer of a grain is slow, calls queue everywhere and each
/// of them would end too late: fewer are let in, and the others are refused at once, so that those let in are answered. The régime SI and
/// FranceConnect make some answers slow but never the fastest one, so their slowness alone refuses nobody.
/// </summary>
/// <remarks>The fastest of an interval as the sign of a queue that stands: K. Nichols and V. Jacobson, Controlling Queue Delay (RFC 8289).</remarks>
public sealed class Admission(IOptions<ApiOptions> options, TimeProvider time)
{
    private const double Shrinks = 0.5;
    private const double Grows = 2;

    /// <summary>Calls of a front end that are let in however slow the cluster is: twice the 32 that the régime SI serves at once.</summary>
    public const int Least = 64;

    /// <summary>The fastest answer of an <see cref="Interval"/> that shows no queue.</summary>
    public static readonly TimeSpan Target = TimeSpan.FromMilliseconds(100);

    /// <summary>How often the limit is judged: a burst that is over sooner refuses nobody.</summary>
    public static readonly TimeSpan Interval = TimeSpan.FromSeconds(1);

    private readonly Dictionary<string, int> byConvention = new(StringComparer.Ordinal);
    private readonly int most = options.Value.MaxConcurrentCalls;
    private readonly Lock gate = new();
    private double limit = options.Value.MaxConcurrentCalls;
    private int total;
    private long began = time.GetTimestamp();
    private TimeSpan fastest = TimeSpan.MaxValue;

    /// <summary>Calls that may be in the cluster now.</summary>
    public int Limit => (int)Volatile.Read(ref limit);

    /// <summary>Lets a call in, or refuses it: above the limit a convention still gets in while it has less than an equal share of a quarter more.</summary>
    /// <param name="convention">Whose call it is.</param>
    /// <returns>To be disposed of when the call ends; null for a call that is refused.</returns>
    public IDisposable? TryEnter(string convention)
    {
        lock (gate)
        {
            Judge();
            var own = byConvention.GetValueOrDefault(convention);
            var others = byConvention.Count - (own > 0 ? 1 : 0);
            var share = limit / (others + 1);
            if (total >= limit && (own >= share || total >= limit * 1.25))
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
            if (duration < fastest)
                fastest = duration;
            Judge();
        }
    }

    private void Judge()
    {
        if (time.GetElapsedTime(began) < Interval)
            return;
        var isQueueing = fastest > Target && total >= Least;
        limit = isQueueing ? Math.Max(Least, Math.Min(limit, total) * Shrinks) : Math.Min(most, limit * Grows);
        began = time.GetTimestamp();
        fastest = TimeSpan.MaxValue;
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

    private sealed class Entry(Admission admission, string convention) : IDisposable
    {
        public void Dispose() => admission.Leave(convention);
    }
}
