using System.Diagnostics;
using DroitsAmeli.Load.Processes;
using DroitsAmeli.Load.Reads;
using DroitsAmeli.Tests.Rules.WireContract;

namespace DroitsAmeli.Tests.Chaos;

/// <summary>
/// A cluster of the previous version is upgraded silo by silo, and rolled back again, while it is read through a front end of each version:
/// nobody notices, and families move warm from either version to the other.
/// </summary>
public sealed class TwoVersionsTests(Database database)
{
    private const string Previous = "previous";
    private const string Present = "present";

    // Families whose silo is looked at before and after each step.
    private const int Watched = 150;
    private static readonly TimeSpan ExitLimit = TimeSpan.FromMinutes(2);
    private static readonly TimeSpan Longest = TimeSpan.FromMinutes(30);

    [Fact]
    public async Task An_upgrade_and_its_rollback_cost_nobody_an_answer_and_the_si_no_call()
    {
        var (familles, perSecond) = Scale.Of((500, 30.0), (5_000, 200.0));
        var revision = await PreviousRevision.Find(TestContext.Current.CancellationToken);
        var server = await database.Server();
        using var previous = await PreviousVersion.Build(revision, TestContext.Current.CancellationToken);
        var connectionString = await server.CreateDatabase();
        await Deployment.Migrate(connectionString, TestContext.Current.CancellationToken, previous.Silo);
        var options = Deployments.ThreeSilos with
        {
            ConnectionString = connectionString,
            SiloProgramFolder = previous.Silo,
            FrontEndProgramFolders = [previous.Api, null],
        };
        await Scenario.Run(options, async (deployment, stop) =>
        {
            await deployment.RegimeSi.Set(new(), stop);
            await deployment.RegimeSi.FeedIsFollowed(stop);
            var book = new AnswerBook(deployment.RegimeSi);
            var filled = await new ClosedLoopReader(deployment, book).Sweep(0, familles, workers: 8, Deployments.Both, insist: true, stop);
            Assert.True(filled.Good == filled.Total, filled.Failures());
            await deployment.RegimeSi.ResetCounters(stop);

            using var end = CancellationTokenSource.CreateLinkedTokenSource(stop);
            var report = new ReadReport();
            var reading = new OpenLoopReader(deployment, book).Run(
                new() { PerSecond = perSecond, Duration = Longest, NextFamille = ReadLoad.ZipfOver(familles), Resources = Deployments.Both }, report, end.Token);

            // As an operator does it: the schema of the new version first.
            await Deployment.Migrate(connectionString, stop);
            var moves = new Moves(deployment, Watched, silo => silo.ProgramFolder is null ? Present : Previous);
            foreach (var folder in (string?[])[null, previous.Silo])
            {
                foreach (var silo in deployment.Silos)
                {
                    report.Phase = $"{silo.Name} to {(folder is null ? Present : Previous)}";
                    await moves.During(() => Replace(silo, folder, stop), stop);
                }
            }

            await end.CancelAsync();
            await reading;
            var after = await new ClosedLoopReader(deployment, book).Sweep(0, familles, workers: 8, Deployments.Both, insist: false, stop);
            var si = await deployment.RegimeSi.Counters(stop);

            Figures.Add(
                "versions", $"3 silos of {previous.Revision[..Math.Min(12, previous.Revision.Length)]} upgraded and rolled back at {perSecond:0} reads/s, {familles} families",
                $"{report.Total - report.Good + after.Total - after.Good} of {report.Total + after.Total} reads failed, {report.Wrong + after.Wrong} wrong; SI reloads {si.Familles + si.Droits}; moved warm {moves}; p99 {report.Latency(99):0} ms",
                "0 failed, 0 wrong, 0 reloads",
                ("reads", report.Total + after.Total), ("failed", report.Total - report.Good + after.Total - after.Good), ("reloads", si.Familles + si.Droits));
            Assert.True(report.Good == report.Total && after.Good == after.Total, report.Failures() + "\n" + after.Failures());
            Assert.True(report.Total > perSecond, $"Only {report.Total} reads were sent.");
            Assert.Equal(0, si.Familles + si.Droits);
            Assert.True(moves.Warm(Previous, Present) > 0, moves.ToString());
            Assert.True(moves.Warm(Present, Previous) > 0, moves.ToString());
            Assert.True(moves.Lost == 0, moves.ToString());
        });
    }

    private static async Task Replace(Node silo, string? programFolder, CancellationToken stop)
    {
        Assert.Equal(0, await silo.Terminate(ExitLimit, stop));
        silo.ProgramFolder = programFolder;
        await silo.Launch();
        await silo.Ready(Deployment.StartLimit, stop);
    }

    /// <summary>Which version held the watched families before and after a step, and what they took along.</summary>
    private sealed class Moves(Deployment deployment, int watched, Func<Node, string> versionOf)
    {
        private const string Migration = "migration";
        private static readonly TimeSpan OnItsWay = TimeSpan.FromSeconds(5);
        private static readonly TimeSpan BetweenLooks = TimeSpan.FromMilliseconds(100);
        private readonly Dictionary<(string From, string To), (int Warm, int Stored)> counts = [];

        /// <summary>Families that were asked again at the SI, or are nowhere, after a step.</summary>
        public int Lost { get; private set; }

        public int Warm(string from, string to) => counts.GetValueOrDefault((from, to)).Warm;

        /// <summary>Looks, takes the step, and looks again.</summary>
        public async Task During(Func<Task> step, CancellationToken stop)
        {
            var before = new List<(Node? Silo, string? Version)>();
            for (var famille = 0; famille < watched; famille++)
            {
                var (silo, _) = await deployment.Look(famille, stop);
                before.Add((silo, silo is null ? null : versionOf(silo)));
            }

            await step();
            for (var famille = 0; famille < watched; famille++)
            {
                var (silo, sources) = await LookUntilFound(famille, stop);
                if (before[famille] is not ({ } from, { } version) || silo == from)
                    continue;
                if (silo is null || sources.Count == 0 || sources.Contains("si"))
                {
                    Lost++;
                    continue;
                }

                var move = (version, versionOf(silo));
                var (warm, stored) = counts.GetValueOrDefault(move);
                counts[move] = sources.All(source => source == Migration) ? (warm + 1, stored) : (warm, stored + 1);
            }
        }

        // One that is on its way is nowhere for a moment.
        private async Task<(Node? Silo, IReadOnlyList<string> Sources)> LookUntilFound(int famille, CancellationToken stop)
        {
            var waited = Stopwatch.StartNew();
            while (true)
            {
                var look = await deployment.Look(famille, stop);
                if (look.Silo is not null || waited.Elapsed > OnItsWay)
                    return look;
                await Task.Delay(BetweenLooks, TimeProvider.System, stop);
            }
        }

        public override string ToString() => string.Join(
            ", ", counts.OrderBy(count => count.Key).Select(count => $"{count.Key.From} -> {count.Key.To} {count.Value.Warm} (from the store {count.Value.Stored})").Append($"lost {Lost}"));
    }
}
