using System.Diagnostics;
using System.Globalization;
using DroitsAmeli.Api.Callers;
using DroitsAmeli.Grains.Familles;

namespace DroitsAmeli.Api.Droits;

/// <summary>Declares the age of an answer: <c>Date-Situation</c> (RFC 3339), and <c>Cache-Status</c> (RFC 9211).</summary>
public static class AnswerHeaders
{
    private const string CacheName = "DroitsAmeli";

    /// <summary>
    /// An organisme gets the instant rounded down to the hour and no cache status: a warm cache tells that somebody just looked.
    /// </summary>
    public static void Declare(IHeaderDictionary headers, CacheState cache, CallerType caller)
    {
        var situation = cache.Situation.ToUniversalTime();
        if (caller is not CallerType.EtablissementDeSoins)
        {
            situation = new(situation.Year, situation.Month, situation.Day, situation.Hour, 0, 0, TimeSpan.Zero);
        }
        else
        {
            headers["Cache-Status"] = CacheStatus(cache);
        }

        headers["Date-Situation"] = situation.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);
    }

    private static string CacheStatus(CacheState cache)
    {
        var ttl = string.Create(CultureInfo.InvariantCulture, $"; ttl={cache.TtlSeconds}");
        var ttlOnceOver = cache.TtlSeconds < 0 ? ttl : "";
        return CacheName + cache.Outcome switch
        {
            CacheOutcome.Hit => "; hit" + ttl,
            CacheOutcome.Confirmed => "; fwd=stale; fwd-status=304" + ttlOnceOver,
            CacheOutcome.Refreshed => "; fwd=stale; fwd-status=200" + ttlOnceOver,
            CacheOutcome.Miss => "; fwd=miss" + ttlOnceOver,
            CacheOutcome.OldCopy => "; fwd=stale; fwd-status=503" + ttl,
            _ => throw new UnreachableException(cache.Outcome.ToString()),
        };
    }
}
