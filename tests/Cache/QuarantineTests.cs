using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using DroitsAmeli.Load.Processes;
using DroitsAmeli.Load.Reads;

namespace DroitsAmeli.Tests.Cache;

/// <summary>T14, quarantine: what the SI gave between two instants is forgotten everywhere.</summary>
public sealed class QuarantineTests(Database database)
{
    private static readonly TimeSpan HonouredWithin = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan WatchedAfter = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan Gap = TimeSpan.FromSeconds(3);
    private static readonly TimeSpan StoredLimit = TimeSpan.FromMinutes(1);
    private static readonly Resource[] Both = [Resource.Me, Resource.Exonerations];

    [Fact]
    public async Task What_was_loaded_in_between_is_shown_by_nobody_after_five_seconds_and_the_rest_stays()
    {
        var familles = Scale.Of(200, 10_000);
        var options = new DeploymentOptions
        {
            Silos = 2,
            FrontEnds = 2,
            SiloSettings = new Dictionary<string, string>
            {
                ["Freshness:FreshMinutes"] = "240",
                ["Freshness:BehindMinutes"] = "300",

                // What is loaded again while the order is carried out takes no row's place before the rows are removed.
                ["Storage:WriteDelaySeconds"] = HonouredWithin.TotalSeconds.ToString(CultureInfo.InvariantCulture),
            },
        };
        await Scenario.Run(await database.Server(), options, async (deployment, stop) =>
        {
            var book = new AnswerBook(deployment.RegimeSi);
            var closed = new ClosedLoopReader(deployment, book);
            await deployment.RegimeSi.Set(new(), stop);
            var from = TimeProvider.System.GetUtcNow() - Gap;
            var bad = await closed.Sweep(0, familles, workers: 16, Both, insist: true, stop);
            var to = TimeProvider.System.GetUtcNow();
            await Task.Delay(Gap, TimeProvider.System, stop);
            var sound = await closed.Sweep(familles, familles, workers: 16, Both, insist: true, stop);
            Assert.True(bad.Good == bad.Total && sound.Good == sound.Total, bad.Failures() + sound.Failures());
            await Waiting.Until(async () => await Stored.Families(deployment.ConnectionString!) >= 2 * familles, StoredLimit, () => "Not all families were stored.");
            await Waiting.Until(async () => await Left() == (familles, familles), StoredLimit, () => "Not all families and identities of the interval were stored.");

            var seen = new ConcurrentQueue<(DateTimeOffset At, DateTimeOffset Situation, long Famille)>();
            using var over = CancellationTokenSource.CreateLinkedTokenSource(stop);
            var next = 0L;
            var report = new ReadReport();
            var reading = new OpenLoopReader(deployment, book).Run(
                new()
                {
                    PerSecond = 100,
                    Duration = TimeSpan.FromDays(1),
                    NextFamille = () => next++ % (2 * familles),
                    Resources = Both,
                    Seen = (question, answer) => seen.Enqueue((answer.ReceivedAt, answer.Situation ?? default, question.Famille)),
                },
                report,
                over.Token);
            await Waiting.Until(() => Task.FromResult(report.Total > 200), TimeSpan.FromMinutes(1), () => $"Only {report.Total} reads came.");
            await deployment.RegimeSi.ResetCounters(stop);

            var orderedAt = TimeProvider.System.GetUtcNow();
            var ordered = Stopwatch.StartNew();
            var answer = await Order(deployment, from, to, stop);
            var acknowledged = ordered.Elapsed;
            var left = await Left();
            await Task.Delay(HonouredWithin + WatchedAfter, TimeProvider.System, stop);
            await over.CancelAsync();
            await reading;

            // Everything in one sweep, so that no family of the interval goes unasked.
            var after = new ConcurrentBag<(DateTimeOffset Situation, long Famille)>();
            await closed.Sweep(0, 2 * familles, workers: 16, Both, insist: true, stop, (question, swept) => after.Add((swept.Situation ?? default, question.Famille)));

            var reloaded = await deployment.RegimeSi.Counters(stop);
            var back = await Left();
            var told = (Active: (int)answer["familles_actives"]!, Stored: (int)answer["stockees"]!, Identites: (int)answer["identites"]!, StoredIdentites: (int)answer["identites_stockees"]!);

            var lastOld = seen.Where(entry => entry.Famille < familles && entry.At > orderedAt && entry.Situation <= to)
                .Select(entry => entry.At - orderedAt).DefaultIfEmpty(TimeSpan.Zero).Max();
            var old = seen.Count(entry => entry.Famille < familles && entry.At > orderedAt + HonouredWithin && entry.Situation <= to)
                + after.Count(entry => entry.Famille < familles && entry.Situation <= to);
            var lost = after.Count(entry => entry.Famille >= familles && entry.Situation >= orderedAt.AddSeconds(-1));
            Figures.Add(
                "T14", $"quarantine of {familles} families among {2 * familles}, read at 100/s meanwhile",
                $"order taken in {acknowledged.TotalSeconds:0.00} s, last old answer after {lastOld.TotalSeconds:0.00} s, {old} later, {lost} others reloaded", "<= 5 s, 0 after",
                ("order_seconds", acknowledged.TotalSeconds), ("last_old_seconds", lastOld.TotalSeconds), ("old_after", old), ("others_reloaded", lost));
            Figures.Add(
                "T14", $"of {familles} families and identities given in the interval: left in the database",
                $"{left.Familles} and {left.Identites}, later {back.Familles} and {back.Identites}; told {told.Active} families, {told.Stored} stored, {told.Identites} identities, {told.StoredIdentites} stored; asked again {reloaded.Familles} and {reloaded.Identifications}", "0; all told",
                ("families_left", left.Familles), ("identities_left", left.Identites), ("families_told", told.Active), ("stored_families_told", told.Stored),
                ("identities_told", told.Identites), ("stored_identities_told", told.StoredIdentites));
            Assert.True(report.Good == report.Total, $"{report}\n{report.Failures()}");
            Assert.Equal(0, old);
            Assert.Equal(0, lost);
            Assert.Equal(deployment.Silos.Count, (int)answer["silos"]!["obeis"]!);
            Assert.Equal((0, 0), left);
            Assert.Equal((0, 0), back);
            Assert.Equal((familles, familles), (reloaded.Familles, reloaded.Identifications));
            Assert.Equal((familles, familles, familles, familles), told);

            async Task<(long Familles, long Identites)> Left() => (
                await Stored.FamiliesGivenBetween(deployment.ConnectionString!, from, to), await Stored.IdentitiesGivenBetween(deployment.ConnectionString!, from, to));
        });
    }

    private static async Task<JsonObject> Order(Deployment deployment, DateTimeOffset from, DateTimeOffset to, CancellationToken stop)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, new Uri(deployment.Silos[0].Address, "/admin/quarantaine"))
        {
            Content = JsonContent.Create(new { de = Text(from), a = Text(to) }),
        };
        request.Headers.Add("X-Admin-Key", Deployment.OperatorKey);
        using var answer = await deployment.Http.SendAsync(request, stop);
        var body = await answer.Content.ReadAsStringAsync(stop);
        Assert.True(answer.IsSuccessStatusCode, $"{(int)answer.StatusCode} {body}");
        return JsonNode.Parse(body)!.AsObject();
    }

    private static string Text(DateTimeOffset instant) => instant.ToString("yyyy-MM-dd'T'HH:mm:ss.fffzzz", CultureInfo.InvariantCulture);
}
