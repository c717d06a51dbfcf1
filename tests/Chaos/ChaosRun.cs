using System.Diagnostics;
using DroitsAmeli.Load.Processes;
using DroitsAmeli.Load.Reads;
using DroitsAmeli.Load.Visits;
using DroitsAmeli.Simulators.FranceConnect;
using DroitsAmeli.Simulators.RegimeSi;
using DroitsAmeli.Tests.Postgres;
using Microsoft.Extensions.Hosting;
using Orleans.Runtime;

namespace DroitsAmeli.Tests.Chaos;

/// <summary>A deployment under an open-loop load to which disturbances are done, one after the other.</summary>
/// <param name="deployment">Is disturbed.</param>
/// <param name="server">Its database's.</param>
/// <param name="familles">How many are held when the load begins.</param>
internal sealed class ChaosRun(Deployment deployment, PostgresServer server, int familles)
{
    private static readonly TimeSpan ExitLimit = TimeSpan.FromMinutes(2);
    private static readonly TimeSpan NoticesItsDeath = TimeSpan.FromSeconds(3);
    private static readonly TimeSpan Lasts = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan Away = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan ClusterLimit = TimeSpan.FromSeconds(5);

    private readonly Stopwatch clock = new();

    public ChaosReport Report { get; } = new(familles);

    /// <summary>The silos that run.</summary>
    private List<Node> Silos => [.. deployment.Silos.Where(silo => silo.IsRunning)];

    /// <summary>Sends reads and does the disturbances at their times; ends when the load has.</summary>
    /// <param name="loads">What is asked, by partner.</param>
    /// <param name="disturbances">In the order of their times.</param>
    /// <param name="stop">Ends it.</param>
    public Task Run(IReadOnlyList<(ReadLoad Load, AnswerBook Book)> loads, IReadOnlyList<PlannedDisturbance> disturbances, CancellationToken stop) => Disturb(
        () => loads.Select(async load => (await new OpenLoopReader(deployment, load.Book).Run(load.Load with { Judged = Report.Add }, new(), stop)).SentLate),
        disturbances,
        stop);

    /// <summary>Sends visits and does the disturbances at their times; ends when the load has.</summary>
    /// <param name="loads">Who visits, by partner.</param>
    /// <param name="disturbances">In the order of their times.</param>
    /// <param name="stop">Ends it.</param>
    public Task RunVisits(IReadOnlyList<(VisitLoad Load, AnswerBook Book)> loads, IReadOnlyList<PlannedDisturbance> disturbances, CancellationToken stop) => Disturb(
        () => loads.Select(async load => (await new VisitGenerator(deployment, load.Book).Run(load.Load with { Judged = Report.Add }, stop)).SentLate),
        disturbances,
        stop);

    private async Task Disturb(Func<IEnumerable<Task<int>>> send, IReadOnlyList<PlannedDisturbance> disturbances, CancellationToken stop)
    {
        using var view = await ClusterView.Connect(deployment, stop);
        await deployment.RegimeSi.ResetCounters(stop);
        var checktokens = await deployment.FranceConnect.Checktokens(stop);
        var phase = Report.Begin("calm", TimeSpan.Zero);
        clock.Start();
        var running = Task.WhenAll(send());
        foreach (var disturbance in disturbances)
        {
            await Wait(disturbance.At, stop);
            checktokens = await Close(phase, checktokens, view, stop);
            phase = Report.Begin(disturbance.Kind.ToString(), clock.Elapsed);
            await Do(disturbance, phase, stop);
        }

        Report.SentLate = (await running).Sum();
        await Close(phase, checktokens, view, stop);
        await view.StopAsync(CancellationToken.None);
    }

    private async Task<long> Close(ChaosPhase phase, long checktokens, IHost view, CancellationToken stop)
    {
        phase.Balance = await Balance(view, stop);
        phase.Si = await deployment.RegimeSi.Counters(stop);
        await deployment.RegimeSi.ResetCounters(stop);
        var now = await deployment.FranceConnect.Checktokens(stop);
        phase.Checktokens = now - checktokens;
        return now;
    }

    // A silo that has just gone or come may keep the cluster from saying.
    private static async Task<double?> Balance(IHost view, CancellationToken stop)
    {
        try
        {
            var cluster = (IClusterClient)view.Services.GetService(typeof(IClusterClient))!;
            var activations = await ClusterView.Activations(cluster).WaitAsync(ClusterLimit, stop);
            return activations.Count == 0 ? null : activations.Max() / activations.Average();
        }
        catch (Exception failure) when (failure is OrleansException or TimeoutException or OperationCanceledException)
        {
            stop.ThrowIfCancellationRequested();
            return null;
        }
    }

