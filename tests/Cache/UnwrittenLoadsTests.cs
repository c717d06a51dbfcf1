using System.Collections.Concurrent;
using DroitsAmeli.Load.Processes;
using DroitsAmeli.Load.Reads;

namespace DroitsAmeli.Tests.Cache;

/// <summary>T10: what a kill of every silo at once costs is the loads of the last seconds, and none that is older.</summary>
public sealed class UnwrittenLoadsTests(Database database)
{
    // A family gathers its changes for half a second, and they wait 2 s to be written, by default.
    private static readonly TimeSpan Promised = TimeSpan.FromSeconds(0.5 + 2);

    // The writing itself, and a thread to begin it with on a machine that does other things too.
    private static readonly TimeSpan Margin = TimeSpan.FromSeconds(1);

    private static readonly TimeSpan LoadedFor = Scale.Of(TimeSpan.FromSeconds(7), TimeSpan.FromSeconds(15));
    private static readonly TimeSpan ReadyLimit = TimeSpan.FromMinutes(2);
    private static readonly Resource[] Asked = [Resource.Exonerations];

    [Fact]
    public async Task A_kill_of_every_silo_loses_no_load_that_was_answered_more_than_the_write_delay_before()
    {
        var kills = Scale.Of(1, 20);
        var perSecond = Scale.Of(30, 100);
        var options = new DeploymentOptions
        {
            Silos = 2,
            FrontEnds = 2,
            Families = 1_000_000,
            SiloSettings = new Dictionary<string, string>
            {
                ["Freshness:FreshMinutes"] = "240",
                ["Freshness:BehindMinutes"] = "300",

                // What comes from the SI was not stored: a slow read of the store is not what is measured.
                ["Storage:ReadTimeoutSeconds"] = "5",
            },
        };
        await Scenario.Run(await database.Server(), options, async (deployment, stop) =>
        {
            var book = new AnswerBook(deployment.RegimeSi);
            await deployment.RegimeSi.Set(new() { Latency = new(MedianMs: 30, P99Ms: 200) }, stop);
            await deployment.RegimeSi.FeedIsFollowed(stop);
            var oldest = TimeSpan.Zero;
            var (next, known, lost) = (0L, 0, 0);
            for (var kill = 0; kill < kills; kill++)
            {
                var first = next;
                var answered = new ConcurrentDictionary<long, DateTimeOffset>();
                using var over = CancellationTokenSource.CreateLinkedTokenSource(stop);
                var loading = new OpenLoopReader(deployment, book).Run(
                    new() { PerSecond = perSecond, Duration = TimeSpan.FromDays(1), NextFamille = () => next++, Resources = Asked, Seen = Keep },
                    new(),
                    over.Token);
                await Waiting.Until(() => Task.FromResult(!answered.IsEmpty), ReadyLimit, () => "No family was loaded.");
                await Task.Delay(LoadedFor, TimeProvider.System, stop);
                var killedAt = TimeProvider.System.GetUtcNow();
                await Task.WhenAll(deployment.Silos.Select(silo => silo.Kill()));
                await over.CancelAsync();
                await loading;

                foreach (var silo in deployment.Silos)
                    await silo.Launch();
                foreach (var node in deployment.Silos.Concat(deployment.FrontEnds))
                    await node.Ready(ReadyLimit, stop);
                var ages = answered.Where(famille => famille.Value <= killedAt).ToDictionary(famille => famille.Key, famille => killedAt - famille.Value);
                var again = new ConcurrentBag<long>();
                var swept = await new ClosedLoopReader(deployment, book).Sweep(
                    first, (int)(ages.Keys.Max() - first) + 1, workers: 16, Asked, insist: true, stop,
                    (question, answer) =>
                    {
                        if (answer.Situation > killedAt)
                            again.Add(question.Famille);
                    });
                Assert.True(swept.Good == swept.Total, $"{swept}\n{swept.Failures()}");

                var gone = again.Where(ages.ContainsKey).Select(famille => ages[famille]).ToList();
                (known, lost) = (known + ages.Count, lost + gone.Count);
                oldest = gone.Append(oldest).Max();
                Assert.InRange(gone.Count, 1, ages.Count - 1);

                void Keep(Question question, Reading reading)
                {
                    if (reading.Status == 200)
                        answered[question.Famille] = reading.ReceivedAt;
                }
            }

            Figures.Add(
                "T10", $"kill -9 of {options.Silos} silos at once × {kills}, {known} families loaded at {perSecond}/s before",
                $"{lost} asked again, the oldest answered {oldest.TotalSeconds:0.00} s before the kill", $"<= {Promised.TotalSeconds:0.0} s + {Margin.TotalSeconds:0.0} s",
                ("loaded", known), ("lost", lost), ("oldest_seconds", oldest.TotalSeconds));
            Assert.InRange(oldest, TimeSpan.Zero, Promised + Margin);
        });
    }
}
