using DroitsAmeli.Grains.Droits;
using DroitsAmeli.Grains.Exploitation;
using DroitsAmeli.Grains.Familles;
using DroitsAmeli.Tests.Cluster.FranceConnect;
using Xunit;

namespace DroitsAmeli.Tests.Cluster.Familles;

/// <summary>Families that are read between the instant a quarantine is in force on their silo and the instant it is carried out there.</summary>
[Collection(nameof(DroitsCluster))]
public sealed class QuarantinedFamilleTests(DroitsCluster cluster) : IAsyncLifetime
{
    private const string Enfant = "1150175108002";
    private const long TooHigh = 1_000;

    private readonly string id = $"quarantaine-{Guid.NewGuid():N}";

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public ValueTask InitializeAsync() => cluster.Recover();

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    private FakeFamille Famille => cluster.Si.Famille(id);

    private IFamilleGrain Grain => cluster.Client.GetGrain<IFamilleGrain>(FamilleKey.Of(id));

    private int Compositions => cluster.Si.Count("familles/" + id);

    private int Droits => cluster.Si.Count("droits/" + id);

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Is_answered_at_once_with_a_lower_version_and_counted(bool rests)
    {
        var quarantine = await ReadInQuarantine();

        cluster.Service<Ordres>().Add(quarantine);
        Assert.Equal(5, await VersionRead());
        if (rests)
            await Rest();
        Assert.Equal(1, await cluster.Familles.Obey(quarantine));
        Assert.Equal(0, await cluster.Familles.Obey(quarantine));
        Assert.Equal(5, await VersionRead());
        Assert.Equal(2, Compositions);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task What_was_given_before_and_judged_by_a_version_of_the_quarantine_goes_with_it(bool rests)
    {
        Famille.With(Personne.NirText).With(Enfant, "enfant", "2015-01-05");
        Assert.Equal(1, await VersionRead(Enfant));
        var quarantine = await ReadInQuarantine();

        cluster.Service<Ordres>().Add(quarantine);
        if (rests)
        {
            await cluster.Advance(TimeSpan.FromSeconds(1));
            await VersionRead();
            await Rest();
        }

        Assert.Equal(1, await cluster.Familles.Obey(quarantine));
        Assert.Equal(5, await VersionRead());
        Assert.Equal(5, await VersionRead(Enfant));
    }

    [Fact]
    public async Task Nobody_waits_for_what_was_asked_before()
    {
        var quarantine = await ReadInQuarantine();
        await cluster.Advance(TimeSpan.FromMinutes(20));
        Famille.Hold();
        var asked = (Compositions, Droits);
        Assert.Equal(TooHigh, await VersionRead());
        await DroitsCluster.Until(() => (Compositions, Droits) == (asked.Compositions + 1, asked.Droits + 1));

        cluster.Service<Ordres>().Add(quarantine);
        var reading = VersionRead();
        await DroitsCluster.Until(() => Compositions == asked.Compositions + 2);
        Famille.Release();
        Assert.Equal(5, await reading);
        await cluster.Familles.Obey(quarantine);
        Assert.Equal(5, await VersionRead());
    }

    /// <summary>Has the SI give a version that is too high, and then the right one; the order that forgets the first is not given yet.</summary>
    private async Task<Ordre> ReadInQuarantine()
    {
        await cluster.Advance(TimeSpan.FromMinutes(80));
        if (Compositions == 0)
            Famille.With(Personne.NirText);
        Famille.Version = TooHigh;
        var from = cluster.Time.GetUtcNow();
        Assert.Equal(TooHigh, await VersionRead());
        await cluster.Advance(TimeSpan.FromMinutes(1));
        var to = cluster.Time.GetUtcNow();
        await cluster.Advance(TimeSpan.FromSeconds(1));
        Famille.Version = 5;
        return OperatorOrdres.Quarantine(from, to);
    }

    private async Task Rest()
    {
        await cluster.Advance(TimeSpan.FromSeconds(61));
        await DroitsCluster.Until(() => cluster.FindFamille(Orleans.GrainExtensions.GetGrainId(Grain)) is { IsAtRest: true });
    }

    private async Task<long> VersionRead(string? about = null)
    {
        var reply = await Grain.GetDroits(
            new() { Utilisateur = Personne.Nir, Beneficiaire = about is null ? null : Personne.Parse(about) }, Cancellation);
        Assert.Equal(FamilleOutcome.Ok, reply.Outcome);
        return PartJson.ReadDroits(reply.Payload).Version;
    }
}