    private async Task Wait(TimeSpan until, CancellationToken stop)
    {
        if (until - clock.Elapsed is { Ticks: > 0 } rest)
            await Task.Delay(rest, TimeProvider.System, stop);
    }

    private async Task Do(PlannedDisturbance disturbance, ChaosPhase phase, CancellationToken stop)
    {
        var silos = Silos;
        var silo = silos[disturbance.Target % silos.Count];
        var frontEnd = deployment.FrontEnds[disturbance.Target % deployment.FrontEnds.Count];
        switch (disturbance.Kind)
        {
            case Disturbance.KillSilo:
                var active = await Membership.ActiveSilos(deployment);
                var killed = silo.Kill();
                phase.DeclaredDead = await Membership.Watch(deployment, active, Away, stop);
                await killed;
                await Start(silo, stop);
                break;
            case Disturbance.DrainSilo:
                await GoAndComeBack(silo, stop);
                break;
            case Disturbance.FreezeSiloBriefly:
                await Freeze(silo, TimeSpan.FromSeconds(3), phase, stop);
                break;
            case Disturbance.FreezeSilo:
                await Freeze(silo, TimeSpan.FromSeconds(10), phase, stop);
                break;
            case Disturbance.FreezeSiloLong:
                await Freeze(silo, TimeSpan.FromSeconds(30), phase, stop);
                break;
            case Disturbance.Scale:
                await Scale(stop);
                break;
            case Disturbance.KillFrontEnd:
                await frontEnd.Kill();
                await Task.Delay(Away, TimeProvider.System, stop);
                await Start(frontEnd, stop);
                break;
            case Disturbance.DrainFrontEnd:
                await GoAndComeBack(frontEnd, stop);
                break;
            case Disturbance.RollingUpgrade:
                foreach (var one in silos.Concat(deployment.FrontEnds))
                    await GoAndComeBack(one, stop);
                break;
            case Disturbance.RestartDatabase:
                await server.Stop();
                await Task.Delay(TimeSpan.FromSeconds(3), TimeProvider.System, stop);
                await server.Start();
                break;
            case Disturbance.FreezeDatabase:
                await server.Freeze();
                await Task.Delay(TimeSpan.FromSeconds(5), TimeProvider.System, stop);
                await server.Thaw();
                break;
            case Disturbance.FailingSi:
                await DuringSi(new Reglages { Latency = new(300, 2000), Faults = [new() { Kind = FaultKind.Status500, Probability = 0.5 }] }, stop);
                break;
            case Disturbance.DeadSi:
                await DuringSi(new Reglages { Faults = [new() { Kind = FaultKind.Hang }] }, stop);
                break;
            case Disturbance.StutteringFranceConnect:
                await deployment.FranceConnect.Set(new { faute = "erreur_500", nombre = 3 }, stop);
                break;
            case Disturbance.SlowFranceConnect:
                await deployment.FranceConnect.Set(new { latence_ms = 1000 }, stop);
                await Task.Delay(Lasts, TimeProvider.System, stop);
                await deployment.FranceConnect.Set(new { latence_ms = 0 }, stop);
                break;
            case Disturbance.BusyProcessors:
                await Busy.For(Lasts, stop);
                break;
            default:
                throw new ArgumentOutOfRangeException(nameof(disturbance), disturbance.Kind, "Nobody knows how to do that.");
        }
    }

    private static async Task GoAndComeBack(Node node, CancellationToken stop)
    {
        await node.Terminate(ExitLimit, stop);
        await Start(node, stop);
    }

    private static async Task Start(Node node, CancellationToken stop)
    {
        await node.Launch();
        await node.Ready(Deployment.StartLimit, stop);
    }

    /// <summary>A silo that stood still for long was declared dead meanwhile: it must end itself, and is then started again.</summary>
    private async Task Freeze(Node silo, TimeSpan duration, ChaosPhase phase, CancellationToken stop)
    {
        var active = await Membership.ActiveSilos(deployment);
        silo.Freeze();
        phase.DeclaredDead = await Membership.Watch(deployment, active, duration, stop);
        silo.Thaw();
        await Task.Delay(NoticesItsDeath, TimeProvider.System, stop);
        if (!silo.IsRunning)
            await Start(silo, stop);
    }

    private async Task Scale(CancellationToken stop)
    {
        if (deployment.Silos.FirstOrDefault(silo => !silo.IsRunning) is { } spare)
            await Start(spare, stop);
        else
            await deployment.Silos[^1].Terminate(ExitLimit, stop);
    }

    private async Task DuringSi(Reglages reglages, CancellationToken stop)
    {
        Report.SiFails(clock.Elapsed);
        await deployment.RegimeSi.Set(reglages, stop);
        await Task.Delay(Lasts, TimeProvider.System, stop);
        await deployment.RegimeSi.Set(new(), stop);
        Report.SiWorks(clock.Elapsed);
    }
}
