namespace DroitsAmeli.Grains.RegimeSi;

/// <summary>
/// Who may use how many of the cluster's slots, and until when. Never are more than the cap out at once, as long as every holder stops using
/// what it holds when its lease ends. When they are scarce each holder gets an equal share, none more than it has calls for.
/// </summary>
/// <param name="cap">Slots in all.</param>
/// <param name="lease">How long a holder may use what it was lent, from the moment it asked.</param>
/// <param name="time">The clock of the leases; durations only, so holders need not share it.</param>
public sealed class SlotLedger(int cap, TimeSpan lease, TimeProvider time)
{
    /// <summary>How long a slot stays before it travels, when there are more silos than slots: travelling costs some of its use.</summary>
    private static readonly TimeSpan Tenure = TimeSpan.FromMilliseconds(500);

    /// <summary>What a holder said of its calls is not believed for longer while others lack slots.</summary>
    private static readonly TimeSpan Believed = TimeSpan.FromMilliseconds(100);

    private readonly Dictionary<string, Entry> entries = new(StringComparer.Ordinal);
    private int withheld;
    private long withheldUntil;

    /// <summary>Slots that may be in use now.</summary>
    public int Outstanding
    {
        get
        {
            Expire();
            return entries.Values.Sum(entry => entry.Outstanding);
        }
    }

    /// <summary>Renews what a holder holds, lends it more, or asks some of it back.</summary>
    /// <param name="holder">Who asks.</param>
    /// <param name="sequence">Grows with each question of that holder; an overtaken question gets nothing.</param>
    /// <param name="held">The most that the holder can be using.</param>
    /// <param name="wanted">What it would like to hold.</param>
    /// <param name="needed">How much of that it has calls for; null: all.</param>
    /// <returns>What the holder may use; less than <paramref name="held"/> when it must give back.</returns>
    public SlotGrant Renew(string holder, long sequence, int held, int wanted, int? needed = null)
    {
        Expire();
        entries.TryGetValue(holder, out var known);
        if (known is not null && sequence <= known.Sequence)
            return new SlotGrant(0, TimeSpan.Zero);

        var now = time.GetTimestamp();
        var entry = new Entry
        {
            Outstanding = held,
            Wanted = Math.Max(0, wanted),
            Needed = Math.Clamp(needed ?? wanted, 0, Math.Max(0, wanted)),
            Sequence = sequence,
            ExpiresAt = After(now, lease),
            AskedAt = now,
            Since = known is not null && known.Outstanding > 0 == held > 0 ? known.Since : now,
        };
        entries[holder] = entry;

        var free = Math.Max(0, cap - Withheld(now) - entries.Values.Sum(other => other.Outstanding));
        var allowance = Math.Min(Shares()[entry], held + free);
        if (allowance > held)
        {
            entry.Outstanding = allowance;
            if (held == 0)
                entry.Since = now;
        }
        return new SlotGrant(allowance, lease);
    }

    /// <summary>
    /// Those who should ask again because another lacks slots: they hold more than their share, or have long not said how many calls they
    /// have. Each is named once until it asks.
    /// </summary>
    public IReadOnlyList<string> Recall()
    {
        var (shares, now) = (Shares(), time.GetTimestamp());
        var recalled = entries.Where(IsDue).ToList();
        foreach (var (_, entry) in recalled)
            entry.Recalled = true;
        return recalled.ConvertAll(entry => entry.Key);

        bool IsDue(KeyValuePair<string, Entry> known) => known.Value is { Recalled: false, Outstanding: > 0 } entry
            && (entry.Outstanding > shares[entry] || time.GetElapsedTime(entry.AskedAt, now) >= Believed);
    }

    /// <summary>Notes what a holder says it holds, without lending anything.</summary>
    public void Adopt(string holder, long sequence, int held)
    {
        var now = time.GetTimestamp();
        entries[holder] = new Entry { Outstanding = held, Wanted = held, Needed = held, Sequence = sequence, ExpiresAt = After(now, lease), AskedAt = now, Since = now };
    }

    /// <summary>Keeps back, for one lease, all that is not known to be held: somebody who cannot be asked may still use it.</summary>
    public void WithholdRest()
    {
        withheld = Math.Max(0, cap - Outstanding);
        withheldUntil = After(time.GetTimestamp(), lease);
    }

    /// <summary>What another ledger needs to go on; leases run on from when it reads this.</summary>
    public SlotLedgerState Save()
    {
        Expire();
        var now = time.GetTimestamp();
        return new SlotLedgerState
        {
            Holders = [.. entries.Select(entry => new SlotHolder
            {
                Name = entry.Key,
                Outstanding = entry.Value.Outstanding,
                Wanted = entry.Value.Wanted,
                Needed = entry.Value.Needed,
                Sequence = entry.Value.Sequence,
                Remaining = time.GetElapsedTime(now, entry.Value.ExpiresAt),
            })],
            Withheld = Withheld(now),
            WithheldFor = Withheld(now) > 0 ? time.GetElapsedTime(now, withheldUntil) : TimeSpan.Zero,
        };
    }

