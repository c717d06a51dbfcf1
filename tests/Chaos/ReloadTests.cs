using System.Diagnostics;
using DroitsAmeli.Load.Processes;
using DroitsAmeli.Load.Reads;

namespace DroitsAmeli.Tests.Chaos;

/// <summary>T5: what a silo that goes costs the SI. Only what the SI is asked counts: the copies may move, or come from the store.</summary>
public sealed class ReloadTests(Database database)
{
    private static readonly TimeSpan Written = TimeSpan.FromSeconds(5);

    [Theory]
    [InlineData(false, 0)]
    [InlineData(true, 0.01)]
    public async Task A_silo_that_goes_takes_nothing_with_it(bool killed, double reloadsAllowed)
    {
        var familles = Scale.Of(2_000, 20_000);
        await Scenario.Run(await database.Server(), Deployments.ThreeSilos, async (deployment, stop) =>
        {
            await deployment.RegimeSi.Set(new(), stop);
            await deployment.RegimeSi.FeedIsFollowed(stop);
            var book = new AnswerBook(deployment.RegimeSi);
            var reader = new ClosedLoopReader(deployment, book);
            var filled = await reader.Sweep(0, familles, workers: 16, Deployments.Both, insist: true, stop);
            Assert.True(filled.Good == filled.Total, filled.Failures());
            await Task.Delay(Written, TimeProvider.System, stop);
            await deployment.RegimeSi.ResetCounters(stop);

            // While the silo goes, all families are read: nobody may notice.
            var reading = reader.Sweep(0, familles, workers: 16, Deployments.Both, insist: false, stop);
            await Task.Delay(TimeSpan.FromSeconds(2), TimeProvider.System, stop);
            var clock = Stopwatch.StartNew();
            if (killed)
                await deployment.Silos[1].Kill();
            else
                Assert.Equal(0, await deployment.Silos[1].Terminate(TimeSpan.FromMinutes(2), stop));
            var gone = clock.Elapsed;
            var during = await reading;
            var after = await reader.Sweep(0, familles, workers: 16, Deployments.Both, insist: false, stop);
            var loads = await deployment.RegimeSi.Counters(stop);

            var share = (double)(loads.Familles + loads.Droits) / (2 * familles);
            Figures.Add(
                "T5", $"1 of 3 silos {(killed ? "killed -9" : "told to stop")}, {familles} families",
                $"gone after {gone.TotalSeconds:0.0} s; {during.Total - during.Good + after.Total - after.Good} of {during.Total + after.Total} reads failed; SI reloads {loads.Familles} + {loads.Droits} ({100 * share:0.00} %), identifications {loads.Identifications}",
                killed ? "<= 1 % reloads" : "0 failed, 0 reloads");
            Assert.True(during.Good == during.Total && after.Good == after.Total, during.Failures() + "\n" + after.Failures());
            Assert.InRange(share, 0, reloadsAllowed);
        });
    }
}
