using System.Diagnostics;
using DroitsAmeli.Load.Processes;
using DroitsAmeli.Load.Reads;
using DroitsAmeli.Simulators.RegimeSi;

namespace DroitsAmeli.Tests.Cache;

/// <summary>T7: the régime SI fails in every way it can, under load.</summary>
public sealed class OutageTests
{
    private const double GoodShareWanted = 0.99998;
    private static readonly TimeSpan SampleEvery = TimeSpan.FromMilliseconds(250);
    private static readonly TimeSpan RecoveryLimit = TimeSpan.FromSeconds(30);

    // A probe each 5 s and silo, seen through samples every 250 ms.
    private static readonly TimeSpan ProbeWindow = TimeSpan.FromSeconds(4.5);

    // The circuit judges the last 10 s: right after good times, half of them must have failed.
    private static readonly TimeSpan ToOpen = TimeSpan.FromSeconds(12);

    /// <summary>The SI does not work: what it gets is a probe now and then.</summary>
    private static readonly FaultKind[] Dead =
        [FaultKind.Status500, FaultKind.Status429, FaultKind.Hang, FaultKind.Reset, FaultKind.SlowDrip, FaultKind.Truncated];

    /// <summary>The SI answers, and the answer is not one: it must be refused.</summary>
    private static readonly FaultKind[] Garbage =
        [FaultKind.Garbage, FaultKind.WrongFamille, FaultKind.WrongNir, FaultKind.OlderVersion, FaultKind.HugeBody];

    private sealed record Sample(TimeSpan At, string Phase, bool IsDead, long Loads);

    [Fact]
    public async Task Known_families_are_answered_with_their_age_whatever_the_si_does()
    {
        var known = Scale.Of(1500, 20_000);
        var outage = Scale.Of(TimeSpan.FromMinutes(1), TimeSpan.FromMinutes(30));
        var options = new DeploymentOptions
        {
            Families = 1_000_000,
            SiloSettings = new Dictionary<string, string> { ["Freshness:FreshMinutes"] = "1", ["Freshness:BehindMinutes"] = Scale.Of("2", "5") },
        };
        await Scenario.Run(options, async (deployment, stop) =>
        {
            var si = deployment.RegimeSi;
            var book = new AnswerBook(si);
            var closed = new ClosedLoopReader(deployment, book);
            await si.Set(new() { Latency = new(MedianMs: 5) }, stop);
            var filled = await closed.Sweep(0, known, workers: 16, [Resource.Me, Resource.Exonerations], insist: true, stop);
            Assert.True(filled.Good == filled.Total, filled.Failures());

            var (toKnown, toUnknown) = (new ReadReport(), new ReadReport());
            using var over = CancellationTokenSource.CreateLinkedTokenSource(stop);
            var reader = new OpenLoopReader(deployment, book);
            var reading = reader.Run(
                new() { PerSecond = Scale.Of(150, 500), Duration = TimeSpan.FromDays(1), NextFamille = ReadLoad.ZipfOver(known) }, toKnown, over.Token);
            var asking = reader.Run(
                new() { PerSecond = Scale.Of(10, 20), Duration = TimeSpan.FromDays(1), NextFamille = ReadLoad.EachFrom(known), Resources = [Resource.Me] }, toUnknown, over.Token);
            var samples = await Outage(si, outage, [toKnown, toUnknown], stop);
            await over.CancelAsync();
            await Task.WhenAll(reading, asking);

            await si.Set(new(), stop);
            await Recovers(deployment, options.Families - 1, stop);
            var after = await closed.Sweep(0, known, workers: 16, [Resource.Me, Resource.Exonerations], insist: true, stop);
            var strangers = await closed.Sweep(known, toUnknown.Total, workers: 16, [Resource.Me, Resource.Exonerations], insist: true, stop);

            Report(known, outage, toKnown, toUnknown, samples);
            Assert.True(toKnown.Total - toKnown.Good <= toKnown.Total * (1 - GoodShareWanted), $"{toKnown}\n{toKnown.Failures()}");
            Assert.True(MostProbes(samples) <= options.Silos, $"{MostProbes(samples)} calls within {ProbeWindow}.\n{CallsOf(samples)}");
            Assert.True(toKnown.OldestAge > TimeSpan.FromSeconds(60), $"No answer was old: {toKnown.OldestAge}.");
            Assert.All(toUnknown.Outcomes.Keys, outcome => Assert.Contains(outcome, (string[])["503 si_indisponible", "504 delai_depasse", "200"]));
            Assert.All(Dead, kind => Assert.Equal(0, toUnknown.Count(kind.ToString(), "200")));
            Assert.True(toUnknown.Latency(99) <= Scale.Of(4000, 1000), $"{toUnknown}\n{toUnknown.Failures()}");
            Assert.True(after.Good == after.Total, $"Kept garbage: {after}\n{after.Failures()}");
            Assert.True(strangers.Good == strangers.Total, $"Kept garbage: {strangers}\n{strangers.Failures()}");
            if (Scale.IsFull)
                Assert.InRange(GarbageAnswers(samples), 10_000, long.MaxValue);
        });
    }

