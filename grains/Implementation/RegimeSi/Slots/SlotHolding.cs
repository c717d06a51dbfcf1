namespace DroitsAmeli.Grains.RegimeSi;

/// <summary>
/// What a silo may use of the cluster's slots, what it uses, and what it says of that to the keeper. A call begins only while the lease still
/// covers its whole time-out and what comes after, so no slot is used after its lease. Not thread-safe.
/// </summary>
public sealed class SlotHolding
{
    private readonly string silo;
    private readonly int cap;
    private readonly int batch;
    private readonly TimeSpan longestCall;
    private readonly TimeProvider time;

    private int held;
    private int allowance;
    private int lastWanted;
    private long sequence;
    private long voidUpTo;
    private long startBefore;

    /// <param name="silo">The name under which this silo holds slots, unique to this run of it.</param>
    /// <param name="options">The cap and the time-out.</param>
    /// <param name="time">The clock of the leases.</param>
    public SlotHolding(string silo, RegimeSiOptions options, TimeProvider time)
    {
        this.silo = silo;
        this.time = time;
        cap = options.MaxConcurrentCalls;
        longestCall = options.LongestCall;

        // A batch spares a question for each call. It is small, because what stays free of it is lost to the other silos meanwhile.
        batch = Math.Clamp(cap / 8, 1, 8);
        startBefore = time.GetTimestamp();
    }

    /// <summary>Calls that have begun and not ended.</summary>
    public int InUse { get; private set; }

    /// <summary>True when a call may begin now.</summary>
    public bool CanStart => InUse < allowance && time.GetTimestamp() < startBefore;

    /// <summary>True when the keeper asked slots back that are now free.</summary>
    public bool OwesFreeSlots => held > allowance && InUse <= allowance;

    /// <summary>How long a call may still begin.</summary>
    public TimeSpan StartsFor => time.GetElapsedTime(time.GetTimestamp(), startBefore);

    /// <summary>A call begins.</summary>
    public void Start() => InUse++;

    /// <summary>A call has ended.</summary>
    public void End() => InUse--;

    /// <summary>True when more is wanted now than the last request said.</summary>
    public bool WantsMore(int waiting) => Wanted(waiting) > lastWanted;

    /// <summary>True when the keeper lent less than it was asked for: it may have more by now.</summary>
    public bool WasGivenLess => allowance < lastWanted;

    /// <summary>The next question to the keeper; what it gives back is given up here first.</summary>
    public SlotRequest Ask(int waiting, bool last)
    {
        lastWanted = last ? 0 : Wanted(waiting);
        allowance = Math.Min(allowance, lastWanted);
        if (time.GetTimestamp() >= startBefore)
            allowance = Math.Min(allowance, InUse);
        held = Math.Max(InUse, allowance);
        return new SlotRequest(silo, ++sequence, held, lastWanted, Math.Min(cap, InUse + waiting));
    }

    /// <summary>The keeper's answer to a request that was sent at that timestamp; nothing when a new keeper asked meanwhile.</summary>
    public void Take(SlotRequest request, SlotGrant grant, long sentAt)
    {
        if (request.Sequence <= voidUpTo)
            return;
        allowance = grant.Allowance;
        held = Math.Max(InUse, allowance);
        startBefore = sentAt + (long)((grant.Lease - longestCall).TotalSeconds * time.TimestampFrequency);
    }

    /// <summary>What is held; answers to questions asked before are void from now on.</summary>
    public SlotReport Report()
    {
        voidUpTo = sequence;
        return new SlotReport(silo, sequence, Math.Max(held, InUse), null);
    }

    private int Wanted(int waiting) => Math.Min(cap, ((InUse + waiting) / batch + 1) * batch);
}
