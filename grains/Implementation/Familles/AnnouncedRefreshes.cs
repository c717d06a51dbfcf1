using DroitsAmeli.Grains.RegimeSi;
using Microsoft.Extensions.Options;

namespace DroitsAmeli.Grains.Familles;

/// <summary>
/// How many families of this silo may ask the régime SI anew as soon as it has announced a change: in a second no more than the SI serves at
/// once. A flood of changes must not cost the SI, or this silo, what nobody may ever read: beyond that, a family is asked for by its next read,
/// which waits for it. Thread-safe.
/// </summary>
internal sealed class AnnouncedRefreshes(IOptions<RegimeSiOptions> options, TimeProvider time)
{
    private readonly Lock gate = new();
    private readonly double perSecond = options.Value.MaxConcurrentCalls;
    private double left = options.Value.MaxConcurrentCalls;
    private long countedAt = time.GetTimestamp();

    /// <summary>True when one more family may ask now; it then counts as having asked.</summary>
    public bool TryBegin()
    {
        lock (gate)
        {
            var now = time.GetTimestamp();
            left = Math.Min(perSecond, left + time.GetElapsedTime(countedAt, now).TotalSeconds * perSecond);
            countedAt = now;
            if (left < 1)
                return false;
            left--;
            return true;
        }
    }
}
