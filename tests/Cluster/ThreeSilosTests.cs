using DroitsAmeli.Grains.Familles;
using DroitsAmeli.Grains.FranceConnect;
using DroitsAmeli.Tests.Cluster.FranceConnect;
using Orleans.Core.Internal;
using Orleans.Runtime;
using Orleans.Runtime.Placement;
using Xunit;

namespace DroitsAmeli.Tests.Cluster;

/// <summary>The same cluster, of three silos.</summary>
public sealed class ThreeSilosCluster : DroitsCluster
{
    protected override short Silos => 3;
}

public sealed class ThreeSilosTests(ThreeSilosCluster cluster) : IClassFixture<ThreeSilosCluster>
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_thousand_cold_readers_of_one_family_are_one_load_of_each_part()
    {
        var famille = cluster.Si.Famille("grande").With(Personne.NirText);
        famille.Hold();
        var grain = cluster.Client.GetGrain<IFamilleGrain>(FamilleKey.Of("grande"));
        var reads = Task.WhenAll(Enumerable.Range(0, 1_000).Select(_ => grain.GetDroits(new() { Utilisateur = Personne.Nir }, Cancellation)));
        var loading = DroitsCluster.Until(() => cluster.Si.Count("familles/grande") > 0 && cluster.Si.Count("droits/grande") > 0);
        await cluster.LetTimePass(loading.ContinueWith(_ => true, Cancellation, TaskContinuationOptions.None, TaskScheduler.Default));
        await loading;
        famille.Release();

        Assert.All(await cluster.LetTimePass(reads), reply => Assert.Equal(FamilleOutcome.Ok, reply.Outcome));
        Assert.Equal((1, 1), (cluster.Si.Count("familles/grande"), cluster.Si.Count("droits/grande")));
    }

    [Fact]
    public async Task Two_hundred_introspections_of_one_token_are_one_checktoken()
    {
        var before = await cluster.FranceConnect.Checktokens();
        var token = await cluster.FranceConnect.Mint(new Personne().Identite());
        await cluster.FranceConnect.Adjust("""{"latence_ms":100}""");
        var grain = cluster.Client.GetGrain<IJetonGrain>(JetonKey.Of(token));
        var replies = await cluster.LetTimePass(Task.WhenAll(Enumerable.Range(0, 200).Select(_ => grain.Introspect(token, Cancellation))));
        await cluster.FranceConnect.Adjust("{}");

        Assert.All(replies, reply => Assert.Equal(JetonOutcome.Active, reply.Outcome));
        Assert.Equal(1, await cluster.FranceConnect.Checktokens() - before);
    }

    [Fact]
    public async Task Families_live_on_every_silo_and_the_si_is_asked_from_each()
    {
        var ids = Enumerable.Range(0, 60).Select(i => $"repartie-{i}").ToArray();
        foreach (var id in ids)
            cluster.Si.Famille(id).With(Personne.NirText);
        var management = cluster.Client.GetGrain<IManagementGrain>(0);
        var silos = (await management.GetHosts(onlyActive: true, Cancellation)).Keys.ToArray();
        var reads = Task.WhenAll(ids.Select((id, i) => ReadOn(silos[i % silos.Length], id)));
        Assert.All(await cluster.LetTimePass(reads), reply => Assert.Equal(FamilleOutcome.Ok, reply.Outcome));
        Assert.All(ids, id => Assert.Equal(1, cluster.Si.Count("familles/" + id)));

        var grains = await management.GetDetailedGrainStatistics(null, null, Cancellation);
        var placed = grains.Where(grain => grain.GrainId.Key.ToString()!.StartsWith("f-", StringComparison.Ordinal));
        Assert.Equal(3, placed.Select(grain => grain.SiloAddress).Distinct().Count());
    }

    [Fact]
    public async Task A_family_that_moves_while_it_is_loaded_takes_what_the_si_answers_along()
    {
        var famille = cluster.Si.Famille("demenage").With(Personne.NirText);
        famille.Hold();
        var grain = cluster.Client.GetGrain<IFamilleGrain>(FamilleKey.Of("demenage"));
        using var given = CancellationTokenSource.CreateLinkedTokenSource(Cancellation);
        var read = grain.GetDroits(new() { Utilisateur = Personne.Nir }, given.Token);
        await DroitsCluster.Until(() => cluster.Si.Count("familles/demenage") == 1 && cluster.Si.Count("droits/demenage") == 1);
        var management = cluster.Client.GetGrain<IManagementGrain>(0);
        var before = Assert.Single(await Hosts());
        var elsewhere = (await management.GetHosts(onlyActive: true, Cancellation)).Keys.First(silo => !silo.Equals(before));

        // Between two tries of a call nobody waits in the grain, which may then move at once.
        await given.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => read);
        await Move();
        await Task.Delay(TimeSpan.FromMilliseconds(300), TimeProvider.System, Cancellation);
        famille.Release();

        // The runtime does not promise that a grain moves when it is asked to.
        await DroitsCluster.Until(async () =>
        {
            if (await Hosts() is [var host] && host.Equals(elsewhere))
                return true;
            await Move();
            return false;
        });
        Assert.Equal(FamilleOutcome.Ok, (await grain.GetDroits(new() { Utilisateur = Personne.Nir }, Cancellation)).Outcome);
        Assert.Equal((1, 1), (cluster.Si.Count("familles/demenage"), cluster.Si.Count("droits/demenage")));

        // The silos themselves: the directory may answer from a cache.
        async Task<IReadOnlyList<SiloAddress>> Hosts() => [.. (await management.GetDetailedGrainStatistics(null, null, Cancellation))
            .Where(statistic => statistic.GrainId == grain.GetGrainId()).Select(statistic => statistic.SiloAddress)];

        async Task Move()
        {
            RequestContext.Set(IPlacementDirector.PlacementHintKey, elsewhere);
            await grain.Cast<IGrainManagementExtension>().MigrateOnIdle(Cancellation);
            RequestContext.Clear();
        }
    }

    private Task<FamilleReply> ReadOn(SiloAddress silo, string id)
    {
        RequestContext.Set(IPlacementDirector.PlacementHintKey, silo);
        try
        {
            return cluster.Client.GetGrain<IFamilleGrain>(FamilleKey.Of(id)).GetBeneficiaires(new() { Utilisateur = Personne.Nir }, Cancellation);
        }
        finally
        {
            RequestContext.Clear();
        }
    }
}
