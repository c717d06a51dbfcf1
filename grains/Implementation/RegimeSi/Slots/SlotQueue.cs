using System.Diagnostics.CodeAnalysis;

namespace DroitsAmeli.Grains.RegimeSi;

/// <summary>
/// Waiting calls: by rank, then fair between conventions, then in order. One start in 32 goes to those for whom nobody waits, so that a long
/// peak does not end with a cache that has grown old behind it. Not thread-safe.
/// </summary>
internal sealed class SlotQueue(TimeProvider time)
{
    private const int StartsForOneBehind = 32;

    private readonly SlotLine[] lines = [.. Enum.GetValues<SlotRank>().Select(_ => new SlotLine(time))];
    private int passedOver;

    public int Count { get; private set; }

    /// <summary>How long such a call would wait; null when nobody waits before it, or too little was seen to say.</summary>
    public TimeSpan? Wait(SlotWaiter waiter)
    {
        var line = lines[(int)waiter.Rank];
        return line.StartsBefore(waiter.Convention) is > 0 and var before ? line.Pace.Wait(before) : null;
    }

    public void Add(SlotWaiter waiter)
    {
        lines[(int)waiter.Rank].Add(waiter);
        Count++;
    }

    /// <summary>Takes a call out that does not start; false when it no longer waits.</summary>
    public bool Remove(SlotWaiter waiter)
    {
        if (waiter.Place is null)
            return false;
        lines[(int)waiter.Rank].Remove(waiter);
        Count--;
        return true;
    }

    /// <summary>Whose turn it is.</summary>
    public bool TryPeek([NotNullWhen(true)] out SlotWaiter? waiter)
    {
        waiter = Count > 0 ? Next().First : null;
        return waiter is not null;
    }

    /// <summary>Takes out the call whose turn it is, to start it.</summary>
    public SlotWaiter Start()
    {
        var line = Next();
        var waiter = line.Start();
        Count--;
        passedOver = waiter.Rank < SlotRank.Evenement && FirstOf(SlotRank.Evenement) is not null ? passedOver + 1 : 0;
        return waiter;
    }

    /// <summary>Takes out the call that would be served last.</summary>
    public SlotWaiter RemoveLast()
    {
        Count--;
        return lines.Last(line => line.Count > 0).RemoveLast();
    }

    private SlotLine Next() =>
        (passedOver >= StartsForOneBehind - 1 ? FirstOf(SlotRank.Evenement) : null) ?? FirstOf(SlotRank.LastOfVisit)!;

    private SlotLine? FirstOf(SlotRank from)
    {
        for (var rank = (int)from; rank < lines.Length; rank++)
        {
            if (lines[rank].Count > 0)
                return lines[rank];
        }
        return null;
    }
}
