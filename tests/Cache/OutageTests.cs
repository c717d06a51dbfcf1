using System.Diagnostics;
using DroitsAmeli.Load.Processes;
using DroitsAmeli.Load.Reads;
using DroitsAmeli.Simulators.RegimeSi;

namespace DroitsAmeli.Tests.Cache;

/// <summary>T7: the régime SI fails in every way it can, under load.</summary>
public sealed class OutageTests(Database database)
{
    private const double GoodShareWanted = 0.99998;
    private const int GarbageWanted = 10_000;
    private const string Between = "between";
    private const string Unavailable = "503 si_indisponible";
    private const string TooSlow = "504 delai_depasse";

    // Some 3 s pass, at ten reads a second, before an unknown family is asked for the second time.
    private const int AskedBetween = 15;

    private static readonly TimeSpan SampleEvery = TimeSpan.FromMilliseconds(250);
    private static readonly TimeSpan RecoveryLimit = TimeSpan.FromSeconds(30);

    private static readonly Resource[] Both = [Resource.Me, Resource.Exonerations];

    // A probe each 5 s and silo: two that are surely seen within less are one too many.
    private static readonly TimeSpan ProbeWindow = TimeSpan.FromSeconds(4.9);

    // The circuit judges the last 10 s: right after good times, half of them must have failed.
    private static readonly TimeSpan ToOpen = TimeSpan.FromSeconds(12);

    /// <summary>The calls that the SI had had, read between two instants.</summary>
    private sealed record Sample(TimeSpan From, TimeSpan To, string Phase, bool IsDead, long Loads);

    [Fact]
    public async Task Known_families_are_answered_with_their_age_whatever_the_si_does()
    {
        var known = Scale.Of(1500, 20_000);
        var outage = Scale.Of(TimeSpan.FromSeconds(65), TimeSpan.FromMinutes(30));
        var options = new DeploymentOptions
        {
            Silos = 2,
            FrontEnds = 2,
            Families = 1_000_000,
            SiloSettings = new Dictionary<string, string> { ["Freshness:FreshMinutes"] = "1", ["Freshness:BehindMinutes"] = Scale.Of("2", "5") },
        };
        await Scenario.Run(await database.Server(), options, async (deployment, stop) =>
        {
            var si = deployment.RegimeSi;
            var book = new AnswerBook(si);
            var closed = new ClosedLoopReader(deployment, book);
            await si.Set(new() { Latency = new(MedianMs: 5) }, stop);
            var filled = await closed.Sweep(0, known, workers: 16, Both, insist: true, stop);
            Assert.True(filled.Good == filled.Total, filled.Failures());

            var (toKnown, toUnknown) = (new ReadReport { Phase = Between }, new ReadReport { Phase = Between });
            var unknown = new TwiceEach(known, AskedBetween);
            using var over = CancellationTokenSource.CreateLinkedTokenSource(stop);
            var reader = new OpenLoopReader(deployment, book);
            var reading = reader.Run(
                new() { PerSecond = Scale.Of(150, 500), Duration = TimeSpan.FromDays(1), NextFamille = ReadLoad.ZipfOver(known) }, toKnown, over.Token);
            var asking = reader.Run(
                new() { PerSecond = Scale.Of(10, 20), Duration = TimeSpan.FromDays(1), NextFamille = unknown.Next, Resources = [Resource.Me] }, toUnknown, over.Token);
            var samples = await Outage(si, outage, [toKnown, toUnknown], stop);
            await over.CancelAsync();
            await Task.WhenAll(reading, asking);
            var garbage = (await si.Counters(stop)).ReponsesFausses.Where(answers => OutageFaults.Garbage.Contains(answers.Key)).ToDictionary();

            await si.Set(new(), stop);
            await Recovers(deployment, options.Families - 1, stop);
            var after = await closed.Sweep(0, known, workers: 16, Both, insist: true, stop);
            var strangers = await closed.Sweep(known, unknown.Asked, workers: 16, Both, insist: true, stop);

            // Nothing right was to be had about an unknown family: what one of them was told can only be garbage.
            var keptForUnknown = toUnknown.Outcomes.Where(outcome => outcome.Key is not (Unavailable or TooSlow)).Sum(outcome => outcome.Value);
            var kept = keptForUnknown + toKnown.Wrong + after.Wrong + strangers.Wrong;
            Report(known, options.Silos, outage, toKnown, toUnknown, samples, garbage, kept);
            Assert.True(kept == 0, $"Kept garbage.\n{toKnown}\n{toKnown.Failures()}\n{toUnknown.Failures()}\n{after.Failures()}\n{strangers.Failures()}");
            Assert.All(OutageFaults.Garbage, kind => Assert.InRange(garbage.GetValueOrDefault(kind), 1, long.MaxValue));
            Assert.InRange(garbage.Values.Sum(), Scale.Of(100, GarbageWanted), long.MaxValue);
            Assert.True(toKnown.Total - toKnown.Good <= toKnown.Total * (1 - GoodShareWanted), $"{toKnown}\n{toKnown.Failures()}");
            Assert.True(toKnown.OldestAge > Scale.Of(TimeSpan.FromSeconds(60), TimeSpan.FromMinutes(10)), $"No answer was old: {toKnown.OldestAge}.");
            Assert.True(MostProbes(samples) is >= 0 and var most && most <= options.Silos, $"{MostProbes(samples)} calls within {ProbeWindow}.\n{CallsOf(samples)}");
            Assert.True(toUnknown.ShareOf(Unavailable) >= Scale.Of(0.95, 0.99), $"{toUnknown}\n{toUnknown.Failures()}");
            Assert.True(toUnknown.Latency(99) <= Scale.Of(4500, 1000), $"{toUnknown}\n{toUnknown.Failures()}");
            Assert.True(after.Good == after.Total, $"{after}\n{after.Failures()}");
            Assert.True(strangers.Good == strangers.Total, $"{strangers}\n{strangers.Failures()}");
        });
    }

