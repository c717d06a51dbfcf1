using System.Diagnostics.CodeAnalysis;
using System.Net;
using System.Text;
using DroitsAmeli.Grains.Identites;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Polly;
using Polly.CircuitBreaker;

namespace DroitsAmeli.Grains.FranceConnect;

/// <summary>What FranceConnect said of a token, verified.</summary>
/// <param name="Outcome">Active, inactive, or why nothing can be said.</param>
/// <param name="Introspection">Set when active.</param>
/// <param name="Identite">Set when active.</param>
public sealed record ChecktokenAnswer(JetonOutcome Outcome, Introspection? Introspection = null, IdentitePivot? Identite = null);

/// <summary>
/// FranceConnect's checktoken over HTTP, within <c>FranceConnect:TimeoutSeconds</c>. A circuit breaker opens for 5 s on connection errors,
/// time-outs and 5xx only: never on tokens, nor on answers that cannot be verified. After these 5 s every call is sent; what the first of
/// them meets closes the circuit or opens it again.
/// </summary>
public sealed partial class FranceConnectClient
{
    /// <summary>How long after a 5xx a token is asked about once more.</summary>
    public static readonly TimeSpan AfterServerError = TimeSpan.FromMilliseconds(200);

    private const string MediaType = "application/token-introspection+jwt";
    private const int MinimumCallsToOpen = 8;
    private static readonly TimeSpan BreakDuration = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan SamplingDuration = TimeSpan.FromSeconds(10);

    private readonly HttpClient http;
    private readonly IntrospectionVerifier verifier;
    private readonly FranceConnectOptions settings;
    private readonly TimeProvider time;
    private readonly ILogger<FranceConnectClient> logger;
    private readonly CircuitBreakerStateProvider circuit = new();
    private readonly ResiliencePipeline<Exchange> breaker;

    public FranceConnectClient(
        HttpClient http, IntrospectionVerifier verifier, IOptions<FranceConnectOptions> options, TimeProvider time, ILogger<FranceConnectClient> logger)
    {
        this.http = http;
        this.verifier = verifier;
        settings = options.Value;
        this.time = time;
        this.logger = logger;
        breaker = new ResiliencePipelineBuilder<Exchange> { TimeProvider = time }
            .AddCircuitBreaker(new CircuitBreakerStrategyOptions<Exchange>
            {
                FailureRatio = 0.5,
                MinimumThroughput = MinimumCallsToOpen,
                SamplingDuration = SamplingDuration,
                BreakDuration = BreakDuration,
                StateProvider = circuit,
                ShouldHandle = static call => ValueTask.FromResult(
                    call.Outcome.Result is { Status: ExchangeStatus.Unreachable or ExchangeStatus.TooSlow or ExchangeStatus.ServerError }),
            })
            .Build();
    }

    private enum ExchangeStatus
    {
        Received,
        CredentialsRefused,
        Refused,
        ServerError,
        Malformed,
        Unreachable,
        TooSlow,
        CircuitOpen,
    }

    private readonly record struct Exchange(ExchangeStatus Status, string? Body = null);

    /// <summary>Asks what a token is worth, and verifies the answer. Never throws but for the caller's cancellation.</summary>
    public async Task<ChecktokenAnswer> Checktoken(string token, CancellationToken cancellationToken)
    {
        using var timeout = new CancellationTokenSource(settings.Timeout, time);
        using var linked = CancellationTokenSource.CreateLinkedTokenSource(timeout.Token, cancellationToken);
        var exchange = await Exchanged(token, linked.Token, cancellationToken);
        if (exchange.Status == ExchangeStatus.CircuitOpen)
            return new ChecktokenAnswer(JetonOutcome.FranceConnectUnusable);
        if (exchange.Status != ExchangeStatus.Received)
            return Failed(exchange.Status);
        try
        {
            var verdict = await verifier.Verify(exchange.Body!, token, linked.Token);
            return Concluded(verdict);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return Failed(ExchangeStatus.TooSlow);
        }
    }

    private async Task<Exchange> Exchanged(string token, CancellationToken attempt, CancellationToken caller)
    {
        try
        {
            return await breaker.ExecuteAsync(
                static (call, _) => call.Client.Post(call.Token, call.Attempt, call.Caller), (Client: this, Token: token, Attempt: attempt, Caller: caller), CancellationToken.None);
        }
        catch (BrokenCircuitException) when (circuit.CircuitState is CircuitState.Open)
        {
            return new Exchange(ExchangeStatus.CircuitOpen);
        }
        catch (BrokenCircuitException)
        {
            // Its time is over and another call probes. To wait for that one would use up this one's own time with a FranceConnect that is
            // slow but well, and open the circuit anew.
            return await Post(token, attempt, caller);
        }
    }

