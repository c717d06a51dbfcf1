using System.Collections.Concurrent;
using System.Diagnostics;
using System.Text.Json.Nodes;
using DroitsAmeli.Load.Processes;
using DroitsAmeli.Load.Reads;
using DroitsAmeli.Simulators;
using DroitsAmeli.Simulators.RegimeSi;

namespace DroitsAmeli.Tests.Cache;

/// <summary>T14, events: what changes at the SI is shown by every front end.</summary>
public sealed class ChangeTests(Database database)
{
    private const int TokensEach = 3;
    private const string NotAttached = "404 identite_non_rattachee";

    private static readonly int LeavingAtOnce = Scale.Of(3, 10);
    private static readonly int AtOnce = Scale.Of(10, 20);
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan HonouredWithin = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan TrialLimit = TimeSpan.FromSeconds(20);
    private static readonly TimeSpan WatchedAfter = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan StoredLimit = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan ReachLimit = TimeSpan.FromSeconds(20);

    private static readonly DeploymentOptions Options = new()
    {
        Silos = 2,
        FrontEnds = 2,
        SiloSettings = new Dictionary<string, string> { ["Freshness:FreshMinutes"] = "240", ["Freshness:BehindMinutes"] = "300" },
    };

    [Fact]
    public async Task A_change_is_shown_by_every_front_end_and_the_old_rights_by_none_after()
    {
        var trials = Scale.Of(100, 10_000);
        await Scenario.Run(await database.Server(), Options, async (deployment, stop) =>
        {
            await deployment.RegimeSi.Set(new() { Latency = new(MedianMs: 30, P99Ms: 200) }, stop);
            await Fill(deployment, trials, stop);
            using var http = Deployment.NewHttp(TrialLimit);
            var took = new ConcurrentBag<TimeSpan>();
            var oldAfter = 0;
            await Parallel.ForEachAsync(
                Enumerable.Range(0, trials),
                new ParallelOptions { MaxDegreeOfParallelism = AtOnce, CancellationToken = stop },
                async (famille, cancellation) =>
                {
                    var question = new Question(famille, Resource.Exonerations);
                    var token = (await deployment.FranceConnect.Mint([famille], Partner.Hopital, TimeSpan.FromMinutes(5), cancellation))[0];
                    var before = await Count(http, deployment, question, deployment.FrontEnds[0], token, cancellation);
                    var changed = Stopwatch.StartNew();
                    await deployment.RegimeSi.Change(famille, ChangeKind.AddAld, cancellation);
                    var shown = await Task.WhenAll(deployment.FrontEnds.Select(frontEnd => Watch(frontEnd, before)));
                    took.Add(shown.Max());

                    async Task<TimeSpan> Watch(Node frontEnd, int former)
                    {
                        var since = TimeSpan.MaxValue;
                        while (since == TimeSpan.MaxValue || changed.Elapsed < since + WatchedAfter)
                        {
                            Assert.True(changed.Elapsed < TrialLimit, $"{frontEnd.Name} still shows the old rights after {changed.Elapsed}.");
                            var count = await Count(http, deployment, question, frontEnd, token, cancellation);
                            Assert.InRange(count, former, former + 1);
                            if (count == former + 1)
                                since = since == TimeSpan.MaxValue ? changed.Elapsed : since;
                            else if (since != TimeSpan.MaxValue)
                                Interlocked.Increment(ref oldAfter);
                            await Task.Delay(Pause, TimeProvider.System, cancellation);
                        }

                        return since;
                    }
                });

            var sorted = took.Order().ToList();
            var p99 = sorted[(int)Math.Ceiling(sorted.Count * 0.99) - 1];
            Figures.Add(
                "T14", $"{trials} changes, 2 silos, until both front ends show them",
                $"p50 {sorted[sorted.Count / 2].TotalMilliseconds:0} ms, p99 {p99.TotalMilliseconds:0} ms, max {sorted[^1].TotalMilliseconds:0} ms, {oldAfter} old after", "<= 5 s, p99 <= 2 s, 0 after",
                ("trials", trials), ("p50_ms", sorted[sorted.Count / 2].TotalMilliseconds), ("p99_ms", p99.TotalMilliseconds), ("max_ms", sorted[^1].TotalMilliseconds), ("old_after", oldAfter));
            Assert.Equal(trials, sorted.Count);
            Assert.Equal(0, oldAfter);
            Assert.InRange(sorted[^1], TimeSpan.Zero, HonouredWithin);
            Assert.InRange(p99, TimeSpan.Zero, Scale.Of(HonouredWithin, TimeSpan.FromSeconds(2)));
        });
    }

