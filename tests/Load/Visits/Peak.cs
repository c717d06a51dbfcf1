using System.Diagnostics;
using System.Globalization;
using DroitsAmeli.Load.Processes;
using DroitsAmeli.Simulators.RegimeSi;

namespace DroitsAmeli.Load.Visits;

/// <summary>One part of the cold peak, measured from its first visit to the end of its last.</summary>
/// <param name="Name">What was sent.</param>
/// <param name="Seconds">How long visits began.</param>
/// <param name="Partners">What became of each partner's visits.</param>
/// <param name="Si">What the SI was asked for them.</param>
/// <param name="Used">The share of the SI's slot-time that was worked, once it was under load and while visits still began.</param>
/// <param name="LoadAverage">Runnable tasks of the machine, before and after.</param>
public sealed record PeakPart(
    string Name, double Seconds, IReadOnlyList<VisitReport> Partners, SiCounters Si, double Used, (double Before, double After) LoadAverage)
{
    private const double CallsPerUnseenVisit = 3;

    /// <summary>SI calls for each visit of an unseen family that began.</summary>
    public double CallsPerVisit => Partners.Sum(partner => partner.Unseen) is > 0 and var unseen ? (double)Si.Loads / unseen : 0;

    /// <summary>SI calls for each visit of an unseen family that finished: those of the others are charged to it.</summary>
    public double CallsPerFinishedVisit => FinishedUnseen > 0 ? (double)Si.Loads / FinishedUnseen : 0;

    /// <summary>The share of the time worked by the SI that went to visits that finished: not to calls given up, nor to answers for the others.</summary>
    public double Useful => Si.OccupationMs == 0 || Si.Loads == Si.Abandons
        ? 0
        : (1 - (double)Si.AbandonsMs / Si.OccupationMs) * Math.Min(1, CallsPerUnseenVisit * FinishedUnseen / (Si.Loads - Si.Abandons));

    /// <summary>The share of all the SI's slot-time that went to visits that finished.</summary>
    public double Delivered => Used * Useful;

    private int FinishedUnseen => Partners.Sum(partner => partner.FinishedUnseen);

    public override string ToString() => string.Create(
        CultureInfo.InvariantCulture,
        $"{Name} ({Seconds:0} s; load average {LoadAverage.Before:0.0} → {LoadAverage.After:0.0})\n  SI: {Si.Identifications} identifications, {Si.Familles} compositions, {Si.Droits} rights; {Si.Abandons} given up; {Used:P1} of its slot-time worked, {Useful:P1} of that for visits that finished; {CallsPerVisit:0.000} calls per unseen visit, {CallsPerFinishedVisit:0.000} per finished one; at once {Si.ConcurrenceMax}\n")
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

    private static readonly TimeSpan Filling = TimeSpan.FromSeconds(3);
    private static readonly TimeSpan Look = TimeSpan.FromMilliseconds(500);
    private static readonly TimeSpan EndLimit = TimeSpan.FromSeconds(30);

    private long firstUnseen = 1000;

    /// <summary>Calls per second: slots divided by the mean of the log-normal latency.</summary>
    public static double Capacity { get; } = Slots / (MedianMs / 1000 * Math.Exp(Math.Pow(Math.Log(P99Ms / MedianMs) / 2.3263478740408408, 2) / 2));

    /// <summary>Visits per second, four in five of them by unseen families, that use that share of the SI's capacity.</summary>
    public static double VisitsPerSecond(double share) => share * Capacity / CallsPerUnseenVisit / Unseen;

    /// <summary>Makes the SI slow and the seen families known.</summary>
    public async Task Prepare(CancellationToken stop)
    {
        await deployment.RegimeSi.Set(new Reglages(), stop);
        await deployment.RegimeSi.FeedIsFollowed(stop);
        await new VisitGenerator(deployment).Warm(Load(Partner.All[0], 0, TimeSpan.Zero), stop);
        await deployment.RegimeSi.Set(new Reglages { Latency = new(MedianMs, P99Ms), Concurrency = new(Slots) }, stop);
    }

    /// <summary>Sends each partner's visits at its rate: first those that warm everything up and are not counted, then those that are.</summary>
    public async Task<PeakPart> Run(string name, TimeSpan warmUp, TimeSpan duration, CancellationToken stop, params (Partner Partner, double PerSecond)[] rates)
    {
        var before = Machine.LoadAverage();
        await Task.WhenAll(Send(warmUp));
        await CallsEnd(stop);
        await deployment.RegimeSi.ResetCounters(stop);
        var running = Send(duration);
        await Task.Delay(VisitGenerator.Lead + Filling, TimeProvider.System, stop);
        var (from, clock) = (await deployment.RegimeSi.Counters(stop), Stopwatch.StartNew());
        await Task.Delay(duration - Filling, TimeProvider.System, stop);
        var (to, elapsed) = (await deployment.RegimeSi.Counters(stop), clock.Elapsed);
        var partners = await Task.WhenAll(running);
        var si = await CallsEnd(stop);
        var used = (to.OccupationMs - from.OccupationMs) / (Slots * elapsed.TotalMilliseconds);
        return new(name, duration.TotalSeconds, partners, si, used, (before, Machine.LoadAverage()));

        List<Task<VisitReport>> Send(TimeSpan time) => [.. rates.Select(rate => new VisitGenerator(deployment).Run(Load(rate.Partner, rate.PerSecond, time), stop))];
    }

    // What was asked ahead for a visit that was then refused ends after it.
    private async Task<SiCounters> CallsEnd(CancellationToken stop)
    {
        var clock = Stopwatch.StartNew();
        var last = await deployment.RegimeSi.Counters(stop);
        while (true)
        {
            await Task.Delay(Look, TimeProvider.System, stop);
            var now = await deployment.RegimeSi.Counters(stop);
            if (now.Loads == last.Loads && now.OccupationMs == last.OccupationMs)
                return now;
            if (clock.Elapsed > EndLimit)
                throw new TimeoutException("The SI is still being asked.");
            last = now;
        }
    }

    private VisitLoad Load(Partner partner, double perSecond, TimeSpan duration)
    {
        var first = firstUnseen;
        firstUnseen += (long)(perSecond * duration.TotalSeconds) + 1;
        return new()
        {
            Partner = partner,
            PerSecond = perSecond,
            Duration = duration,
            UnseenShare = Unseen,
            FirstUnseen = first,
        };
    }
}
