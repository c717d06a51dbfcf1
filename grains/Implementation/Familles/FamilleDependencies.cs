using DroitsAmeli.Grains.Evenements;
using DroitsAmeli.Grains.RegimeSi;
using DroitsAmeli.Grains.Storage;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace DroitsAmeli.Grains.Familles;

/// <summary>What all families of a silo use: one reference in each grain instead of ten.</summary>
internal sealed class FamilleDependencies(
    RegimeSiClient si,
    IOptions<FreshnessOptions> freshness,
    IOptions<FamilleOptions> options,
    TimeProvider time,
    SnapshotStore store,
    Ordres ordres,
    FamilleIndex index,
    RecentEvenements recent,
    AnnouncedRefreshes announcedRefreshes,
    ISiloStatusOracle silos,
    ILogger<FamilleGrain> logger)
{
    public RegimeSiClient Si => si;

    public FreshnessOptions Freshness => freshness.Value;

    public FamilleOptions Options => options.Value;

    public TimeProvider Time => time;

    public SnapshotStore Store => store;

    public Ordres Ordres => ordres;

    public FamilleIndex Index => index;

    public RecentEvenements Recent => recent;

    public AnnouncedRefreshes AnnouncedRefreshes => announcedRefreshes;

    public ISiloStatusOracle Silos => silos;

    public ILogger<FamilleGrain> Logger => logger;
}
