namespace DroitsAmeli.Grains.RegimeSi;

/// <summary>How a call changed the hold.</summary>
internal enum HoldChange
{
    None,
    Began,
    Ended,
}

/// <summary>
/// One call at a time, and one in 5 s, until one is answered: what a 503 with <c>Retry-After</c> asks for, and what an SI is given that has
/// failed on each of several families or persons in a row. Only the first may come sooner, when the SI says so. Everybody is told the SI's own time of return; but one answer alone does not close
/// the SI for longer than the next try.
/// </summary>
internal sealed class SiHold(TimeProvider time)
{
    private const int FailuresToHold = 3;

    private static readonly TimeSpan BetweenProbes = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan WhileProbing = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan InARowWithin = TimeSpan.FromMinutes(1);

    private readonly Lock gate = new();
    private DateTimeOffset nextProbe;
    private DateTimeOffset announced;
    private bool recovering;
    private bool probing;
    private int failures;
    private int failedSubject;
    private DateTimeOffset failingSince;
    private DateTimeOffset failedAt;

    /// <summary>True until a call after a hold is answered.</summary>
    public bool IsRecovering
    {
        get
        {
            lock (gate)
                return recovering;
        }
    }

    /// <summary>How long the SI is to be left alone; null when a call may go.</summary>
    public TimeSpan? Remaining()
    {
        lock (gate)
            return RemainingLocked();
    }

    /// <summary>Asks to make a call, which <see cref="Leave"/> must end.</summary>
    public bool TryEnter(out TimeSpan remaining, out bool probe)
    {
        lock (gate)
        {
            remaining = RemainingLocked() ?? TimeSpan.Zero;
            probe = remaining == TimeSpan.Zero && recovering;
            probing |= probe;
            return remaining == TimeSpan.Zero;
        }
    }

    /// <summary>Reports how a call ended; <paramref name="exchange"/> is null when it was given up or never made.</summary>
    /// <param name="probe">As <see cref="TryEnter"/> said.</param>
    /// <param name="exchange">What came of it.</param>
    /// <param name="subject">See <see cref="SiRequest.Subject"/>.</param>
    public HoldChange Leave(bool probe, Exchange? exchange, int subject)
    {
        lock (gate)
        {
            if (probe)
                probing = false;
            if (exchange is null)
                return HoldChange.None;

            var was = recovering;
            if (exchange is { Status: System.Net.HttpStatusCode.ServiceUnavailable, RetryAfter: { } wait })
                HoldFor(wait, probe);
            else if (exchange.IsFailure && (probe || ShowsAnOutage(subject)))
                HoldFor(BetweenProbes, probe);
            else if (!exchange.IsFailure)
                Answered(probe);
            return was == recovering ? HoldChange.None : recovering ? HoldChange.Began : HoldChange.Ended;
        }
    }

    private void Answered(bool probe)
    {
        failures = 0;
        if (probe)
            (recovering, announced) = (false, default);
    }

    // Under much traffic the circuit judges by the share of failures, and sooner. Here they count only over the time between two probes; and what
    // fails on one family again and again says nothing about the others: whoever asks for it pauses by itself.
    private bool ShowsAnOutage(int subject)
    {
        if (recovering)
            return false;
        var now = time.GetUtcNow();
        if (failures == 0 || now - failedAt > InARowWithin)
            (failures, failingSince) = (1, now);
        else if (subject != failedSubject)
            failures++;
        (failedSubject, failedAt) = (subject, now);
        return failures >= FailuresToHold && now - failingSince >= BetweenProbes;
    }

    private void HoldFor(TimeSpan wait, bool probe)
    {
        var now = time.GetUtcNow();
        var next = now + (!probe && wait < BetweenProbes ? wait : BetweenProbes);
        if (next > nextProbe)
            nextProbe = next;
        if (now + wait > announced)
            announced = now + wait;
        recovering = true;
    }

    private TimeSpan? RemainingLocked()
    {
        var now = time.GetUtcNow();
        TimeSpan? blocked = now < nextProbe ? nextProbe - now : recovering && probing ? WhileProbing : null;
        return blocked is { } least && announced - now > least ? announced - now : blocked;
    }
}
