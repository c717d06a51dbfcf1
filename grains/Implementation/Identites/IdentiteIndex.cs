using System.Collections.Concurrent;

namespace DroitsAmeli.Grains.Identites;

/// <summary>The identities that are remembered on this silo.</summary>
internal sealed class IdentiteIndex
{
    private readonly ConcurrentDictionary<IdentiteGrain, byte> active = new();

    public void Add(IdentiteGrain identite) => active[identite] = 0;

    public void Remove(IdentiteGrain identite) => active.TryRemove(identite, out _);

    /// <summary>Lets go of the identities that are remembered no longer at that instant.</summary>
    public void DropExpired(DateTimeOffset now)
    {
        foreach (var (identite, _) in active)
            identite.DropExpired(now);
    }

    /// <summary>Forgets what the SI said in a quarantine.</summary>
    /// <returns>How many identities were forgotten.</returns>
    public int ForgetQuarantined() => active.Count(known => known.Key.ForgetQuarantined());
}