    [Fact]
    public async Task Changes_reach_families_that_are_only_stored_even_while_every_silo_is_dead()
    {
        var familles = Scale.Of(60, 3_000);
        await Scenario.Run(await database.Server(), Options, async (deployment, stop) =>
        {
            await deployment.RegimeSi.Set(new(), stop);
            await Fill(deployment, familles, stop);
            using var http = Deployment.NewHttp(TrialLimit);
            var tokens = await deployment.FranceConnect.Mint([.. Enumerable.Range(0, familles).Select(famille => (long)famille)], Partner.Hopital, TimeSpan.FromMinutes(20), stop);
            var before = new int[familles];
            for (var famille = 0; famille < familles; famille++)
                before[famille] = await Exonerations(famille);
            await Waiting.Until(async () => await Stored.Families(deployment.ConnectionString!) >= familles, StoredLimit, () => "Not all families were stored.");

            // A third changes while nobody is there to hear it, a third once silos are back and hold nothing, a third not at all.
            var nodes = deployment.Silos.Concat(deployment.FrontEnds).ToList();
            await Task.WhenAll(nodes.Select(node => node.Kill()));
            for (var famille = 0; famille < familles / 3; famille++)
                await deployment.RegimeSi.Change(famille, ChangeKind.AddAld, stop);
            foreach (var node in nodes)
                await node.Launch();
            await Task.WhenAll(nodes.Select(node => node.Ready(Deployment.StartLimit, stop)));
            for (var famille = familles / 3; famille < familles / 3 * 2; famille++)
                await deployment.RegimeSi.Change(famille, ChangeKind.AddAld, stop);

            // The last change is seen: so are those before it, for the feed is in order.
            var last = familles / 3 * 2 - 1;
            await Waiting.Until(async () => await Exonerations(last) == before[last] + 1, ReachLimit, () => "The last change is not shown.");
            await deployment.RegimeSi.ResetCounters(stop);
            var old = 0;
            for (var famille = 0; famille < familles / 3 * 2; famille++)
                old += await Exonerations(famille) == before[famille] + 1 ? 0 : 1;
            var reloads = await deployment.RegimeSi.Counters(stop);
            for (var famille = familles / 3 * 2; famille < familles; famille++)
                Assert.Equal(before[famille], await Exonerations(famille));
            var spared = (await deployment.RegimeSi.Counters(stop)).Loads - reloads.Loads;

            Figures.Add(
                "T14", $"{familles / 3 * 2} stored families changed while silos were dead, or held nothing",
                $"{old} shown as they were; {spared} SI calls for the {familles - familles / 3 * 2} that did not change", "0 and 0",
                ("old", old), ("reloads_of_unchanged", spared));
            Assert.Equal(0, old);
            Assert.Equal(0, spared);

            Task<int> Exonerations(int famille) =>
                Count(http, deployment, new(famille, Resource.Exonerations), deployment.FrontEnds[famille % deployment.FrontEnds.Count], tokens[famille], stop);
        });
    }

