using DroitsAmeli.Grains.Droits;
using DroitsAmeli.Grains.Familles;
using DroitsAmeli.Tests.Cluster.FranceConnect;
using Orleans.Core.Internal;
using Orleans.Runtime;
using Orleans.Runtime.Placement;
using Xunit;

namespace DroitsAmeli.Tests.Cluster.Familles;

/// <summary>
/// A family that moves is served as it is, and its row is not read: what is newer than its copy has been announced, to the silo that it leaves
/// or to the one that it comes to.
/// </summary>
public sealed class MovedFamilleTests(ThreeSilosCluster cluster) : IClassFixture<ThreeSilosCluster>
{
    private static int families;

    private readonly string id = "partie-" + Interlocked.Increment(ref families);

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    private FakeFamille Famille => cluster.Si.Famille(id);

    private IFamilleGrain Grain => cluster.Client.GetGrain<IFamilleGrain>(FamilleKey.Of(id));

    private (int Compositions, int Droits) Asked => (cluster.Si.Count("familles/" + id), cluster.Si.Count("droits/" + id));

    [Fact]
    public async Task It_is_as_old_as_before_and_the_si_is_not_asked()
    {
        var (_, target) = await Placed();
        Famille.Version = 2;

        await MoveTo(target);

        Assert.Equal(1, await Version());
        Assert.Equal((1, 1), Asked);
    }

    [Fact]
    public async Task What_only_the_silo_that_it_leaves_was_told_goes_along()
    {
        var (host, target) = await Placed();
        await ComesToRest();
        await Announce(host);

        await MoveTo(target);

        Assert.Equal(2, await Version());
        Assert.Equal((2, 2), Asked);
    }

    [Fact]
    public async Task What_only_the_silo_that_it_comes_to_was_told_is_found_there()
    {
        var (_, target) = await Placed();
        await Announce(target);
        Assert.Equal(1, await Version());

        await MoveTo(target);

        Assert.Equal(2, await Version());
        Assert.Equal((2, 2), Asked);
    }

    /// <summary>Reads it in version 1, where it is fresh.</summary>
    private async Task<(SiloAddress Host, SiloAddress Target)> Placed()
    {
        Famille.With(Personne.NirText);
        Assert.Equal(1, await Version());
        var host = Assert.Single(await Hosts());
        var silos = await Management.GetHosts(onlyActive: true, Cancellation);
        return (host, silos.Keys.First(silo => !silo.Equals(host)));
    }

    private IManagementGrain Management => cluster.Client.GetGrain<IManagementGrain>(0);

    // While it is read, it would ask the SI as soon as it is told.
    private async Task ComesToRest()
    {
        await cluster.Advance(TimeSpan.FromSeconds(61));
        await DroitsCluster.Until(() => cluster.Services<FamilleIndex>().Any(index => index.Find(Grain.GetGrainId()) is { IsAtRest: true }));
    }

    private async Task Announce(SiloAddress silo)
    {
        Famille.Version = 2;
        await cluster.Service<FamillesServiceClient>().On(silo).Announce([new(id, 2)]);
    }

    private async Task<long> Version()
    {
        var reply = await cluster.LetTimePass(Grain.GetDroits(new() { Utilisateur = Personne.Nir }, Cancellation));
        Assert.Equal(FamilleOutcome.Ok, reply.Outcome);
        return PartJson.ReadDroits(reply.Payload).Version;
    }

    // The runtime does not promise that a grain moves when it is asked to.
    private Task MoveTo(SiloAddress target) => DroitsCluster.Until(async () =>
    {
        if (await Hosts() is [var host] && host.Equals(target))
            return true;
        RequestContext.Set(IPlacementDirector.PlacementHintKey, target);
        await Grain.Cast<IGrainManagementExtension>().MigrateOnIdle(Cancellation);
        RequestContext.Clear();
        return false;
    });

    private async Task<IReadOnlyList<SiloAddress>> Hosts() => [.. (await Management.GetDetailedGrainStatistics(null, null, Cancellation))
        .Where(statistic => statistic.GrainId == Grain.GetGrainId()).Select(statistic => statistic.SiloAddress)];
}
