using DroitsAmeli.Grains.Conventions;

namespace DroitsAmeli.Api.Callers;

/// <summary>
/// What this front end knows of one window of a convention's quota: the calls it holds, and those it has let through. Instants are on
/// the process's monotonic clock. Not safe for concurrent use.
/// </summary>
internal sealed class QuotaHold(Func<DateTimeOffset, QuotaWindow> windowAt)
{
    private long window = long.MinValue;
    private TimeSpan endsAt;
    private bool stale = true;
    private int used;
    private int held;
    private int left;
    private int aloneSinceClaim;

    /// <summary>Calls per window; null: no limit.</summary>
    public int? Limit { get; private set; }

    /// <summary>Calls that remain, as far as this front end knows.</summary>
    public int Remaining => held + left;

    /// <summary>Follows the conventions file. Under another limit what is held is given back, and the grain asked anew.</summary>
    public void Follow(int? limit)
    {
        if (limit == Limit)
            return;
        Limit = limit;
        held = 0;
        stale = true;
    }

    /// <summary>True when the grain must be asked before anything can be said of a call now.</summary>
    public bool NeedsLease(TimeSpan now) => Limit is not null && (!IsKnown(now) || (held == 0 && left > 0));

    /// <summary>True when the window has no call left for this front end, and that will not change before its end.</summary>
    public bool IsUsedUp(TimeSpan now) => Limit is not null && IsKnown(now) && held == 0 && left == 0;

    /// <summary>Lets a call through.</summary>
    public void Use()
    {
        if (Limit is null)
            return;
        held--;
        used++;
    }

    /// <summary>The account that a lease request gives, with what the calls that wait need.</summary>
    public QuotaClaim? Claim(int waiting, TimeSpan now)
    {
        aloneSinceClaim = 0;
        return Limit is not { } limit ? null : new QuotaClaim
        {
            Limit = limit,
            Window = window,
            Taken = used + held,
            Wanted = IsKnown(now) && held > 0 ? 0 : waiting,
        };
    }

    /// <summary>Takes up what was handed out for <paramref name="limit"/>.</summary>
    /// <param name="grant">Null when there was no limit.</param>
    /// <param name="limit">The limit that the request carried.</param>
    /// <param name="askedAt">Before the request left: so the window never seems to last longer than it does.</param>
    public void Apply(QuotaGrant? grant, int? limit, TimeSpan askedAt)
    {
        if (grant is null || limit != Limit)
            return;
        if (grant.Window != window)
            used = held = 0;
        window = grant.Window;
        endsAt = askedAt + grant.EndsIn;

        // Calls that passed alone while the request was under way come off what it brought.
        var handed = held + grant.Granted;
        held = Math.Max(0, handed - aloneSinceClaim);
        left = Math.Max(0, grant.Left - Math.Max(0, aloneSinceClaim - handed));
        stale = false;
    }

    /// <summary>True when a call may pass while the grain cannot be asked: at most a quota's worth per window of this front end's clock.</summary>
    public bool MayPassAlone(TimeSpan now, DateTimeOffset clock)
    {
        if (Limit is not { } limit)
            return true;
        if (!IsKnown(now))
            EnterAlone(limit, now, clock);
        return held > 0 || used < limit;
    }

    /// <summary>Lets a call through that the grain did not hand out; the next request accounts for it.</summary>
    public void UseAlone()
    {
        if (Limit is null)
            return;
        used++;
        if (held > 0)
        {
            held--;
            return;
        }

        aloneSinceClaim++;
        left = Math.Max(0, left - 1);
    }

    /// <summary>Time to the end of the window.</summary>
    public TimeSpan EndsIn(TimeSpan now) => endsAt - now;

    // The window stays "to be asked about": alone, the hold is never known.
    private void EnterAlone(int limit, TimeSpan now, DateTimeOffset clock)
    {
        var present = windowAt(clock);
        if (present.Id != window)
        {
            used = held = 0;
            window = present.Id;
        }

        left = Math.Max(0, limit - used - held);
        endsAt = now + (present.End - clock);
        stale = true;
    }

    private bool IsKnown(TimeSpan now) => !stale && now < endsAt;
}