    [Fact]
    public async Task Whoever_leaves_a_family_is_answered_from_it_by_no_front_end_after()
    {
        var kinds = new[] { ChangeKind.MoveMembre, ChangeKind.Close, ChangeKind.RemoveMembre };
        var trials = Scale.Of(8, 1_000);
        await Scenario.Run(await database.Server(), Options, async (deployment, stop) =>
        {
            await deployment.RegimeSi.Set(new() { Latency = new(MedianMs: 30, P99Ms: 200) }, stop);

            // Their answers tell the old family from one of their own.
            var familles = Naturals().Where(famille => HasOpenedMinor(deployment.RegimeSi.Population.Get(famille))).Take(trials * kinds.Length).ToList();
            using var http = Deployment.NewHttp(TrialLimit);
            var took = new ConcurrentBag<TimeSpan>();
            var (oldAfter, late, asked) = (0, 0, 0);
            await Parallel.ForEachAsync(
                familles.Index(),
                new ParallelOptions { MaxDegreeOfParallelism = LeavingAtOnce, CancellationToken = stop },
                async (trial, cancellation) =>
                {
                    var (question, kind) = (new Question(trial.Item, Resource.Beneficiaires), kinds[trial.Index % kinds.Length]);
                    var tokens = await deployment.FranceConnect.Mint([.. Enumerable.Repeat(trial.Item, TokensEach)], Partner.Hopital, TimeSpan.FromMinutes(5), cancellation);
                    foreach (var frontEnd in deployment.FrontEnds)
                    {
                        foreach (var token in tokens)
                            Assert.InRange(await Count(http, deployment, question, frontEnd, token, cancellation), 2, int.MaxValue);
                    }

                    var changed = Stopwatch.StartNew();
                    await deployment.RegimeSi.Change(trial.Item, kind, cancellation);
                    took.Add((await Task.WhenAll(deployment.FrontEnds.SelectMany(frontEnd => tokens.Select(token => Watch(frontEnd, token))))).Max());

                    async Task<TimeSpan> Watch(Node frontEnd, string token)
                    {
                        var since = TimeSpan.MaxValue;
                        while (since == TimeSpan.MaxValue || changed.Elapsed < since + WatchedAfter)
                        {
                            var sent = changed.Elapsed;
                            Assert.True(sent < TrialLimit, $"{frontEnd.Name} still answers from the old family after {sent} ({kind}).");
                            using var request = question.To(frontEnd, Partner.Hopital, token, deployment.RegimeSi);
                            var reading = await Reading.Of(http, request, cancellation);
                            Interlocked.Increment(ref asked);
                            if (IsFromOld(reading, kind))
                            {
                                Interlocked.Add(ref oldAfter, since == TimeSpan.MaxValue ? 0 : 1);
                                Interlocked.Add(ref late, sent <= HonouredWithin ? 0 : 1);
                            }
                            else if (since == TimeSpan.MaxValue)
                            {
                                since = changed.Elapsed;
                            }

                            await Task.Delay(Pause, TimeProvider.System, cancellation);
                        }

                        return since;
                    }
                });

            var sorted = took.Order().ToList();
            var p99 = sorted[(int)Math.Ceiling(sorted.Count * 0.99) - 1];
            Figures.Add(
                "T14", $"{sorted.Count} users leave their family (moved, closed, removed), {TokensEach} tokens each known to 2 front ends, {asked} calls",
                $"p50 {sorted[sorted.Count / 2].TotalMilliseconds:0} ms, p99 {p99.TotalMilliseconds:0} ms, max {sorted[^1].TotalMilliseconds:0} ms; from the old family {oldAfter} after the first that was not, {late} after {HonouredWithin.TotalSeconds:0} s",
                "<= 5 s, p99 <= 2 s, 0 after",
                ("trials", sorted.Count), ("p50_ms", sorted[sorted.Count / 2].TotalMilliseconds), ("p99_ms", p99.TotalMilliseconds), ("max_ms", sorted[^1].TotalMilliseconds), ("old_after", oldAfter), ("late", late));
            Assert.Equal(familles.Count, sorted.Count);
            Assert.Equal((0, 0), (oldAfter, late));
            Assert.InRange(sorted[^1], TimeSpan.Zero, HonouredWithin);
            Assert.InRange(p99, TimeSpan.Zero, Scale.Of(HonouredWithin, TimeSpan.FromSeconds(2)));
        });

        static IEnumerable<long> Naturals()
        {
            for (var number = 0L; ; number++)
                yield return number;
        }
    }

    /// <summary>Whether it lists the old family; a call that fails, or is answered in any third way, fails the test.</summary>
    private static bool IsFromOld(Reading reading, ChangeKind kind)
    {
        if (reading.Status == 200)
        {
            var listed = JsonNode.Parse(reading.Body)!.AsArray().Count;
            Assert.True(listed > 1 || kind == ChangeKind.MoveMembre, $"{listed} listed ({kind}).");
            return listed > 1;
        }

        Assert.True(kind != ChangeKind.MoveMembre && reading.Outcome == NotAttached, $"{reading.Outcome} ({kind}).");
        return false;
    }

    private static bool HasOpenedMinor(FamilleSimulee famille) => famille.Membres.Any(membre => membre.Beneficiaire is
    {
        Qualite: "enfant", Nir: not null, DateDeces: null, Restrictions: null, Rattachement: null,
    } && membre.Beneficiaire.DateNaissance > DateOnly.FromDateTime(TimeProvider.System.GetUtcNow().DateTime).AddYears(-16));

    private static async Task Fill(Deployment deployment, int familles, CancellationToken stop)
    {
        var filled = await new ClosedLoopReader(deployment, new(deployment.RegimeSi)).Sweep(0, familles, workers: 16, [Resource.Exonerations], insist: true, stop);
        Assert.True(filled.Good == filled.Total, filled.Failures());
    }

    /// <summary>How many entries the answer to a question has; a refusal fails the test.</summary>
    internal static async Task<int> Count(HttpClient http, Deployment deployment, Question question, Node frontEnd, string token, CancellationToken stop)
    {
        using var request = question.To(frontEnd, Partner.Hopital, token, deployment.RegimeSi);
        var reading = await Reading.Of(http, request, stop);
        Assert.True(reading.Status == 200, reading.Outcome);
        return JsonNode.Parse(reading.Body)!.AsArray().Count;
    }
}