    [Fact]
    public void Every_kind_of_fault_there_is_is_played() =>
        Assert.Equal(Enum.GetValues<FaultKind>(), OutageFaults.Dead.Concat(OutageFaults.Garbage).Order());

    private static async Task<List<Sample>> Outage(SimulatedSi si, TimeSpan duration, ReadReport[] reports, CancellationToken stop)
    {
        var samples = new List<Sample>();
        var clock = Stopwatch.StartNew();
        var phase = Scale.Of(duration / (OutageFaults.Dead.Length + OutageFaults.Garbage.Length + 1), TimeSpan.FromSeconds(30));
        await si.ResetCounters(stop);
        while (clock.Elapsed < duration)
        {
            foreach (var kind in OutageFaults.Dead)
                await Play(kind.ToString(), isDead: true, new() { Faults = [new() { Kind = kind, RetryAfterSeconds = kind is FaultKind.Status429 ? 2 : null }] });
            await Play("Closed", isDead: true, new() { ClosedUntil = TimeProvider.System.GetUtcNow() + phase });
            foreach (var kind in OutageFaults.Garbage)
                await Play(kind.ToString(), isDead: false, new() { Faults = FaultsOf(kind) });
        }

        return samples;

        async Task Play(string name, bool isDead, Reglages reglages)
        {
            SetPhase(Between);
            await si.Set(reglages, stop);
            SetPhase(name);
            for (var until = clock.Elapsed + phase; clock.Elapsed < until && clock.Elapsed < duration;)
            {
                var from = clock.Elapsed;
                var loads = (await si.Counters(stop)).Loads;
                samples.Add(new(from, clock.Elapsed, name, isDead, loads));
                await Task.Delay(SampleEvery, TimeProvider.System, stop);
            }
        }

        void SetPhase(string name)
        {
            foreach (var report in reports)
                report.Phase = name;
        }
    }

    // An identification names no family but the one it finds. It carries no version either, and who loads a family for the first time cannot
    // know that its version is old: nobody gets that far.
    private static Fault[] FaultsOf(FaultKind kind)
    {
        return kind switch
        {
            FaultKind.WrongFamille => [On(SiCall.Familles), On(SiCall.Droits)],
            FaultKind.OlderVersion => [On(SiCall.Familles), On(SiCall.Droits), new() { Kind = FaultKind.Garbage, Target = SiCall.Identifications }],
            _ => [On(SiCall.All)],
        };

        Fault On(SiCall call) => new() { Kind = kind, Target = call };
    }

    /// <summary>The most calls within the time of one probe, while the SI was dead and known to be; below 0 when that was never seen.</summary>
    private static long MostProbes(List<Sample> samples)
    {
        var most = -1L;
        for (var first = 0; first < samples.Count; first++)
        {
            var from = samples[first];
            if (!from.IsDead || from.From - StartOfDeath(samples, first) < ToOpen)
                continue;
            var last = samples.FindLastIndex(sample => sample.To <= from.From + ProbeWindow);
            if (last > first && samples.GetRange(first, last - first + 1).TrueForAll(sample => sample.IsDead))
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
        return samples[index].From;
    }

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

    private static void Report(
        int known, int silos, TimeSpan outage, ReadReport toKnown, ReadReport toUnknown, List<Sample> samples, Dictionary<FaultKind, long> garbage, int kept)
    {
        Figures.Add(
            "T7", $"SI down {outage.TotalMinutes:0.#} min, {known} known families: {toKnown.Total} reads",
            $"{toKnown.GoodShare:P4} good, oldest {toKnown.OldestAge.TotalSeconds:0} s, p99 {toKnown.Latency(99):0} ms, {toKnown.Wrong} wrong", ">= 99.998 %, 0 wrong",
            ("reads", toKnown.Total), ("good", toKnown.Good), ("wrong", toKnown.Wrong), ("oldest_seconds", toKnown.OldestAge.TotalSeconds), ("p99_ms", toKnown.Latency(99)));
        Figures.Add(
            "T7", $"unknown families meanwhile: {toUnknown.Total} reads",
            $"503 × {toUnknown.Outcomes.GetValueOrDefault(Unavailable)}, 504 × {toUnknown.Outcomes.GetValueOrDefault(TooSlow)}, p99 {toUnknown.Latency(99):0} ms", "503 in <= 1 s p99",
            ("reads", toUnknown.Total), ("unavailable", toUnknown.Outcomes.GetValueOrDefault(Unavailable)), ("too_slow", toUnknown.Outcomes.GetValueOrDefault(TooSlow)), ("p99_ms", toUnknown.Latency(99)));
        Figures.Add("T7", $"calls to the dead SI in 5 s, at most, of {silos} silos", $"{MostProbes(samples)}", $"<= {silos}", ("probes", MostProbes(samples)));
        Figures.Add(
            "T7", $"garbage: {string.Join(", ", garbage.Select(answers => $"{answers.Key} × {answers.Value}"))}",
            $"{garbage.Values.Sum()} answers given by the SI, {kept} kept", "0 of 10000", ("given", garbage.Values.Sum()), ("kept", kept));
    }
}
