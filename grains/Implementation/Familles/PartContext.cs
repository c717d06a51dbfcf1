namespace DroitsAmeli.Grains.Familles;

/// <summary>What the parts of one family share.</summary>
internal sealed class PartContext(GrainId famille, FreshnessOptions freshness, TimeProvider time, Ordres ordres)
{
    public FreshnessOptions Freshness => freshness;

    public DateTimeOffset Now => time.GetUtcNow();

    public TimeProvider Time => time;

    /// <summary>The newest version of the family that any of its parts has shown, or the SI has announced.</summary>
    public long Newest { get; private set; }

    /// <summary>The newest version that the SI has announced.</summary>
    public long Announced { get; private set; }

    /// <summary>Called when <see cref="IsDirty"/> becomes true.</summary>
    public Action? OnDirty { get; set; }

    /// <summary>Called when a part has let go of a copy because an order forgets it: with the instants the SI confirmed and gave it.</summary>
    public Action<DateTimeOffset, DateTimeOffset>? OnForgotten { get; set; }

    /// <summary>True once the SI has refused a part of which a copy may be stored.</summary>
    public bool IsRefused { get; set; }

    /// <summary>True once a part holds what the snapshot at rest does not.</summary>
    public bool IsDirty
    {
        get;
        set
        {
            var became = value && !field;
            field = value;
            if (became)
                OnDirty?.Invoke();
        }
    }

    public void Advance(long version)
    {
        if (version <= Newest)
            return;
        Newest = version;
        IsDirty = true;
    }

    /// <summary>The SI has announced a version. That alone is no reason to save: the feed raises what is stored.</summary>
    public void Announce(long version)
    {
        Announced = Math.Max(Announced, version);
        Newest = Math.Max(Newest, version);
    }

    /// <summary>Nothing but what the SI has announced counts as shown any more.</summary>
    public void ForgetShown()
    {
        Newest = Announced;
        IsDirty = true;
    }

    public bool IsForgotten(DateTimeOffset loadedAt) => ordres.IsForgotten(loadedAt, famille);

    /// <inheritdoc cref="Ordres.KeptFrom"/>
    public DateTimeOffset KeptFrom() => ordres.KeptFrom(Now, famille);

    public bool IsStale(DateTimeOffset loadedAt) => ordres.IsStale(loadedAt, famille, Now);
}
