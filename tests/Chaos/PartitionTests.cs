using System.Diagnostics;
using System.Globalization;
using DroitsAmeli.Load.Processes;
using DroitsAmeli.Load.Reads;

namespace DroitsAmeli.Tests.Chaos;

/// <summary>T8: the network between silos is cut, while families are read and change. The silo that is cut off follows the change feed: the worst that can be.</summary>
public sealed class PartitionTests(Database database)
{
    private const int Changing = 30;
    private const double ChangingPerSecond = 20;
    private const double MostFailed = 0;
    private static readonly TimeSpan Calm = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan Afterwards = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan TooShort = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan Lasts = Scale.Of(TimeSpan.FromSeconds(15), TimeSpan.FromSeconds(60));

    private static readonly TimeSpan Longest = TimeSpan.FromMinutes(5);

    // The silo that is cut off may find a keeper of its own, which lends as much as the other for one lease.
    private static readonly int MostAtOnce = 2 * Deployments.ThreeSilos.MaxConcurrentCalls;

    // As for one that is frozen.
    private static readonly TimeSpan DeclaredDeadWithin = TimeSpan.FromSeconds(6);

    // The table of the members is read every 10 s, if nothing else tells a silo that it is dead.
    private static readonly TimeSpan EndsWithin = TimeSpan.FromSeconds(15);

    // A change is to be honoured so soon.
    private static readonly TimeSpan Settles = TimeSpan.FromSeconds(5);

    [Fact]
    public Task A_silo_that_reaches_all_but_the_other_silos_is_replaced_and_ends_itself() =>
        Play("a silo cut off from the other silos", Lasts, (network, silo) => network.CutOffFromSilos(silo), isReplaced: true);

    [Fact]
    public Task A_silo_that_reaches_nothing_is_replaced_and_ends_itself() =>
        Play("a silo cut off from everything", Lasts, (network, silo) => network.CutOff(silo), isReplaced: true);

    [Fact]
    public Task A_silo_that_is_cut_off_for_a_moment_stays() =>
        Play("a silo cut off from the other silos", TooShort, (network, silo) => network.CutOffFromSilos(silo), isReplaced: false);

