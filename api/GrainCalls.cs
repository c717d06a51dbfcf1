using DroitsAmeli.Grains;
using Orleans.Runtime.Messaging;
using Polly;
using Polly.Retry;
using Polly.Timeout;

namespace DroitsAmeli.Api;

/// <summary>
/// The one way to call a grain: what the cluster rejects, loses on its way or leaves without an answer is tried again until the call's
/// deadline. Reads are idempotent, and a second try joins the load that the first one started.
/// </summary>
/// <remarks>
/// A call in flight to a silo that dies is answered by nobody (dotnet/orleans#10165). The first tries are short, so that one of them soon
/// meets the silo that has taken over; the later ones are longer, so that what is merely slow is not asked for again and again.
/// </remarks>
public sealed class GrainCalls(Admission admission, TimeProvider time)
{
    private const int ShortTries = 4;
    private static readonly TimeSpan ShortTry = TimeSpan.FromMilliseconds(400);

    // A try that began before a silo was replaced ends in vain: with 2 s, calls waited that long for nothing once it was.
    private static readonly TimeSpan LongestTry = TimeSpan.FromSeconds(1.2);
    private static readonly ResiliencePropertyKey<int> Tries = new("tries");

    private readonly ResiliencePipeline pipeline = new ResiliencePipelineBuilder { TimeProvider = time }
        .AddRetry(new RetryStrategyOptions
        {
            // A silo that dies, or stops, cancels what it looks up for others; the deadline is the only other who may.
            ShouldHandle = static tried => ValueTask.FromResult(
                tried.Outcome.Exception is { } error && (IsLost(error) || error is OperationCanceledException)
                && !tried.Context.CancellationToken.IsCancellationRequested),
            MaxRetryAttempts = int.MaxValue,
            Delay = TimeSpan.FromMilliseconds(25),
            MaxDelay = TimeSpan.FromMilliseconds(400),
            BackoffType = DelayBackoffType.Exponential,
            UseJitter = true,
            OnRetry = static tried =>
            {
                tried.Context.Properties.Set(Tries, tried.AttemptNumber + 1);
                Telemetry.Retries.Add(
                    1,
                    new KeyValuePair<string, object?>("upstream", "grain"),
                    new KeyValuePair<string, object?>("reason", tried.Outcome.Exception is TimeoutRejectedException ? "no_answer" : "refused"));
                return default;
            },
        })
        .AddTimeout(new TimeoutStrategyOptions
        {
            TimeoutGenerator = static trying => ValueTask.FromResult(LengthOf(trying.Context.Properties.GetValue(Tries, 0))),
        })
        .Build();

    /// <summary>Calls a grain; only the cancellation, which is the call's deadline, ends the tries.</summary>
    /// <exception cref="OperationCanceledException">The deadline has come, whatever the last try met.</exception>
    public async Task<T> Call<TState, T>(Func<TState, CancellationToken, Task<T>> call, TState state, CancellationToken deadline)
    {
        try
        {
            return await pipeline.ExecuteAsync(
                static async (captured, cancellation) =>
                {
                    var sent = captured.time.GetTimestamp();
                    var answer = await captured.call(captured.state, cancellation);
                    captured.admission.Observe(captured.time.GetElapsedTime(sent));
                    return answer;
                },
                (call, state, admission, time),
                deadline);
        }
        catch (Exception error) when (IsLost(error) && deadline.IsCancellationRequested)
        {
            throw new OperationCanceledException("The deadline has come.", error, deadline);
        }
    }

    private static bool IsLost(Exception error) =>
        error is OrleansMessageRejectionException or ConnectionFailedException or GatewayTooBusyException or TimeoutException or TimeoutRejectedException;

    private static TimeSpan LengthOf(int tries)
    {
        var length = tries < ShortTries ? ShortTry : ShortTry * Math.Pow(2, Math.Min(tries - ShortTries + 1, 8));
        return length < LongestTry ? length : LongestTry;
    }
}
