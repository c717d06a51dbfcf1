using DroitsAmeli.Load.Processes;
using DroitsAmeli.Load.Reads;

namespace DroitsAmeli.Tests.Chaos;

/// <summary>T6: a silo is killed under load, again and again.</summary>
public sealed class SiloDeathTests(Database database)
{
    private static readonly TimeSpan BetweenKills = TimeSpan.FromSeconds(20);
    private static readonly TimeSpan SlowestWanted = TimeSpan.FromSeconds(1);

    [Fact]
    public async Task A_silo_that_is_killed_costs_nobody_an_answer()
    {
        var (kills, perSecond, familles) = Scale.Of((3, 100.0, 2_000), (50, 500.0, 10_000));
        var server = await database.Server();
        await Scenario.Run(server, Deployments.ThreeSilos, async (deployment, stop) =>
        {
            await deployment.RegimeSi.Set(new(), stop);
            await deployment.RegimeSi.FeedIsFollowed(stop);
            var book = new AnswerBook(deployment.RegimeSi);
            var filled = await new ClosedLoopReader(deployment, book).Sweep(0, familles, workers: 16, Deployments.Both, insist: true, stop);
            Assert.True(filled.Good == filled.Total, filled.Failures());

            var planned = Enumerable.Range(1, kills).Select(kill => new PlannedDisturbance(kill * BetweenKills, Disturbance.KillSilo, kill)).ToList();
            var run = new ChaosRun(deployment, server, familles);
            await run.Run(
                [(new() { PerSecond = perSecond, Duration = (kills + 1) * BetweenKills, NextFamille = ReadLoad.ZipfOver(familles), Resources = Deployments.Both }, book)],
                planned,
                stop);

            var phases = run.Report.Phases.Skip(1).ToList();
            Console.WriteLine(run.Report);
            Figures.Add(
                "T6", $"{kills} silos killed -9, one by one, at {perSecond:0} reads/s",
                $"{run.Report.Failed} of {run.Report.Calls} calls failed; declared dead after {phases.Max(phase => phase.DeclaredDead)?.TotalSeconds:0.0} s at most; slowest {phases.Max(phase => phase.Latency(100)):0} ms, median of the slowest {phases.Select(phase => phase.Latency(100)).Order().ElementAt(kills / 2):0} ms",
                "0 failed, <= 1 s");
            Assert.True(run.Report.Failed == 0, run.Report.ToString());
            Assert.InRange(phases.Max(phase => phase.Latency(100)), 0, Scale.Of(8_000, SlowestWanted.TotalMilliseconds));
        });
    }
}