    /// <summary>
    /// Notes who held what by the copy of a ledger that is lost, for as long as their leases still run. What they would like to hold by now,
    /// nobody knows: it is theirs again when they ask.
    /// </summary>
    /// <param name="copy">What the lost ledger saved.</param>
    /// <param name="age">How long ago.</param>
    public void Recover(SlotLedgerState copy, TimeSpan age) => Load(copy with
    {
        Holders = [.. copy.Holders.Where(holder => holder.Remaining > age).Select(holder => holder with { Remaining = holder.Remaining - age, Wanted = 0, Needed = 0 })],
        WithheldFor = copy.WithheldFor > age ? copy.WithheldFor - age : TimeSpan.Zero,
    });

    /// <summary>Goes on from what another ledger saved.</summary>
    public void Load(SlotLedgerState state)
    {
        var now = time.GetTimestamp();
        foreach (var holder in state.Holders)
        {
            entries[holder.Name] = new Entry
            {
                Outstanding = holder.Outstanding,
                Wanted = holder.Wanted,
                Needed = holder.Needed,
                Sequence = holder.Sequence,
                ExpiresAt = After(now, holder.Remaining),
                AskedAt = now,
                Since = now,
            };
        }
        withheld = state.Withheld;
        withheldUntil = After(now, state.WithheldFor);
    }

    private int Withheld(long now) => now < withheldUntil ? withheld : 0;

    // What is needed comes before what is merely kept ready. Of each the small demands first, each at most an equal part of what is left.
    private Dictionary<Entry, int> Shares()
    {
        var available = cap - Withheld(time.GetTimestamp());
        var needy = entries.Values.Where(entry => entry.Needed > 0).ToList();
        var shares = entries.Values.ToDictionary(entry => entry, _ => 0);
        if (needy.Count > available)
        {
            TakeTurns(shares, needy, available);
            return shares;
        }

        available -= Divide(shares, needy, entry => entry.Needed, available);
        Divide(shares, [.. entries.Values], entry => entry.Wanted - entry.Needed, available);
        return shares;
    }

    // With more holders than slots, a free one goes to whoever has waited longest, and those who have held longest, beyond a while, make
    // room for the others that wait: the slots travel.
    private void TakeTurns(Dictionary<Entry, int> shares, List<Entry> needy, int available)
    {
        var now = time.GetTimestamp();
        var holding = needy.Where(entry => entry.Outstanding > 0).OrderBy(entry => entry.Since).ToList();
        var waiting = needy.Where(entry => entry.Outstanding == 0 && time.GetElapsedTime(entry.AskedAt, now) < SlotTiming.StillAsks)
            .OrderBy(entry => entry.Since).ToList();
        var free = Math.Clamp(available - entries.Values.Sum(entry => entry.Outstanding), 0, waiting.Count);
        foreach (var entry in waiting.Take(free))
            shares[entry] = 1;

        var leaving = holding.TakeWhile(entry => time.GetElapsedTime(entry.Since, now) >= Tenure).Take(waiting.Count - free).Count();
        foreach (var entry in holding.Skip(leaving).Take(available))
            shares[entry] = 1;
    }

    private static int Divide(Dictionary<Entry, int> shares, List<Entry> among, Func<Entry, int> demand, int available)
    {
        var divided = 0;
        among.Sort((a, b) => demand(a) != demand(b) ? demand(a).CompareTo(demand(b)) : a.Since.CompareTo(b.Since));
        for (var i = 0; i < among.Count; i++)
        {
            var share = Math.Min(demand(among[i]), (available - divided) / (among.Count - i));
            shares[among[i]] += share;
            divided += share;
        }
        return divided;
    }

    private long After(long now, TimeSpan duration) => now + (long)(duration.TotalSeconds * time.TimestampFrequency);

    private void Expire()
    {
        var now = time.GetTimestamp();
        foreach (var (holder, entry) in entries)
        {
            if (entry.ExpiresAt <= now)
                entries.Remove(holder);
        }
    }

    private sealed class Entry
    {
        public required int Outstanding { get; set; }
        public required int Wanted { get; init; }
        public required int Needed { get; init; }
        public required long Sequence { get; init; }
        public required long ExpiresAt { get; init; }

        public required long AskedAt { get; init; }

        /// <summary>When it began to hold, or to wait.</summary>
        public required long Since { get; set; }

        /// <summary>It was told since it last asked.</summary>
        public bool Recalled { get; set; }
    }
}