    // One token costs FranceConnect one checktoken: only what cannot have reached it, or what it has failed on, is sent again, once.
    private async ValueTask<Exchange> Post(string token, CancellationToken attempt, CancellationToken caller)
    {
        for (var retried = false; ; retried = true)
        {
            try
            {
                var exchange = await PostOnce(token, attempt);
                if (retried || exchange.Status is not ExchangeStatus.ServerError)
                    return exchange;
                Telemetry.Retries.Add(1, new KeyValuePair<string, object?>("upstream", "franceconnect"));
                await Task.Delay(AfterServerError, time, attempt);
            }
            catch (OperationCanceledException) when (!caller.IsCancellationRequested)
            {
                return new Exchange(ExchangeStatus.TooSlow);
            }
            catch (HttpRequestException failure) when (!retried && NeverLeft(failure))
            {
                Telemetry.Retries.Add(1, new KeyValuePair<string, object?>("upstream", "franceconnect"));
            }
            catch (Exception failure) when (failure is HttpRequestException or IOException)
            {
                return new Exchange(ExchangeStatus.Unreachable);
            }
        }
    }

    private static bool NeverLeft(HttpRequestException failure) =>
        failure.HttpRequestError is HttpRequestError.ConnectionError or HttpRequestError.NameResolutionError or HttpRequestError.SecureConnectionError;

    private async Task<Exchange> PostOnce(string token, CancellationToken cancellationToken)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, settings.Checktoken)
        {
            Content = new FormUrlEncodedContent(
            [
                new("client_id", settings.ClientId),
                new("client_secret", settings.ClientSecret),
                new("token", token),
            ]),
        };
        using var response = await http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellationToken);
        switch (response.StatusCode)
        {
            case HttpStatusCode.OK:
                break;
            case HttpStatusCode.Unauthorized:
                return new Exchange(ExchangeStatus.CredentialsRefused);
            default:
                return new Exchange((int)response.StatusCode >= 500 ? ExchangeStatus.ServerError : ExchangeStatus.Refused);
        }

        if (!string.Equals(response.Content.Headers.ContentType?.MediaType, MediaType, StringComparison.OrdinalIgnoreCase)
            || await BoundedBody.Read(response.Content, cancellationToken) is not { } body)
            return new Exchange(ExchangeStatus.Malformed);
        return new Exchange(ExchangeStatus.Received, Encoding.Latin1.GetString(body));
    }

    private ChecktokenAnswer Concluded(IntrospectionVerdict verdict)
    {
        switch (verdict.Answer.Outcome)
        {
            case JetonOutcome.Active:
                Count("active");
                break;
            case JetonOutcome.Inactive:
                Count("inactive");
                break;
            default:
                Count("unverifiable");
                Alarm("franceconnect_unverifiable");
                LogUnverifiable(logger, verdict.Failed!.Value);
                break;
        }

        return verdict.Answer;
    }

    private ChecktokenAnswer Failed(ExchangeStatus status)
    {
        Count(LabelOf(status));
        if (status == ExchangeStatus.CredentialsRefused)
        {
            Alarm("franceconnect_credentials");
            LogCredentialsRefused(logger);
        }
        else
        {
            Alarm("franceconnect_unusable");
            LogUnusable(logger, status.ToString());
        }

        return new ChecktokenAnswer(status == ExchangeStatus.TooSlow ? JetonOutcome.FranceConnectTooSlow : JetonOutcome.FranceConnectUnusable);
    }

    [SuppressMessage("Style", "IDE0072:Add missing cases", Justification = "Received is concluded elsewhere.")]
    private static string LabelOf(ExchangeStatus status) => status switch
    {
        ExchangeStatus.CredentialsRefused => "credentials_refused",
        ExchangeStatus.Refused => "refused",
        ExchangeStatus.ServerError => "server_error",
        ExchangeStatus.Malformed => "malformed",
        ExchangeStatus.Unreachable => "unreachable",
        ExchangeStatus.TooSlow => "too_slow",
        _ => "circuit_open",
    };

    private static void Count(string outcome) => Telemetry.Checktokens.Add(1, new KeyValuePair<string, object?>("outcome", outcome));

    private static void Alarm(string alarm) => Telemetry.Alarms.Add(1, new KeyValuePair<string, object?>("alarm", alarm));

    [LoggerMessage(Level = LogLevel.Critical,
        Message = "FranceConnect refuses our credentials: no token can be checked. See that FranceConnect:ClientId and FranceConnect:ClientSecret are those in force there; they are read when the silo starts.")]
    private static partial void LogCredentialsRefused(ILogger logger);

    [LoggerMessage(Level = LogLevel.Error, Message = "An answer of FranceConnect could not be verified at the check {Check}. If this repeats, see that FranceConnect:Issuer, FranceConnect:ClientId, the algorithms and the key of FranceConnect:PrivateJwksFile are those that FranceConnect has for this service, and that the clock of this machine is right.")]
    private static partial void LogUnverifiable(ILogger logger, IntrospectionCheck check);

    [LoggerMessage(Level = LogLevel.Error, Message = "FranceConnect's checktoken is unusable: {Reason}. If this repeats, see that it answers from this silo within FranceConnect:TimeoutSeconds, at FranceConnect:ChecktokenEndpoint or below FranceConnect:Issuer; if it does not, tell who runs FranceConnect.")]
    private static partial void LogUnusable(ILogger logger, string reason);
}
