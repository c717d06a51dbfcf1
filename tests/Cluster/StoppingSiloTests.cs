using DroitsAmeli.Grains.FranceConnect;
using DroitsAmeli.Tests.Cluster.FranceConnect;
using Orleans.Runtime;
using Xunit;

namespace DroitsAmeli.Tests.Cluster;

/// <summary>The same cluster, of two silos: one to stop.</summary>
public sealed class TwoSilosCluster : DroitsCluster
{
    protected override short Silos => 2;
}

public sealed class StoppingSiloTests(TwoSilosCluster cluster) : IClassFixture<TwoSilosCluster>
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Its_tokens_are_remembered_elsewhere_to_their_end()
    {
        var personne = new Personne();
        cluster.Si.Identity(personne.Name, 200, personne.FamilleA, Personne.NirText);
        var management = cluster.Client.GetGrain<IManagementGrain>(0);
        var stays = cluster.Service<ILocalSiloDetails>().SiloAddress;
        string token;
        JetonReply introspection;
        SiloAddress? leaver;
        do
        {
            token = await cluster.FranceConnect.Mint(personne.Identite());
            introspection = await Grain(token).Introspect(token, Cancellation);
            leaver = await management.GetActivationAddress(Grain(token), Cancellation);
        }
        while (stays.Equals(leaver));
        var identite = await cluster.LetTimePass(Grain(token).Identify(token, null, null, Cancellation));
        var checktokens = await cluster.FranceConnect.Checktokens();

        await cluster.StopSilo(leaver!);

        Assert.Equal(introspection, await Grain(token).Introspect(token, Cancellation));
        Assert.Equal(identite, await Grain(token).Identify(token, null, null, Cancellation));
        Assert.Equal((JetonOutcome.Active, personne.FamilleA), (introspection.Outcome, identite.Famille));
        Assert.Equal(checktokens, await cluster.FranceConnect.Checktokens());
        Assert.Equal(1, cluster.Si.Count("identifications/" + personne.Name));

        cluster.Time.Advance(TimeSpan.FromSeconds(60));
        await DroitsCluster.Until(async () => await management.GetActivationAddress(Grain(token), Cancellation) is null);
    }

    private IJetonGrain Grain(string token) => cluster.Client.GetGrain<IJetonGrain>(JetonKey.Of(token));
}
