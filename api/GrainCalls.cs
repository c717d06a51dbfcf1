using DroitsAmeli.Grains;
using Orleans.Runtime.Messaging;
using Polly;
using Polly.Retry;

namespace DroitsAmeli.Api;

/// <summary>
/// The one way to call a grain: what the cluster rejects or loses on its way is tried again until the call's deadline. Reads are
/// idempotent, and a second try joins the load that the first one started.
/// </summary>
public sealed class GrainCalls(TimeProvider time)
{
    private readonly ResiliencePipeline pipeline = new ResiliencePipelineBuilder { TimeProvider = time }
        .AddRetry(new RetryStrategyOptions
        {
            ShouldHandle = static tried => ValueTask.FromResult(tried.Outcome.Exception switch
            {
                OrleansMessageRejectionException or ConnectionFailedException or GatewayTooBusyException or TimeoutException => true,

                // A silo that dies, or stops, cancels what it looks up for others; the deadline is the only other who may.
                OperationCanceledException => !tried.Context.CancellationToken.IsCancellationRequested,
                _ => false,
            }),
            MaxRetryAttempts = int.MaxValue,
            Delay = TimeSpan.FromMilliseconds(25),
            MaxDelay = TimeSpan.FromMilliseconds(400),
            BackoffType = DelayBackoffType.Exponential,
            UseJitter = true,
            OnRetry = static _ =>
            {
                Telemetry.Retries.Add(1, new KeyValuePair<string, object?>("upstream", "grain"));
                return default;
            },
        })
        .Build();

    /// <summary>Calls a grain; only the cancellation, which is the call's deadline, ends the tries.</summary>
    public async Task<T> Call<TState, T>(Func<TState, CancellationToken, Task<T>> call, TState state, CancellationToken deadline) =>
        await pipeline.ExecuteAsync(
            static async (captured, cancellation) => await captured.call(captured.state, cancellation),
            (call, state),
            deadline);
}