    private static async Task<List<Sample>> Outage(SimulatedSi si, TimeSpan duration, ReadReport[] reports, CancellationToken stop)
    {
        var samples = new List<Sample>();
        var clock = Stopwatch.StartNew();
        var phase = Scale.Of(duration / (Dead.Length + Garbage.Length + 1), TimeSpan.FromSeconds(30));
        await si.ResetCounters(stop);
        while (clock.Elapsed < duration)
        {
            foreach (var kind in Dead)
                await Play(kind.ToString(), isDead: true, new() { Faults = [new() { Kind = kind, RetryAfterSeconds = kind is FaultKind.Status429 ? 2 : null }] });
            await Play("Closed", isDead: true, new() { ClosedUntil = TimeProvider.System.GetUtcNow() + phase });
            foreach (var kind in Garbage)
                await Play(kind.ToString(), isDead: false, new() { Faults = [.. Targets(kind).Select(target => new Fault { Kind = kind, Target = target })] });
        }

        return samples;

        async Task Play(string name, bool isDead, Reglages reglages)
        {
            foreach (var report in reports)
                report.Phase = name;
            await si.Set(reglages, stop);
            for (var until = clock.Elapsed + phase; clock.Elapsed < until && clock.Elapsed < duration;)
            {
                samples.Add(new(clock.Elapsed, name, isDead, (await si.Counters(stop)).Loads));
                await Task.Delay(SampleEvery, TimeProvider.System, stop);
            }
        }
    }

    // A first load cannot know that a version is old; identifications carry none and name no family of their own.
    private static SiCall[] Targets(FaultKind kind) =>
        kind is FaultKind.Garbage or FaultKind.HugeBody or FaultKind.WrongNir ? [SiCall.All] : [SiCall.Familles, SiCall.Droits];

    /// <summary>The most calls within the time of one probe, while the SI was dead and known to be.</summary>
    private static long MostProbes(List<Sample> samples)
    {
        var most = 0L;
        for (var first = 0; first < samples.Count; first++)
        {
            var from = samples[first];
            if (!from.IsDead || from.At - StartOfDeath(samples, first) < ToOpen)
                continue;
            var last = samples.FindLastIndex(sample => sample.At <= from.At + ProbeWindow);
            if (samples.GetRange(first, last - first + 1).TrueForAll(sample => sample.IsDead))
                most = Math.Max(most, samples[last].Loads - from.Loads);
        }

        return most;
    }

    /// <summary>For each phase, how many calls came between one sample and the next.</summary>
    private static string CallsOf(List<Sample> samples) => string.Join('\n', samples.Zip(samples.Skip(1))
        .GroupBy(pair => pair.First.Phase)
        .Select(phase => $"{phase.Key}: {string.Join(' ', phase.Select(pair => pair.Second.Loads - pair.First.Loads))}"));

    private static TimeSpan StartOfDeath(List<Sample> samples, int index)
    {
        while (index > 0 && samples[index - 1].IsDead)
            index--;
        return samples[index].At;
    }

    private static long GarbageAnswers(List<Sample> samples) =>
        samples.Zip(samples.Skip(1)).Where(pair => !pair.First.IsDead).Sum(pair => pair.Second.Loads - pair.First.Loads);

    private static async Task Recovers(Deployment deployment, long stranger, CancellationToken stop)
    {
        using var http = Deployment.NewHttp(RecoveryLimit);
        var token = (await deployment.FranceConnect.Mint([stranger], Partner.Hopital, TimeSpan.FromMinutes(5), stop))[0];
        await Waiting.Until(
            async () =>
            {
                using var request = new Question(stranger, Resource.Me).To(deployment.FrontEnds[0], Partner.Hopital, token, deployment.RegimeSi);
                return (await Reading.Of(http, request, stop)).Status == 200;
            },
            RecoveryLimit,
            () => "The SI is back, and an unknown family is still refused.");
    }

    private static void Report(int known, TimeSpan outage, ReadReport toKnown, ReadReport toUnknown, List<Sample> samples)
    {
        Figures.Add("T7", $"SI down {outage.TotalMinutes:0.#} min, {known} known families: {toKnown.Total} reads",
            $"{toKnown.GoodShare:P4} good, oldest {toKnown.OldestAge.TotalSeconds:0} s, p99 {toKnown.Latency(99):0} ms, {toKnown.Wrong} wrong", ">= 99.998 %");
        Figures.Add("T7", $"unknown families meanwhile: {toUnknown.Total} reads",
            $"503 × {toUnknown.Outcomes.GetValueOrDefault("503 si_indisponible")}, p99 {toUnknown.Latency(99):0} ms", "503 in <= 1 s p99");
        Figures.Add("T7", "calls to the dead SI in 5 s and silo, at most", $"{MostProbes(samples)}", "<= 1");
        Figures.Add("T7", "garbage answers given by the SI, kept", $"{GarbageAnswers(samples)} given, 0 kept", "0 of 10000");
    }
}
