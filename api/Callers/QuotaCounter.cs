using System.Collections.Concurrent;
using DroitsAmeli.Grains;
using DroitsAmeli.Grains.Conventions;

namespace DroitsAmeli.Api.Callers;

/// <summary>
/// Counts calls against the quotas of their conventions, on small leases from <see cref="IConventionGrain"/>. With one front end the
/// count is exact; over all front ends the quota of a window is never exceeded while the grain lives.
/// </summary>
/// <remarks>
/// A quota protects nobody's data: when the grain cannot be asked within 500 ms, calls pass, an alarm is counted, and this front end lets
/// through at most one quota's worth per window of its own clock. The grain is told of these calls as soon as it answers again.
/// </remarks>
public sealed partial class QuotaCounter(Func<string, IConventionGrain> grainOf, TimeProvider time, ILogger<QuotaCounter> logger)
{
    private static readonly TimeSpan LeaseTimeout = TimeSpan.FromMilliseconds(500);
    private static readonly TimeSpan PauseAfterFailure = TimeSpan.FromSeconds(1);

    private readonly Guid frontEnd = Guid.NewGuid();
    private readonly long origin = time.GetTimestamp();
    private readonly ConcurrentDictionary<string, Counted> accounts = new(StringComparer.Ordinal);

    /// <summary>Counts one call of a partner whose key is known.</summary>
    /// <param name="partner">Who calls, with the limits that hold now.</param>
    /// <param name="cancellationToken">Ends the wait, never the lease that others share.</param>
    /// <exception cref="OperationCanceledException">The caller went away.</exception>
    public ValueTask<QuotaDecision> Count(Partner partner, CancellationToken cancellationToken)
    {
        if (partner is { QuotaParMinute: null, QuotaParJour: null })
            return ValueTask.FromResult(QuotaDecision.Unlimited);

        var counted = accounts.GetOrAdd(partner.Id, static (_, frontEnd) => new Counted(frontEnd), frontEnd);
        lock (counted.Gate)
        {
            if (counted.Account.TryCount(partner, Now) is { } decision)
                return ValueTask.FromResult(decision);
        }

        return Wait(counted, partner, cancellationToken);
    }

    private TimeSpan Now => time.GetElapsedTime(origin);

    private async ValueTask<QuotaDecision> Wait(Counted counted, Partner partner, CancellationToken cancellationToken)
    {
        while (true)
        {
            Task lease;
            lock (counted.Gate)
            {
                var now = Now;
                if (counted.Account.TryCount(partner, now) is { } decision)
                    return decision;

                if (counted.Lease is null && now >= counted.NotBefore)
                    counted.Start(() => Lease(counted, partner.Id, time.GetElapsedTime(origin)));
                if (counted.Unreachable || counted.Lease is null)
                    return counted.Account.CountAlone(partner, now, time.GetUtcNow());

                lease = counted.Lease;
                counted.Waiting++;
            }

            try
            {
                await lease.WaitAsync(cancellationToken);
            }
            finally
            {
                lock (counted.Gate)
                    counted.Waiting--;
            }
        }
    }

    // Never throws: whoever waits looks again at the account. The reply of a call that timed out is not taken up; the next request
    // gives back what it handed out.
    private async Task Lease(Counted counted, string convention, TimeSpan askedAt)
    {
        await Task.CompletedTask.ConfigureAwait(ConfigureAwaitOptions.ForceYielding);
        try
        {
            QuotaLeaseRequest request;
            lock (counted.Gate)
                request = counted.Account.Ask(Math.Max(1, counted.Waiting), askedAt);

            using var timeout = new CancellationTokenSource(LeaseTimeout, time);
            var lease = await grainOf(convention).Lease(request, timeout.Token).WaitAsync(timeout.Token);
            lock (counted.Gate)
            {
                counted.Account.Apply(lease, askedAt);
                counted.Unreachable = false;
            }
        }
        catch (Exception exception)
        {
            Telemetry.Alarms.Add(1, new KeyValuePair<string, object?>("alarm", "quota_unreachable"));
            LogUnreachable(convention, exception.GetType().Name);
            lock (counted.Gate)
            {
                counted.Unreachable = true;
                counted.NotBefore = Now + PauseAfterFailure;
            }
        }
        finally
        {
            lock (counted.Gate)
                counted.Lease = null;
        }
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "The quota of convention {Convention} cannot be asked ({Reason}); calls pass, within one quota per window. Nothing has to be done while a silo starts or goes; else look at GET /admin/silos of a silo, and restart one that it lists without counts.")]
    private partial void LogUnreachable(string convention, string reason);

    private sealed class Counted(Guid frontEnd)
    {
        public Lock Gate { get; } = new();
        public QuotaAccount Account { get; } = new(frontEnd);
        public Task? Lease { get; set; }
        public int Waiting { get; set; }
        public bool Unreachable { get; set; }
        public TimeSpan NotBefore { get; set; }

        public void Start(Func<Task> lease) => Lease = lease();
    }
}
