using DroitsAmeli.Grains.Clustering;
using DroitsAmeli.Grains.RegimeSi;
using Microsoft.Extensions.Options;

namespace DroitsAmeli.Grains.Familles;

/// <summary>
/// How many families of this silo may ask the régime SI anew as soon as it has announced a change: in a second, those of all silos together no
/// more than the calls that the SI serves at once, yet one of each silo at least; twice that after a second without. A flood of changes must not
/// cost the SI, or this silo, what nobody may ever read: beyond that, a family is asked for by its next read, which waits for it. Thread-safe.
/// </summary>
internal sealed class AnnouncedRefreshes(IOptions<RegimeSiOptions> options, ISiloStatusOracle silos, TimeProvider time)
{
    private readonly Lock gate = new();
    private double left = double.MaxValue;
    private long countedAt = time.GetTimestamp();

    /// <summary>True when one more family may ask now; it then counts as having asked.</summary>
    public bool TryBegin()
    {
        lock (gate)
        {
            var perSecond = Math.Max(1, (double)options.Value.MaxConcurrentCalls / Math.Max(1, silos.GetSilosAtWork().Count));
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