    private async Task Play(string what, TimeSpan lasts, Action<SiloNetwork, int> cut, bool isReplaced)
    {
        var (perSecond, familles) = Scale.Of((100.0, 1_000), (500.0, 10_000));
        var server = await database.Server();
        using var network = SiloNetwork.Create(Deployments.ThreeSilos.Silos);
        await server.Admit(network.Range);
        await Scenario.Run(server, Deployments.ThreeSilos with { SiloHosts = network.Hosts }, async (deployment, stop) =>
        {
            await deployment.RegimeSi.Set(new(), stop);
            await deployment.RegimeSi.FeedIsFollowed(stop);
            var book = new AnswerBook(deployment.RegimeSi);
            var changes = new ChangedFamilles(deployment, familles, Changing);
            var reader = new ClosedLoopReader(deployment, book);
            var filled = await reader.Sweep(0, familles + Changing, workers: 16, Deployments.Both, insist: true, stop, changes.Learn);
            Assert.True(filled.Good == filled.Total, filled.Failures());
            var silo = await ClusterView.HostOf(deployment, "si-evenements", "si-evenements", stop);
            Assert.NotNull(silo);
            await deployment.RegimeSi.ResetCounters(stop);

            var report = new ChaosReport(familles + Changing);
            report.Begin("calm", TimeSpan.Zero);
            var clock = Stopwatch.StartNew();
            var duration = Calm + lasts + Afterwards;
            var main = new ReadLoad { PerSecond = perSecond, Duration = duration, NextFamille = ReadLoad.ZipfOver(familles), Resources = Deployments.Both, Judged = report.Add };

            // What these show is judged by their changes, and by the book no more.
            var changed = main with
            {
                PerSecond = ChangingPerSecond,
                NextFamille = changes.Next,
                Resources = [Resource.Exonerations],
                Seen = changes.See,
                Judged = read => report.Add(read with { Right = read.Right || read.Reading.Status == 200 }),
            };
            var loads = Task.WhenAll(new OpenLoopReader(deployment, book).Run(main, new(), stop), new OpenLoopReader(deployment, book).Run(changed, new(), stop));
            await Task.Delay(Calm, TimeProvider.System, stop);

            var place = deployment.Silos.ToList().IndexOf(silo);
            var process = silo.Process.Id;
            var phase = report.Begin(what, clock.Elapsed);
            cut(network, place);
            var ending = Ended(silo, clock, stop);
            var changing = changes.Change(lasts, stop);
            phase.DeclaredDead = await Membership.Watch(deployment, Deployments.ThreeSilos.Silos, lasts, stop);
            await changing;
            report.Begin("mended", clock.Elapsed);
            network.Mend();
            TimeSpan? ended = null;
            if (isReplaced)
            {
                await Waiting.Until(() => Task.FromResult(ending.IsCompleted), EndsWithin, () => $"{silo.Name} goes on although it was replaced.");
                ended = await ending - phase.Began;
                Assert.Equal([network.Hosts[place].Address], await Membership.Dead(deployment));
            }
            else
            {
                Assert.Null(await Membership.Watch(deployment, Deployments.ThreeSilos.Silos, DeclaredDeadWithin, stop));
            }

            var settled = TimeProvider.System.GetUtcNow() + Settles;
            if (isReplaced)
            {
                await silo.Launch();
                await silo.Ready(Deployment.StartLimit, stop);
            }

            await loads;
            var after = await reader.Sweep(0, familles, workers: 16, Deployments.Both, insist: false, stop);
            var si = await deployment.RegimeSi.Counters(stop);
            var (former, shown) = changes.After(settled);
            var wentBack = changes.WentBack;

            Console.WriteLine(report);
            Console.WriteLine(silo.EndOfLog());
            Figures.Add(
                "T8", $"{what} for {lasts.TotalSeconds:0} s at {perSecond:0} reads/s",
                $"{report.Failed} of {report.Calls} calls failed (for {report.Phases.Max(one => one.ErrorWindow):0.0} s); {Seconds("declared dead", phase.DeclaredDead)}; {Seconds("ended", ended)}; slowest {report.Phases.Max(one => one.Latency(100)):0} ms; {wentBack.Count} calls got a former version after the later one; SI reloads {si.Familles + si.Droits}, {si.ConcurrenceMax} at once",
                $"0 wrong, at most {MostAtOnce} at once",
                ("calls", report.Calls), ("failed", report.Failed), ("went_back", wentBack.Count), ("reloads", si.Familles + si.Droits), ("at_once", si.ConcurrenceMax));
            Assert.Equal(0, report.Wrong);
            Assert.Equal(0, changes.Wrong);
            Assert.InRange(si.ConcurrenceMax, 0, MostAtOnce);
            Assert.Equal((0, Changing), (former, shown));
            Assert.True(after.Good == after.Total, after.Failures());
            Assert.Equal(Deployments.ThreeSilos.Silos, await Membership.ActiveSilos(deployment));
            Assert.True(report.Failed <= MostFailed * report.Calls, report.ToString());
            if (isReplaced)
                Assert.InRange(phase.DeclaredDead ?? TimeSpan.MaxValue, TimeSpan.Zero, DeclaredDeadWithin);
            else
                Assert.True(phase.DeclaredDead is null && silo.IsRunning && silo.Process.Id == process, report.ToString());
        });
    }

    private static async Task<TimeSpan> Ended(Node silo, Stopwatch clock, CancellationToken stop)
    {
        await silo.Process.Exited(Longest, stop);
        return clock.Elapsed;
    }

    private static string Seconds(string what, TimeSpan? after) =>
        after is { } elapsed ? string.Create(CultureInfo.InvariantCulture, $"{what} after {elapsed.TotalSeconds:0.0} s") : $"not {what}";
}
