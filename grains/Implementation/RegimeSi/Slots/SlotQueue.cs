using System.Diagnostics.CodeAnalysis;

namespace DroitsAmeli.Grains.RegimeSi;

/// <summary>
/// Waiting calls. Of the conventions whose users wait, the one with the fewest starts lately is next, so that the flood of one costs the others
/// nothing; a convention's calls go by rank, then in order. Then come those for whom nobody waits, by rank; one start in 32 is theirs, so that a long peak does not end
/// with a cache that has grown old behind it. Not thread-safe.
/// </summary>
internal sealed class SlotQueue(TimeProvider time)
{
    private const int StartsForOneBehind = 32;
    private const double LatelySeconds = 5;

    private readonly SlotLine[] lines = [.. Enum.GetValues<SlotRank>().Select(_ => new SlotLine(time))];
    private readonly LinkedList<string> turns = [];
    private readonly Dictionary<string, int> waiting = new(StringComparer.Ordinal);
    private readonly Dictionary<string, (double Starts, long At)> lately = new(StringComparer.Ordinal);
    private int passedOver;

    public int Count { get; private set; }

    /// <summary>How long such a call would wait; null when nobody waits before it in its line, or too little was seen to say.</summary>
    public TimeSpan? Wait(SlotWaiter waiter) => lines[(int)waiter.Rank].Wait(waiter.Convention);

    public void Add(SlotWaiter waiter)
    {
        lines[(int)waiter.Rank].Add(waiter);
        Count++;
        if (!IsPresent(waiter.Rank))
            return;
        if (!waiting.TryGetValue(waiter.Convention, out var others))
            turns.AddLast(waiter.Convention);
        waiting[waiter.Convention] = others + 1;
    }

    /// <summary>Takes a call out that does not start; false when it no longer waits.</summary>
    public bool Remove(SlotWaiter waiter)
    {
        if (waiter.Place is null)
            return false;
        lines[(int)waiter.Rank].Remove(waiter);
        Left(waiter);
        return true;
    }

    /// <summary>Whose turn it is.</summary>
    public bool TryPeek([NotNullWhen(true)] out SlotWaiter? waiter)
    {
        waiter = Count > 0 ? Next() : null;
        return waiter is not null;
    }

    /// <summary>Takes a call out that starts: the one whose turn it was a moment ago, even where it no longer is.</summary>
    public void Start(SlotWaiter waiter)
    {
        lines[(int)waiter.Rank].Start(waiter);
        Left(waiter);
        if (IsPresent(waiter.Rank))
        {
            lately[waiter.Convention] = (StartsLately(waiter.Convention) + 1, time.GetTimestamp());
            if (turns.Remove(waiter.Convention))
                turns.AddLast(waiter.Convention);
        }
        passedOver = IsPresent(waiter.Rank) && FirstBehind() is not null ? passedOver + 1 : 0;
    }

    /// <summary>Takes out the call that would be served last.</summary>
    public SlotWaiter RemoveLast()
    {
        var waiter = lines.Last(line => line.Count > 0).RemoveLast();
        Left(waiter);
        return waiter;
    }

    private static bool IsPresent(SlotRank rank) => rank < SlotRank.Evenement;

    private SlotWaiter Next() =>
        (passedOver >= StartsForOneBehind - 1 ? FirstBehind() : null)
        ?? (turns.Count > 0 ? FirstOf(turns.MinBy(StartsLately)!) : FirstBehind()!);

    private double StartsLately(string convention) => lately.TryGetValue(convention, out var known)
        ? known.Starts * Math.Exp(-time.GetElapsedTime(known.At).TotalSeconds / LatelySeconds)
        : 0;

    private SlotWaiter FirstOf(string convention) =>
        lines[..(int)SlotRank.Evenement].Select(line => line.FirstOf(convention)).First(waiter => waiter is not null)!;

    private SlotWaiter? FirstBehind() => lines[(int)SlotRank.Evenement..].FirstOrDefault(line => line.Count > 0)?.First;

    private void Left(SlotWaiter waiter)
    {
        Count--;
        if (!IsPresent(waiter.Rank))
            return;
        if (--waiting[waiter.Convention] > 0)
            return;
        waiting.Remove(waiter.Convention);
        turns.Remove(waiter.Convention);
    }
}
