using DroitsAmeli.Load.Processes;
using DroitsAmeli.Load.Reads;

namespace DroitsAmeli.Tests.Chaos;

/// <summary>T8: a silo that stands still with all of its connections open, and silos that are merely slow.</summary>
public sealed class FrozenSiloTests(Database database)
{
    private static readonly TimeSpan Calm = TimeSpan.FromSeconds(10);

    // The runtime's silence of 6 s by itself took longer.
    private static readonly TimeSpan DeclaredDeadWithin = TimeSpan.FromSeconds(6);

    [Theory]
    [InlineData(nameof(Disturbance.FreezeSilo), 10)]
    [InlineData(nameof(Disturbance.FreezeSiloLong), 30)]
    public async Task A_silo_that_is_frozen_costs_nobody_an_answer(string freeze, int seconds)
    {
        var (freezes, perSecond, familles) = Scale.Of((1, 100.0, 1_000), (10, 500.0, 10_000));
        var (server, distance) = (await database.Server(), TimeSpan.FromSeconds(seconds) + 2 * Calm);
        await Scenario.Run(server, Deployments.ThreeSilos, async (deployment, stop) =>
        {
            var book = await Fill(deployment, familles, stop);
            var run = new ChaosRun(deployment, server, familles);
            await run.Run(
                [(new() { PerSecond = perSecond, Duration = Calm + freezes * distance, NextFamille = ReadLoad.ZipfOver(familles), Resources = Deployments.Both }, book)],
                [.. Enumerable.Range(0, freezes).Select(index => new PlannedDisturbance(Calm + index * distance, Enum.Parse<Disturbance>(freeze), index + 1))],
                stop);

            var phases = run.Report.Phases.Skip(1).ToList();
            Console.WriteLine(run.Report);
            Figures.Add(
                "T8", $"{freezes} silos frozen (SIGSTOP) for {seconds} s, one by one, at {perSecond:0} reads/s",
                $"{run.Report.Failed} of {run.Report.Calls} calls failed; declared dead after {phases.Max(phase => phase.DeclaredDead)?.TotalSeconds:0.0} s at most; slowest {phases.Max(phase => phase.Latency(100)):0} ms",
                "0 failed");
            Assert.All(phases, phase => Assert.InRange(phase.DeclaredDead ?? TimeSpan.MaxValue, TimeSpan.Zero, DeclaredDeadWithin));
            Assert.True(run.Report.Failed == 0, run.Report.ToString());
        });
    }

    [Fact]
    public async Task Silos_that_get_little_of_the_processors_are_not_declared_dead()
    {
        var (busy, perSecond, familles) = Scale.Of((TimeSpan.FromSeconds(15), 20.0, 500), (TimeSpan.FromMinutes(3), 100.0, 5_000));
        await Scenario.Run(await database.Server(), Deployments.ThreeSilos, async (deployment, stop) =>
        {
            var book = await Fill(deployment, familles, stop);
            var reading = new OpenLoopReader(deployment, book).Run(
                new() { PerSecond = perSecond, Duration = busy, NextFamille = ReadLoad.ZipfOver(familles), Resources = Deployments.Both }, new(), stop);
            var watching = Membership.Watch(deployment, Deployments.ThreeSilos.Silos, busy + Calm, stop);
            await Busy.For(busy, stop);
            var report = await reading;
            var evicted = await watching;

            Figures.Add(
                "T8", $"all processors busy for {busy.TotalSeconds:0} s at {perSecond:0} reads/s",
                $"{(evicted is null ? "no silo" : $"a silo after {evicted.Value.TotalSeconds:0.0} s")} declared dead; {report.Total - report.Good} of {report.Total} reads failed; slowest {report.Latency(100):0} ms",
                "0 declared dead");
            Assert.Null(evicted);
        });
    }

    [Fact]
    public async Task Silos_that_all_stood_still_together_are_not_declared_dead()
    {
        await Scenario.Run(await database.Server(), Deployments.ThreeSilos, async (deployment, stop) =>
        {
            var pauses = Scale.Of(1, 10);
            for (var pause = 0; pause < pauses; pause++)
            {
                foreach (var silo in deployment.Silos)
                    silo.Freeze();
                await Task.Delay(Calm, TimeProvider.System, stop);
                foreach (var silo in deployment.Silos)
                    silo.Thaw();
                Assert.Null(await Membership.Watch(deployment, Deployments.ThreeSilos.Silos, Calm, stop));
            }
        });
    }

    private static async Task<AnswerBook> Fill(Deployment deployment, int familles, CancellationToken stop)
    {
        await deployment.RegimeSi.Set(new(), stop);
        await deployment.RegimeSi.FeedIsFollowed(stop);
        var book = new AnswerBook(deployment.RegimeSi);
        var filled = await new ClosedLoopReader(deployment, book).Sweep(0, familles, workers: 16, Deployments.Both, insist: true, stop);
        Assert.True(filled.Good == filled.Total, filled.Failures());
        return book;
    }
}
