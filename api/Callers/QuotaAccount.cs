using DroitsAmeli.Grains.Conventions;

namespace DroitsAmeli.Api.Callers;

/// <summary>
/// One convention's quota as this front end holds it: the rules, without clock, network or lock. Instants are on the process's
/// monotonic clock. Not safe for concurrent use.
/// </summary>
public sealed class QuotaAccount(Guid frontEnd)
{
    private readonly QuotaHold minute = new(QuotaWindow.MinuteOf);
    private readonly QuotaHold day = new(QuotaWindow.DayOf);
    private long sequence;
    private int? minuteAsked;
    private int? dayAsked;

    /// <summary>Decides on a call from what is held; null when the grain must be asked first.</summary>
    public QuotaDecision? TryCount(Partner partner, TimeSpan now)
    {
        Follow(partner);
        if (minute.IsUsedUp(now) || day.IsUsedUp(now))
            return Refused(now);
        if (minute.NeedsLease(now) || day.NeedsLease(now))
            return null;
        minute.Use();
        day.Use();
        return Allowed(now);
    }

    /// <summary>Decides on a call while the grain cannot be asked.</summary>
    /// <param name="partner">Who calls.</param>
    /// <param name="now">On the monotonic clock.</param>
    /// <param name="clock">The same instant, which tells this front end's own windows.</param>
    public QuotaDecision CountAlone(Partner partner, TimeSpan now, DateTimeOffset clock)
    {
        Follow(partner);
        var minuteMay = minute.MayPassAlone(now, clock);
        var dayMay = day.MayPassAlone(now, clock);
        if (!minuteMay || !dayMay)
            return new QuotaDecision
            {
                Allowed = false,
                Limit = (dayMay ? minute : day).Limit,
                Remaining = 0,
                ResetSeconds = Seconds((dayMay ? minute : day).EndsIn(now)),
                RetryAfter = TimeSpan.FromSeconds(Seconds((dayMay ? minute : day).EndsIn(now))),
            };
        minute.UseAlone();
        day.UseAlone();
        return Allowed(now);
    }

    /// <summary>The request that brings what the calls that wait need.</summary>
    public QuotaLeaseRequest Ask(int waiting, TimeSpan now)
    {
        (minuteAsked, dayAsked) = (minute.Limit, day.Limit);
        return new QuotaLeaseRequest
        {
            FrontEnd = frontEnd,
            Sequence = ++sequence,
            Minute = minute.Claim(waiting, now),
            Day = day.Claim(waiting, now),
        };
    }

    /// <summary>Takes up the answer to the last request, which left at <paramref name="askedAt"/>.</summary>
    public void Apply(QuotaLease lease, TimeSpan askedAt)
    {
        minute.Apply(lease.Minute, minuteAsked, askedAt);
        day.Apply(lease.Day, dayAsked, askedAt);
    }

    private void Follow(Partner partner)
    {
        minute.Follow(partner.QuotaParMinute);
        day.Follow(partner.QuotaParJour);
    }

    private QuotaDecision Allowed(TimeSpan now)
    {
        if (Tighter(now) is not { } tighter)
            return QuotaDecision.Unlimited;
        return new QuotaDecision
        {
            Allowed = true,
            Limit = tighter.Limit,
            Remaining = tighter.Remaining,
            ResetSeconds = Seconds(tighter.EndsIn(now)),
        };
    }

    private QuotaDecision Refused(TimeSpan now)
    {
        var last = day.IsUsedUp(now) ? day : minute;
        var reset = Seconds(last.EndsIn(now));
        return new QuotaDecision
        {
            Allowed = false,
            Limit = last.Limit,
            Remaining = 0,
            ResetSeconds = reset,
            RetryAfter = TimeSpan.FromSeconds(reset),
        };
    }

    private QuotaHold? Tighter(TimeSpan now) => (minute.Limit, day.Limit) switch
    {
        (null, null) => null,
        (_, null) => minute,
        (null, _) => day,
        _ when minute.Remaining != day.Remaining => minute.Remaining < day.Remaining ? minute : day,
        _ => minute.EndsIn(now) > day.EndsIn(now) ? minute : day,
    };

    private static int Seconds(TimeSpan span) => Math.Max(1, (int)Math.Ceiling(span.TotalSeconds));
}
