using System.Collections.Concurrent;

namespace DroitsAmeli.Grains.Familles;

/// <summary>The families that are active on this silo, so that one call reaches them all.</summary>
internal sealed class FamilleIndex
{
    private readonly ConcurrentDictionary<GrainId, FamilleGrain> active = new();

    public void Add(FamilleGrain famille) => active[famille.GetGrainId()] = famille;

    public void Remove(FamilleGrain famille) => active.TryRemove(new KeyValuePair<GrainId, FamilleGrain>(famille.GetGrainId(), famille));

    public FamilleGrain? Find(GrainId id) => active.GetValueOrDefault(id);

    /// <summary>All, without a copy of them and without holding up who comes or goes.</summary>
    public IEnumerable<FamilleGrain> All => active.Select(known => known.Value);
}
