using DroitsAmeli.Grains.Exploitation;
using DroitsAmeli.Grains.Familles;
using DroitsAmeli.Grains.FranceConnect;
using DroitsAmeli.Grains.Identites;
using DroitsAmeli.Grains.RegimeSi;
using DroitsAmeli.Grains.Storage;
using DroitsAmeli.Tests.Cluster.FranceConnect;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Time.Testing;
using Orleans.TestingHost;
using Xunit;

namespace DroitsAmeli.Tests.Cluster;

/// <summary>
/// One silo with the product's grains on a fake clock, in front of a fake régime SI and the FranceConnect simulator over real HTTP.
/// </summary>
public class DroitsCluster : IAsyncLifetime
{
    /// <summary>What the régime SI serves at once.</summary>
    public const int SiCalls = 64;

    public static readonly DateTimeOffset Start = new(2026, 11, 23, 9, 0, 0, TimeSpan.Zero);

    private readonly string hmacKeyFile = Path.GetTempFileName();
    private InProcessTestCluster? cluster;

    public FakeTimeProvider Time { get; } = new(Start);

    public FakeRegimeSi Si { get; private set; } = null!;

    public SimulatedFranceConnect FranceConnect { get; private set; } = null!;

    public IClusterClient Client => cluster!.Client;

    /// <summary>The families of the first silo.</summary>
    internal IFamillesService Familles =>
        Service<FamillesServiceClient>().On(Service<Orleans.Runtime.ILocalSiloDetails>().SiloAddress);

    protected virtual short Silos => 1;

    public async ValueTask InitializeAsync()
    {
        Si = await FakeRegimeSi.Start();
        FranceConnect = await SimulatedFranceConnect.Start(Time);
        await File.WriteAllTextAsync(hmacKeyFile, Convert.ToBase64String(new byte[32]));
        var configuration = new ConfigurationBuilder()
            .AddInMemoryCollection(new Dictionary<string, string?>
            {
                ["RegimeSi:BaseUrl"] = Si.BaseUrl,
                ["RegimeSi:MaxConcurrentCalls"] = $"{SiCalls}",
                ["Identities:HmacKeyFile"] = hmacKeyFile,
            })
            .AddInMemoryCollection(FranceConnect.Settings)
            .Build();

        var builder = new InProcessTestClusterBuilder(Silos);
        builder.ConfigureSilo((_, silo) =>
        {
            silo.Services.AddSingleton<TimeProvider>(Time);
            silo.Services.UseTimeProviderForBackgroundAreas(TimeProvider.System);
            silo.Services.AddSnapshots(configuration).AddFamilles(configuration).AddIdentites(configuration).AddFranceConnect(configuration).AddRegimeSi(configuration).AddExploitation();
            silo.Services.AddSingleton<ListStoredFamilles>((after, most, _) => Task.FromResult<IReadOnlyList<string>>(
                [.. Stored.Where(key => string.CompareOrdinal(key, after) > 0).Order(StringComparer.Ordinal).Take(most)]));
            silo.Services.AddSingleton(provider => RegimeSiRegistration.CreateSlots(provider, new RealTimers(Time)));
            silo.AddMemoryGrainStorageAsDefault();
        });
        builder.ConfigureSiloHost((_, host) => host.Logging.SetMinimumLevel(LogLevel.Warning));
        cluster = builder.Build();
        await cluster.DeployAsync();
    }

    /// <summary>The keys of families that a warm-up finds in the store.</summary>
    public ISet<string> Stored { get; } = new HashSet<string>(StringComparer.Ordinal);

    /// <summary>Stops a silo in good order.</summary>
    public Task StopSilo(Orleans.Runtime.SiloAddress address) =>
        cluster!.StopSiloAsync(cluster.Silos.Single(silo => silo.SiloAddress.Equals(address)), TestContext.Current.CancellationToken);

    /// <summary>A service of each silo.</summary>
    public IEnumerable<T> Services<T>() where T : notnull => cluster!.Silos.Select(silo => silo.ServiceProvider.GetRequiredService<T>());

    /// <summary>A service of the first silo.</summary>
    public T Service<T>() where T : notnull => cluster!.Silos[0].ServiceProvider.GetRequiredService<T>();

    internal FamilleGrain? FindFamille(Orleans.Runtime.GrainId id) => Service<FamilleIndex>().Find(id);

    /// <summary>Moves the clock once nothing is asked of the SI any more: a late answer would be of the new instant.</summary>
    public async Task Advance(TimeSpan time)
    {
        for (var quiet = 0; quiet < 2; quiet++)
        {
            await Until(() => cluster!.Silos.All(silo => silo.ServiceProvider.GetRequiredService<SiSlots>().Pending == 0));
            await Task.Delay(TimeSpan.FromMilliseconds(2), TimeProvider.System);
        }

        Time.Advance(time);
    }

    /// <summary>Lets what a test before this one did to the SI pass: afterwards the silos call it freely again.</summary>
    public async ValueTask Recover()
    {
        for (var pause = TimeSpan.FromSeconds(6); ; pause = TimeSpan.FromMinutes(15))
        {
            Assert.True(Time.GetUtcNow() - Start < TimeSpan.FromDays(30), "The silo does not call the SI again.");
            await Advance(pause);
            var famille = Si.Famille($"recovery-{Guid.NewGuid():N}").With(Personne.NirText);
            var read = await Client.GetGrain<IFamilleGrain>(FamilleKey.Of(famille.Id)).GetDroits(new() { Utilisateur = Personne.Nir }, default);
            if (read.Outcome == FamilleOutcome.Ok)
                return;
        }
    }

    /// <summary>Moves the clock in small steps until the task has ended, for at most 30 s.</summary>
    public async Task<T> LetTimePass<T>(Task<T> task)
    {
        for (var steps = 0; !task.IsCompleted; steps++)
        {
            Assert.True(steps < 3_000, "The task did not end.");
            Time.Advance(TimeSpan.FromMilliseconds(10));
            await Task.Delay(TimeSpan.FromMilliseconds(10), TimeProvider.System);
        }

        return await task;
    }

    /// <summary>Waits, on the real clock and at most 30 s, for what happens in the background.</summary>
    public static Task Until(Func<bool> condition) => Until(() => Task.FromResult(condition()));

    /// <inheritdoc cref="Until(Func{bool})"/>
    public static async Task Until(Func<Task<bool>> condition)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        limit.CancelAfter(TimeSpan.FromSeconds(30));
        while (!await condition())
            await Task.Delay(TimeSpan.FromMilliseconds(5), TimeProvider.System, limit.Token);
    }

    public async ValueTask DisposeAsync()
    {
        await cluster!.DisposeAsync();
        await FranceConnect.DisposeAsync();
        await Si.DisposeAsync();
        File.Delete(hmacKeyFile);
        GC.SuppressFinalize(this);
    }
}

[CollectionDefinition(nameof(DroitsCluster))]
public sealed class DroitsClusterCollection : ICollectionFixture<DroitsCluster>;
