namespace DroitsAmeli.Grains.RegimeSi;

/// <summary>The waiting calls of one rank: conventions take turns, one call each, and each convention's calls go in order. Not thread-safe.</summary>
internal sealed class SlotLine(TimeProvider time)
{
    private readonly LinkedList<Turn> turns = [];
    private readonly Dictionary<string, LinkedListNode<Turn>> byConvention = new(StringComparer.Ordinal);

    public int Count { get; private set; }

    public SlotPace Pace { get; } = new(time);

    /// <summary>The call that begins the first turn.</summary>
    public SlotWaiter First => turns.First!.Value.Calls.First!.Value;

    /// <summary>How many calls start before one that this convention would add now.</summary>
    public int StartsBefore(string convention)
    {
        var own = byConvention.TryGetValue(convention, out var mine) ? mine.Value.Calls.Count : 0;
        var before = own;
        var ahead = mine is not null;
        foreach (var turn in turns)
        {
            if (turn == mine?.Value)
                ahead = false;
            else
                before += Math.Min(turn.Calls.Count, ahead || mine is null ? own + 1 : own);
        }
        return before;
    }

    public void Add(SlotWaiter waiter)
    {
        if (!byConvention.TryGetValue(waiter.Convention, out var turn))
            byConvention.Add(waiter.Convention, turn = turns.AddLast(new Turn(waiter.Convention)));
        waiter.Place = turn.Value.Calls.AddLast(waiter);
        if (++Count == 1)
            Pace.Begin();
    }

    /// <summary>Takes a call out that does not start.</summary>
    public void Remove(SlotWaiter waiter) => TakeOut(waiter, byConvention[waiter.Convention]);

    /// <summary>The convention's first call; null when none waits here.</summary>
    public SlotWaiter? FirstOf(string convention) => byConvention.TryGetValue(convention, out var turn) ? turn.Value.Calls.First!.Value : null;

    /// <summary>Takes out a call that starts; its convention's next one goes after those of the others.</summary>
    public void Start(SlotWaiter waiter)
    {
        var turn = byConvention[waiter.Convention];
        if (TakeOut(waiter, turn))
        {
            turns.Remove(turn);
            turns.AddLast(turn);
        }
        Pace.Started();
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

    private bool TakeOut(SlotWaiter waiter, LinkedListNode<Turn> turn)
    {
        turn.Value.Calls.Remove(waiter.Place!);
        waiter.Place = null;
        Count--;
        if (turn.Value.Calls.Count > 0)
            return true;
        turns.Remove(turn);
        byConvention.Remove(turn.Value.Convention);
        return false;
    }

    private sealed class Turn(string convention)
    {
        public string Convention => convention;

        public LinkedList<SlotWaiter> Calls { get; } = [];
    }
}
