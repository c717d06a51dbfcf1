using DroitsAmeli.Load.Processes;

namespace DroitsAmeli.Tests.Cache;

internal static class SiCountersReads
{
    /// <summary>The counters without the feed's, which moves by itself.</summary>
    public static async Task<SiCounters> WithoutFeed(this Task<SiCounters> counters) => await counters with { Evenements = 0 };
}
