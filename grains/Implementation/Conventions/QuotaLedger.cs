namespace DroitsAmeli.Grains.Conventions;

/// <summary>What all front ends have taken of one window of a convention's quota.</summary>
public sealed class QuotaLedger(Func<DateTimeOffset, QuotaWindow> windowAt)
{
    private const int SharesLeft = 16;
    private const int LargestShare = 1000;

    private readonly Dictionary<Guid, LedgerEntry> entries = [];
    private long window = long.MinValue;

    /// <summary>Records a front end's account, before anything is handed out.</summary>
    /// <returns>Calls that nobody has taken yet, or null when a later request of the front end was already served.</returns>
    public int? Record(QuotaClaim claim, Guid frontEnd, long sequence, DateTimeOffset now)
    {
        Advance(now);
        if (entries.TryGetValue(frontEnd, out var known) && known.Sequence >= sequence)
            return null;

        entries[frontEnd] = new LedgerEntry(claim.Window == window ? claim.Taken : 0, sequence);
        return (int)Math.Max(0, claim.Limit - entries.Values.Sum(entry => (long)entry.Taken));
    }

    /// <summary>
    /// Hands out what waits, and a small share of the rest: the share shrinks to one call as the window fills, so that no front end
    /// sits on calls that another could use.
    /// </summary>
    public QuotaGrant Grant(int wanted, int left, Guid frontEnd, DateTimeOffset now)
    {
        var share = Math.Clamp(left / SharesLeft, 1, LargestShare);
        var granted = wanted == 0 ? 0 : Math.Min(left, Math.Max(wanted, share));
        if (granted > 0)
            entries[frontEnd] = entries[frontEnd] with { Taken = entries[frontEnd].Taken + granted };
        return Status(left - granted, now) with { Granted = granted };
    }

    /// <summary>The present window, with nothing handed out.</summary>
    public QuotaGrant Status(int left, DateTimeOffset now) =>
        new() { Window = window, EndsIn = windowAt(now).End - now, Granted = 0, Left = left };

    /// <summary>The state that moves with the grain.</summary>
    public LedgerState Save() => new(window, new Dictionary<Guid, LedgerEntry>(entries));

    /// <summary>Takes up the state that came with the grain.</summary>
    public void Restore(LedgerState state)
    {
        window = state.Window;
        entries.Clear();
        foreach (var (frontEnd, entry) in state.Entries)
            entries[frontEnd] = entry;
    }

    // A clock that is set back, or another silo's slower one, does not open a window again.
    private void Advance(DateTimeOffset now)
    {
        var present = windowAt(now).Id;
        if (present <= window)
            return;
        window = present;
        entries.Clear();
    }
}

/// <summary>What one front end has taken, as of its request of that number.</summary>
[GenerateSerializer, Immutable, Alias("droits.quota-entry")]
public readonly record struct LedgerEntry([property: Id(0)] int Taken, [property: Id(1)] long Sequence);

/// <summary>A ledger on the move from one silo to another.</summary>
[GenerateSerializer, Immutable, Alias("droits.quota-ledger")]
public sealed record LedgerState([property: Id(0)] long Window, [property: Id(1)] Dictionary<Guid, LedgerEntry> Entries);
