namespace DroitsAmeli.Grains.RegimeSi;

/// <summary>The waiting calls of one rank, in order for each convention; whose turn it is, <see cref="SlotQueue"/> says. Not thread-safe.</summary>
internal sealed class SlotLine(TimeProvider time)
{
    private readonly LinkedList<Turn> turns = [];
    private readonly Dictionary<string, LinkedListNode<Turn>> byConvention = new(StringComparer.Ordinal);

    // Of each convention that ever waited here: the conventions are few.
    private readonly Dictionary<string, SlotPace> paces = new(StringComparer.Ordinal);

    public int Count { get; private set; }

    /// <summary>The first call of the convention that has waited here longest.</summary>
    public SlotWaiter First => turns.First!.Value.Calls.First!.Value;

    /// <summary>How long a call waits that this convention would add now; null when none of its own waits here, or too little was seen to say.</summary>
    public TimeSpan? Wait(string convention) =>
        byConvention.TryGetValue(convention, out var turn) ? paces[convention].Wait(turn.Value.Calls.Count) : null;

    public void Add(SlotWaiter waiter)
    {
        if (!byConvention.TryGetValue(waiter.Convention, out var turn))
        {
            byConvention.Add(waiter.Convention, turn = turns.AddLast(new Turn(waiter.Convention)));
            if (!paces.TryGetValue(waiter.Convention, out var pace))
                paces.Add(waiter.Convention, pace = new SlotPace(time));
            pace.Begin();
        }
        waiter.Place = turn.Value.Calls.AddLast(waiter);
        Count++;
    }

    /// <summary>Takes a call out that does not start.</summary>
    public void Remove(SlotWaiter waiter) => TakeOut(waiter, byConvention[waiter.Convention]);

    /// <summary>The convention's first call; null when none waits here.</summary>
    public SlotWaiter? FirstOf(string convention) => byConvention.TryGetValue(convention, out var turn) ? turn.Value.Calls.First!.Value : null;

    /// <summary>Takes out a call that starts.</summary>
    public void Start(SlotWaiter waiter)
    {
        Remove(waiter);
        paces[waiter.Convention].Started();
    }

    /// <summary>Takes out the last call of the convention that has most of them.</summary>
    public SlotWaiter RemoveLast()
    {
        var longest = turns.Last!;
        for (var turn = turns.Last; turn is not null; turn = turn.Previous)
        {
            if (turn.Value.Calls.Count > longest.Value.Calls.Count)
                longest = turn;
        }
        var waiter = longest.Value.Calls.Last!.Value;
        TakeOut(waiter, longest);
        return waiter;
    }

    private void TakeOut(SlotWaiter waiter, LinkedListNode<Turn> turn)
    {
        turn.Value.Calls.Remove(waiter.Place!);
        waiter.Place = null;
        Count--;
        if (turn.Value.Calls.Count > 0)
            return;
        turns.Remove(turn);
        byConvention.Remove(turn.Value.Convention);
    }

    private sealed class Turn(string convention)
    {
        public string Convention => convention;

        public LinkedList<SlotWaiter> Calls { get; } = [];
    }
}
