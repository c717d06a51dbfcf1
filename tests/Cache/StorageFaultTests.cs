using System.Diagnostics;
using DroitsAmeli.Load.Processes;
using DroitsAmeli.Load.Reads;
using DroitsAmeli.Tests.Postgres;

namespace DroitsAmeli.Tests.Cache;

/// <summary>The database dies, stands still or is full while rights are read: no read fails.</summary>
public sealed class StorageFaultTests
{
    private const int Known = 300;
    private const string Normal = "normal";
    private static readonly TimeSpan Phase = Scale.Of(TimeSpan.FromSeconds(5), TimeSpan.FromSeconds(30));

    [Fact]
    public async Task No_read_fails_whatever_becomes_of_the_database()
    {
        Assert.SkipWhen(PostgresServer.Unavailable is not null, PostgresServer.Unavailable ?? "");
        await using var server = await PostgresServer.Create();
        var options = new DeploymentOptions
        {
            Silos = 2,
            Families = 1_000_000,
            SiloSettings = new Dictionary<string, string> { ["Freshness:FreshMinutes"] = "1", ["Freshness:BehindMinutes"] = "2" },
        };
        await Scenario.Run(server, options, async (deployment, stop) =>
        {
            var database = deployment.ConnectionString!;
            var book = new AnswerBook(deployment.RegimeSi);
            await deployment.RegimeSi.Set(new() { Latency = new(MedianMs: 20) }, stop);
            var filled = await new ClosedLoopReader(deployment, book).Sweep(0, Known, workers: 16, [Resource.Me, Resource.Exonerations], insist: true, stop);
            Assert.True(filled.Good == filled.Total, filled.Failures());

            using var over = CancellationTokenSource.CreateLinkedTokenSource(stop);
            var (toKnown, toUnknown) = (new ReadReport(), new ReadReport());
            var reader = new OpenLoopReader(deployment, book);
            var reading = reader.Run(
                new() { PerSecond = Scale.Of(60, 200), Duration = TimeSpan.FromDays(1), NextFamille = ReadLoad.ZipfOver(Known) }, toKnown, over.Token);
            var asking = reader.Run(
                new() { PerSecond = 10, Duration = TimeSpan.FromDays(1), NextFamille = ReadLoad.EachFrom(Known), Resources = [Resource.Me] }, toUnknown, over.Token);

            var before = await Stored.Rows(database);
            await During(Normal);
            Assert.True(await Stored.Rows(database) > before, "Nothing was stored while all was well.");
            await server.Kill();
            await During("killed");
            await server.Start();
            await During("started again");
            await server.Freeze();
            await During("frozen");
            await server.Thaw();
            await During("thawed");
            await using (await FullDisk.Of(database))
                await During("full");
            before = await Stored.Rows(database);
            await During("room again");
            var recovered = await Stored.Rows(database) > before;
            await over.CancelAsync();
            await Task.WhenAll(reading, asking);

            Figures.Add(
                "storage", $"killed, restarted, frozen, full: {toKnown.Total} reads of known families, {toUnknown.Total} of unknown ones",
                $"{toKnown.Total - toKnown.Good + toUnknown.Total - toUnknown.Good} failed, p99 {toKnown.Latency(99):0} and {toUnknown.Latency(99):0} ms, stores again: {(recovered ? "yes" : "no")}", "0 failed",
                ("reads", toKnown.Total + toUnknown.Total), ("failed", toKnown.Total - toKnown.Good + toUnknown.Total - toUnknown.Good),
                ("known_p99_ms", toKnown.Latency(99)), ("unknown_p99_ms", toUnknown.Latency(99)));
            Assert.True(toKnown.Good == toKnown.Total, $"{toKnown}\n{toKnown.Failures()}");
            Assert.True(toUnknown.Good == toUnknown.Total, $"{toUnknown}\n{toUnknown.Failures()}");
            Assert.True(recovered, "Nothing is stored any more.");

            async Task During(string phase)
            {
                (toKnown.Phase, toUnknown.Phase) = (phase, phase);
                var (from, clock) = (toKnown.Total, Stopwatch.StartNew());
                await Waiting.Until(
                    () => Task.FromResult(clock.Elapsed > Phase && toKnown.Total > from),
                    Phase + TimeSpan.FromMinutes(1),
                    () => $"No reads came while the database was {phase}.");
            }
        });
    }
}
