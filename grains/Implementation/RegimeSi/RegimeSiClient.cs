using System.Net;
using System.Text.Json;
using DroitsAmeli.Grains.Droits;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace DroitsAmeli.Grains.RegimeSi;

/// <summary>
/// The régime SI over HTTP: one call within <c>RegimeSi:TimeoutSeconds</c>, after a bounded wait for a slot of the cluster (<see cref="SiSlots"/>).
/// No method throws for what the SI does; only the caller's cancellation throws.
/// </summary>
public sealed partial class RegimeSiClient(
    SiTransport transport,
    SiGate gate,
    SiSlots slots,
    IOptions<RegimeSiOptions> options,
    TimeProvider time,
    ILogger<RegimeSiClient> logger)
{
    private const int LeastPauseMilliseconds = 50;
    private const int MostPauseMilliseconds = 200;

    /// <summary>Asks whose family an identity leads to.</summary>
    /// <param name="request">The canonical identity.</param>
    /// <param name="cancellationToken">Ends the call.</param>
    /// <param name="demand">On whose behalf, when slots are scarce; null: somebody who waits.</param>
    public Task<SiAnswer<Identification>> Identify(
        IdentificationRequest request, CancellationToken cancellationToken, SharedDemand? demand = null) =>
        Ask(SiRequest.Identify(request), 0, SiPayload.ReadIdentification, demand ?? SiPriority.Present, cancellationToken);

    /// <summary>Asks who is in a family.</summary>
    /// <param name="famille">The SI's family id.</param>
    /// <param name="heldVersion">The version of the copy we hold, sent as If-None-Match; null when we hold none.</param>
    /// <param name="leastVersion">The least version that is acceptable: an older answer is refused.</param>
    /// <param name="cancellationToken">Ends the call.</param>
    /// <param name="demand">On whose behalf, when slots are scarce; null: somebody who waits.</param>
    public Task<SiAnswer<Composition>> GetComposition(
        string famille, long? heldVersion, long leastVersion, CancellationToken cancellationToken, SharedDemand? demand = null)
    {
        var least = Math.Max(leastVersion, heldVersion ?? 0);
        return Ask(
            SiRequest.Composition(famille, heldVersion), least, body => SiPayload.ReadComposition(body, famille, least), demand ?? SiPriority.Present, cancellationToken);
    }

    /// <summary>Asks for one beneficiary's rights; parameters as for <see cref="GetComposition"/>.</summary>
    public Task<SiAnswer<DroitsBeneficiaire>> GetDroits(
        string famille, Nir nir, long? heldVersion, long leastVersion, CancellationToken cancellationToken, SharedDemand? demand = null)
    {
        var least = Math.Max(leastVersion, heldVersion ?? 0);
        return Ask(
            SiRequest.Droits(famille, nir, heldVersion), least, body => SiPayload.ReadDroits(body, famille, nir, least), demand ?? SiPriority.Present, cancellationToken);
    }

    private async Task<SiAnswer<T>> Ask<T>(
        SiRequest request, long least, Func<ReadOnlyMemory<byte>, T> read, SharedDemand demand, CancellationToken cancellationToken)
        where T : class
    {
        if (gate.ClosedFor(demand.Current.Priority) is { } closedFor)
            return NotAsked<T>(closedFor);

        var slot = await slots.Acquire(demand, request.Stage, cancellationToken).ConfigureAwait(false);
        if (slot is null)
            return NotAsked<T>(SiSlots.RetryAfter);

        Exchange? exchange = null;
        TimeSpan? closed;
        var ended = false;
        try
        {
            (exchange, closed) = await AttemptTwice(request, demand, cancellationToken).ConfigureAwait(false);
            ended = exchange is not { CutShort: true };
        }
        finally
        {
            if (ended)
                slot.Dispose();
            else
                slot.DisposeAfter(RegimeSiOptions.HangUp);
        }
        return exchange is null ? NotAsked<T>(closed) : Interpret(request, exchange, least, read);
    }

    private async Task<(Exchange? Exchange, TimeSpan? ClosedFor)> AttemptTwice(SiRequest request, SharedDemand demand, CancellationToken caller)
    {
        using var deadline = new CancellationTokenSource(options.Value.Timeout, time);
        var first = await Attempt(request, demand, deadline.Token, caller).ConfigureAwait(false);
        if (first.Exchange is not { MayRetry: true } || !await Pause(deadline.Token, caller).ConfigureAwait(false))
            return first;

        var second = await Attempt(request, demand, deadline.Token, caller).ConfigureAwait(false);
        if (second.Exchange is null)
            return first;
        Telemetry.Retries.Add(1, new KeyValuePair<string, object?>("upstream", "regime_si"));
        return second;
    }

    private async Task<(Exchange? Exchange, TimeSpan? ClosedFor)> Attempt(
        SiRequest request, SharedDemand demand, CancellationToken deadline, CancellationToken caller)
    {
        var result = await gate.Pass(token => transport.Send(request, deadline, token), request.Subject, demand.Current.Priority, caller).ConfigureAwait(false);
        if (result.Exchange is { } exchange)
        {
            Telemetry.SiCalls.Add(
                1, new KeyValuePair<string, object?>("call", request.Call), new KeyValuePair<string, object?>("status", exchange.Label));
        }
        return result;
    }

    private async Task<bool> Pause(CancellationToken deadline, CancellationToken caller)
    {
        using var either = CancellationTokenSource.CreateLinkedTokenSource(deadline, caller);
        try
        {
            var pause = TimeSpan.FromMilliseconds(Random.Shared.Next(LeastPauseMilliseconds, MostPauseMilliseconds + 1));
            await Task.Delay(pause, time, either.Token).ConfigureAwait(false);
            return true;
        }
        catch (OperationCanceledException) when (!caller.IsCancellationRequested)
        {
            return false;
        }
    }

    private SiAnswer<T> Interpret<T>(SiRequest request, Exchange exchange, long least, Func<ReadOnlyMemory<byte>, T> read)
        where T : class
    {
        if (exchange.Refusal is { } refusal)
            return Refuse<T>(request, refusal);
        if (exchange.End == ExchangeEnd.TimedOut)
        {
            LogFailed(logger, request.Call, exchange.Label);
            return Without<T>(SiStatus.TooSlow);
        }
        if (exchange.End != ExchangeEnd.Answered)
        {
            LogFailed(logger, request.Call, exchange.Label);
            return Without<T>(SiStatus.Unavailable, exchange.RetryAfter);
        }

        var identification = request.Identification is not null;
        switch (exchange.Status)
        {
            case HttpStatusCode.OK:
                try
                {
                    return new SiAnswer<T>(SiStatus.Ok, read(exchange.Body), time.GetUtcNow());
                }
                catch (RefusedAnswerException refused)
                {
                    return Refuse<T>(request, refused.Reason);
                }

            case HttpStatusCode.NotModified:
                return request.HeldVersion is { } held && held >= least && (exchange.ETag is null || exchange.ETag == request.ETag)
                    ? Without<T>(SiStatus.Unchanged)
                    : Refuse<T>(request, RefusalReason.WrongNotModified);

            case HttpStatusCode.NotFound:
                return Without<T>(SiStatus.NotFound);
            case HttpStatusCode.Gone when !identification:
                return Without<T>(SiStatus.Gone);
            case HttpStatusCode.Conflict when identification:
                return Without<T>(SiStatus.Ambiguous);
            case HttpStatusCode.UnprocessableEntity when identification:
                return SiPayload.NamesRegime(exchange.Body)
                    ? Without<T>(SiStatus.NotHosted)
                    : Refuse<T>(request, RefusalReason.Unparseable);

            case HttpStatusCode.Unauthorized or HttpStatusCode.Forbidden:
                Telemetry.Alarms.Add(1, new KeyValuePair<string, object?>("alarm", "si_credentials"));
                LogCredentials(logger, request.Call, (int)exchange.Status);
                return Refuse<T>(request, RefusalReason.UnexpectedStatus);

            default:
                return Refuse<T>(request, RefusalReason.UnexpectedStatus);
        }
    }

    private SiAnswer<T> Refuse<T>(SiRequest request, RefusalReason reason) where T : class
    {
        Telemetry.SiRefused.Add(1, new KeyValuePair<string, object?>("reason", JsonNamingPolicy.SnakeCaseLower.ConvertName(reason.ToString())));
        LogRefused(logger, request.Call, reason);
        return Without<T>(SiStatus.Unavailable);
    }

    private SiAnswer<T> NotAsked<T>(TimeSpan? retryAfter) where T : class =>
        Without<T>(SiStatus.Unavailable, retryAfter) with { Asked = false };

    private SiAnswer<T> Without<T>(SiStatus status, TimeSpan? retryAfter = null) where T : class =>
        new(status, null, time.GetUtcNow(), retryAfter);

    [LoggerMessage(Level = LogLevel.Warning, Message = "The régime SI's answer to {Call} was refused: {Reason}. Nothing of it is kept. See with who runs the régime SI what it sends, if this repeats.")]
    private static partial void LogRefused(ILogger logger, string call, RefusalReason reason);

    [LoggerMessage(Level = LogLevel.Warning, Message = "The régime SI failed on {Call}: {Outcome}. If this repeats, see that RegimeSi:BaseUrl answers from this silo within RegimeSi:TimeoutSeconds.")]
    private static partial void LogFailed(ILogger logger, string call, string outcome);

    [LoggerMessage(Level = LogLevel.Error, Message = "The régime SI refuses our credentials on {Call}: {Status}. See that RegimeSi:ApiKey is the one in force there; it is read when the silo starts.")]
    private static partial void LogCredentials(ILogger logger, string call, int status);
}
