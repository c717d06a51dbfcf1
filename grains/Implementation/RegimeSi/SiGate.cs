using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Polly;
using Polly.CircuitBreaker;

namespace DroitsAmeli.Grains.RegimeSi;

/// <summary>
/// Whether the SI may be called now: planned maintenance, what the SI asked for with <c>Retry-After</c>, and a circuit that opens for 5 s when
/// half of at least ten calls within 10 s, or under little traffic three in a row about different families, ended without an answer, with a 5xx
/// or a 429. What was closed lets one call try.
/// </summary>
public sealed partial class SiGate
{
    private static readonly TimeSpan BreakDuration = TimeSpan.FromSeconds(5);

    /// <summary>After so long without anybody who waits, a refresh may be the call that tries an SI on its way back.</summary>
    internal static readonly TimeSpan NobodyFor = TimeSpan.FromSeconds(30);

    private readonly MaintenanceWindows maintenance;
    private readonly SiHold hold;
    private readonly TimeProvider time;
    private readonly ILogger<SiGate> logger;
    private readonly CircuitBreakerStateProvider circuit = new();
    private readonly ResiliencePipeline<Exchange> pipeline;
    private long openUntilTicks;
    private long somebodyAt;
    private bool toldOpen;

    public SiGate(IOptions<RegimeSiOptions> options, TimeProvider time, ILogger<SiGate> logger)
    {
        if (!MaintenanceWindows.TryParse(options.Value.Maintenance, out var windows))
            throw new ArgumentException("RegimeSi:Maintenance is not valid.", nameof(options));
        maintenance = windows;
        this.time = time;
        this.logger = logger;
        hold = new SiHold(time);
        somebodyAt = time.GetTimestamp();
        pipeline = new ResiliencePipelineBuilder<Exchange> { TimeProvider = time }
            .AddCircuitBreaker(new CircuitBreakerStrategyOptions<Exchange>
            {
                FailureRatio = 0.5,
                MinimumThroughput = 10,
                SamplingDuration = TimeSpan.FromSeconds(10),
                BreakDuration = BreakDuration,
                StateProvider = circuit,
                ShouldHandle = args => ValueTask.FromResult(CountsAsFailure(args.Outcome)),
                OnOpened = args =>
                {
                    Volatile.Write(ref openUntilTicks, (time.GetUtcNow() + args.BreakDuration).UtcTicks);
                    // A try that fails opens it again.
                    if (!toldOpen)
                        LogOpened(logger);
                    toldOpen = true;
                    return ValueTask.CompletedTask;
                },
                OnClosed = _ =>
                {
                    toldOpen = false;
                    LogClosed(logger);
                    return ValueTask.CompletedTask;
                },
            })
            .Build();
    }

    /// <summary>How long the SI is not to be called; null when it may be.</summary>
    /// <param name="priority">Who asks: as long as somebody who waits does, refreshes leave the tries to them.</param>
    internal TimeSpan? ClosedFor(SiPriority priority)
    {
        if (priority < SiPriority.Refresh)
            Volatile.Write(ref somebodyAt, time.GetTimestamp());
        var now = time.GetUtcNow();
        if (maintenance.ClosedUntil(now) is { } reopens)
            return reopens - now;
        if (hold.Remaining() is { } held)
            return held;
        var open = Volatile.Read(ref openUntilTicks) - now.UtcTicks;
        return open > 0 ? TimeSpan.FromTicks(open) : null;
    }

    /// <summary>Makes one call if it may be made.</summary>
    /// <param name="call">The call.</param>
    /// <param name="subject">Whom it is about, see <see cref="SiRequest.Subject"/>.</param>
    /// <param name="priority">Refreshes and warm-ups are not made before the SI is known to be back, unless nobody else has come for 30 s.</param>
    /// <param name="cancellationToken">Ends the call.</param>
    /// <returns>The exchange, or how long the SI is not to be called.</returns>
    internal async Task<(Exchange? Exchange, TimeSpan? ClosedFor)> Pass(
        Func<CancellationToken, Task<Exchange>> call, int subject, SiPriority priority, CancellationToken cancellationToken)
    {
        // The one call that tries an SI on its way back is for somebody who waits.
        if (priority >= SiPriority.Refresh
            && (hold.IsRecovering || circuit.CircuitState is not CircuitState.Closed)
            && time.GetElapsedTime(Volatile.Read(ref somebodyAt)) < NobodyFor)
        {
            return (null, BreakDuration);
        }

        var now = time.GetUtcNow();
        if (maintenance.ClosedUntil(now) is { } reopens)
            return (null, reopens - now);
        if (!hold.TryEnter(out var held, out var probe))
            return (null, held);

        Exchange? exchange = null;
        try
        {
            exchange = await pipeline.ExecuteAsync(
                static async (call, token) => await call(token).ConfigureAwait(false), call, cancellationToken).ConfigureAwait(false);
            return (exchange, null);
        }
        catch (BrokenCircuitException broken)
        {
            return (null, broken.RetryAfter is { } wait && wait > TimeSpan.Zero ? wait : BreakDuration);
        }
        finally
        {
            Log(hold.Leave(probe, exchange, subject));
        }
    }

    // A probe that its caller gave up proves nothing: it must not close the circuit.
    private bool CountsAsFailure(Outcome<Exchange> outcome) =>
        outcome.Result is { IsFailure: true }
        || (outcome.Exception is OperationCanceledException && circuit.CircuitState == CircuitState.HalfOpen);

    private void Log(HoldChange change)
    {
        if (change == HoldChange.Began)
            LogHeld(logger);
        else if (change == HoldChange.Ended)
            LogReleased(logger);
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "The régime SI is left alone but for a try each 5 s: it fails, or asked for it. See what its operator says; copies are shown meanwhile, and nothing has to be done here.")]
    private static partial void LogHeld(ILogger logger);

    [LoggerMessage(Level = LogLevel.Information, Message = "The régime SI answers again.")]
    private static partial void LogReleased(ILogger logger);

    [LoggerMessage(Level = LogLevel.Warning, Message = "The circuit to the régime SI opened: most calls fail. See that RegimeSi:BaseUrl answers from this silo; if it does not, tell who runs the régime SI. Copies are shown meanwhile.")]
    private static partial void LogOpened(ILogger logger);

    [LoggerMessage(Level = LogLevel.Information, Message = "The circuit to the régime SI closed.")]
    private static partial void LogClosed(ILogger logger);
}
