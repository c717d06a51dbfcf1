using System.Globalization;
using DroitsAmeli.Load.Processes;
using DroitsAmeli.Simulators.RegimeSi;

namespace DroitsAmeli.Load.Visits;

/// <summary>One part of the cold peak, measured.</summary>
/// <param name="Name">What was sent.</param>
/// <param name="Seconds">How long was counted.</param>
/// <param name="Partners">What became of each partner's visits.</param>
/// <param name="Si">What the SI was asked meanwhile.</param>
/// <param name="Capacity">Calls per second that the SI can take.</param>
/// <param name="LoadAverage">Runnable tasks of the machine, before and after.</param>
public sealed record PeakPart(
    string Name, double Seconds, IReadOnlyList<VisitReport> Partners, SiCounters Si, double Capacity, (double Before, double After) LoadAverage)
{
    /// <summary>SI calls for each finished visit of an unseen family.</summary>
    public double CallsPerVisit => Partners.Sum(partner => partner.FinishedUnseen) is > 0 and var finished ? (double)Si.Loads / finished : 0;

    /// <summary>The share of the SI's capacity that was used.</summary>
    public double Used => Si.Loads / Seconds / Capacity;

    /// <summary>The share of the SI's calls that served visits that finished.</summary>
    public double Useful => Si.Loads == 0 ? 1 : Math.Min(1, 3.0 * Partners.Sum(partner => partner.FinishedUnseen) / Si.Loads);

    public override string ToString() => string.Create(
        CultureInfo.InvariantCulture,
        $"{Name} ({Seconds:0} s; load average {LoadAverage.Before:0.0} → {LoadAverage.After:0.0})\n  SI: {Si.Identifications} identifications, {Si.Familles} compositions, {Si.Droits} rights; {Si.Loads / Seconds:0.0} calls/s = {Used:P1} of its capacity; {Useful:P1} for visits that finished; {CallsPerVisit:0.00} calls per unseen visit; at once {Si.ConcurrenceMax}\n")
        + string.Join('\n', Partners.Select(partner => "  " + partner));
}

/// <summary>
/// The cold peak: an SI of 300 ms (p99 2 s) and 32 calls at once, families of which four in five were never seen; at a share of the SI's
/// capacity, then far above it, with a partner who stays within its share.
/// </summary>
public sealed class Peak(Deployment deployment)
{
    private const int Slots = 32;
    private const double MedianMs = 300;
    private const double P99Ms = 2000;
    private const double Unseen = 0.8;
    private const double CallsPerUnseenVisit = 3;

    private long firstUnseen = 1000;

    /// <summary>Calls per second: slots divided by the mean of the log-normal latency.</summary>
    public static double Capacity { get; } = Slots / (MedianMs / 1000 * Math.Exp(Math.Pow(Math.Log(P99Ms / MedianMs) / 2.3263478740408408, 2) / 2));

    /// <summary>Visits per second, four in five of them by unseen families, that use that share of the SI's capacity.</summary>
    public static double VisitsPerSecond(double share) => share * Capacity / CallsPerUnseenVisit / Unseen;

    /// <summary>Makes the SI slow and the seen families known.</summary>
    public async Task Prepare(CancellationToken stop)
    {
        await deployment.RegimeSi.Set(new Reglages(), stop);
        await new VisitGenerator(deployment).Warm(Load(Partner.All[0], 0, TimeSpan.Zero, TimeSpan.Zero), stop);
        await deployment.RegimeSi.Set(new Reglages { Latency = new(MedianMs, P99Ms), Concurrency = new(Slots) }, stop);
    }

    /// <summary>Sends each partner's visits at its rate, and counts after the warm-up.</summary>
    public async Task<PeakPart> Run(string name, TimeSpan warmUp, TimeSpan duration, CancellationToken stop, params (Partner Partner, double PerSecond)[] rates)
    {
        var before = LoadAverage();
        var generator = new VisitGenerator(deployment);
        var running = rates.Select(rate => generator.Run(Load(rate.Partner, rate.PerSecond, warmUp + duration, warmUp), stop)).ToList();

        // The generator begins two seconds from now.
        await Task.Delay(TimeSpan.FromSeconds(2) + warmUp, TimeProvider.System, stop);
        await deployment.RegimeSi.ResetCounters(stop);
        await Task.Delay(duration, TimeProvider.System, stop);
        var si = await deployment.RegimeSi.Counters(stop);
        return new(name, duration.TotalSeconds, await Task.WhenAll(running), si, Capacity, (before, LoadAverage()));
    }

    private static double LoadAverage() => double.Parse(File.ReadAllText("/proc/loadavg").Split(' ')[0], CultureInfo.InvariantCulture);

    private VisitLoad Load(Partner partner, double perSecond, TimeSpan duration, TimeSpan warmUp)
    {
        var first = firstUnseen;
        firstUnseen += (long)(perSecond * duration.TotalSeconds) + 1;
        return new()
        {
            Partner = partner,
            PerSecond = perSecond,
            Duration = duration,
            WarmUp = warmUp,
            UnseenShare = Unseen,
            FirstUnseen = first,
        };
    }
}
