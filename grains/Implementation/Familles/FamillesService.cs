using DroitsAmeli.Grains.Evenements;
using DroitsAmeli.Grains.Storage;
using Microsoft.Extensions.Logging;
using Orleans.Runtime.Services;

namespace DroitsAmeli.Grains.Familles;

/// <summary>Reaches the families of this silo, and lets go of what has become too old for anybody.</summary>
internal sealed class FamillesService(
    GrainId id,
    Orleans.Runtime.Silo silo,
    ILoggerFactory loggers,
    IGrainFactory grains,
    FamilleIndex index,
    RecentEvenements recent,
    Ordres ordres,
    SnapshotStore store,
    TimeProvider time) : GrainService(id, silo, loggers), IFamillesService
{
    private const int AtOnce = 256;

    private static readonly TimeSpan BetweenSweeps = TimeSpan.FromMinutes(1);

    private readonly GrainType type = grains.GetGrain<IFamilleGrain>(FamilleKey.Of("")).GetGrainId().Type;
    private ITimer? sweeps;

    /// <inheritdoc/>
    public override async Task Start()
    {
        sweeps = time.CreateTimer(_ => Sweep(), null, BetweenSweeps, BetweenSweeps);
        await base.Start();
    }

    /// <inheritdoc/>
    public override async Task Stop()
    {
        if (sweeps is not null)
            await sweeps.DisposeAsync();
        await base.Stop();
    }

    /// <inheritdoc/>
    public async Task<string[]> Announce(Evenement[] evenements)
    {
        recent.Add(evenements);

        var families = new Dictionary<GrainId, string>(evenements.Length);
        var held = new HashSet<string>(StringComparer.Ordinal);
        var told = new List<Task>();
        foreach (var (famille, version) in evenements)
        {
            var grain = IdOf(famille);
            families[grain] = famille;
            if (index.Find(grain) is not { } active)
                continue;
            told.Add(active.Announce(version));
            held.Add(famille);
        }

        // What a family was about to save without the version is on its way to the store by then, as a first row of one that has just left may be.
        await Task.WhenAll(told).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing | ConfigureAwaitOptions.ContinueOnCapturedContext);
        var settled = await store.Settle(families.Keys, CancellationToken.None);
        foreach (var grain in settled.Waited)
            held.Add(families[grain]);

        // A write that failed here may come through there, after the store was told of the version.
        foreach (var grain in settled.Failed)
            index.Find(grain)?.SaveAgain();
        return [.. held];
    }

    /// <inheritdoc/>
    public async Task<int> Obey(Ordre ordre)
    {
        // In force first: what comes to rest or wakes meanwhile is judged by it.
        ordres.Add(ordre);
        ordre = ordre.Understood;
        var (asked, concerned) = (0, 0);
        foreach (var active in Addressed(ordre))
        {
            // Those at rest obey at once, and they are many: what is announced must not wait for all of them.
            if (++asked % AtOnce == 0)
                await Task.Yield();
            if (await active.Obey(ordre))
                concerned++;
        }

        return concerned;
    }

    /// <inheritdoc/>
    public async Task<FamilleState?> Look(string famille) => index.Find(IdOf(famille)) is { } active ? await active.Look() : null;

    private IEnumerable<FamilleGrain> Addressed(Ordre ordre) =>
        ordre.Famille is not { } famille ? index.All
        : index.Find(IdOf(famille)) is { } active ? [active]
        : [];

    private GrainId IdOf(string famille) => GrainId.Create(type, FamilleKey.Of(famille));

    private void Sweep()
    {
        var now = time.GetUtcNow();
        foreach (var active in index.All)
            active.DropExpired(now);
    }
}

/// <summary>Reaches the <see cref="FamillesService"/> of a given silo.</summary>
internal sealed class FamillesServiceClient(IServiceProvider services) : GrainServiceClient<IFamillesService>(services)
{
    /// <summary>The families of that silo.</summary>
    public IFamillesService On(SiloAddress silo) => GetGrainService(silo);
}
