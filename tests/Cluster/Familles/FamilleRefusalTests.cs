using DroitsAmeli.Grains.Familles;
using DroitsAmeli.Tests.Cluster.FranceConnect;
using Xunit;

namespace DroitsAmeli.Tests.Cluster.Familles;

/// <summary>Families of which the SI says less than it was asked for, or says it late.</summary>
[Collection(nameof(DroitsCluster))]
public sealed class FamilleRefusalTests(DroitsCluster cluster) : IAsyncLifetime
{
    private const string Enfant = "2150175108002";

    private static int families;

    private readonly string id = "R" + Interlocked.Increment(ref families);

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public ValueTask InitializeAsync() => cluster.Recover();

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    private FakeFamille Famille => cluster.Si.Famille(id);

    private int Compositions => cluster.Si.Count("familles/" + id);

    private int Droits => cluster.Si.Count("droits/" + id);

    [Fact]
    public async Task A_member_without_rights_at_the_si_is_not_asked_for_with_every_call()
    {
        Famille.With(Personne.NirText).SansDroits = true;
        for (var i = 0; i < 50; i++)
        {
            Assert.Equal(FamilleOutcome.BeneficiaireInconnu, (await GetDroits()).Outcome);
            await cluster.Advance(TimeSpan.FromMilliseconds(100));
        }

        // Once more each: the first refusal came before the composition, which may have been newer or older.
        Assert.InRange(Droits, 1, 2);
        Assert.InRange(Compositions, 1, 2);

        Famille.SansDroits = false;
        await cluster.Advance(TimeSpan.FromMinutes(5));
        Assert.Equal(FamilleOutcome.Ok, (await GetDroits()).Outcome);
    }

    [Fact]
    public async Task A_member_who_joins_the_family_has_rights_at_once()
    {
        Famille.With(Enfant, "enfant", "2015-01-05");
        Assert.Equal(FamilleOutcome.UtilisateurAbsent, (await GetDroits()).Outcome);
        await DroitsCluster.Until(() => Droits >= 1);

        Famille.With(Personne.NirText).Version++;
        await cluster.Advance(TimeSpan.FromSeconds(10));
        Assert.Equal(FamilleOutcome.Ok, (await GetDroits()).Outcome);
    }

    [Fact]
    public async Task A_member_who_left_is_unknown_even_though_the_rights_are_still_held()
    {
        Famille.With(Personne.NirText).With(Enfant, "enfant", "2015-01-05");
        Assert.Equal(FamilleOutcome.Ok, (await GetDroits(Enfant)).Outcome);

        Famille.Remove(Enfant);
        Famille.Version++;
        await cluster.Advance(TimeSpan.FromMinutes(80));
        Assert.Equal(FamilleOutcome.BeneficiaireInconnu, (await GetDroits(Enfant)).Outcome);
        Assert.Equal(FamilleOutcome.Ok, (await GetDroits()).Outcome);
    }

    [Theory]
    [InlineData(404)]
    [InlineData(410)]
    public async Task A_family_that_comes_back_is_found_again_after_a_few_minutes(int status)
    {
        Famille.Status = status;
        Assert.Equal(FamilleOutcome.FamilleGone, (await GetDroits()).Outcome);
        Famille.With(Personne.NirText).Status = 200;
        await cluster.Advance(TimeSpan.FromMinutes(4.9));
        Assert.Equal(FamilleOutcome.FamilleGone, (await GetDroits()).Outcome);
        await cluster.Advance(TimeSpan.FromMinutes(0.2));
        Assert.Equal(FamilleOutcome.Ok, (await GetDroits()).Outcome);
    }

    [Fact]
    public async Task A_refresh_that_takes_too_long_gives_the_old_copy_and_its_age()
    {
        Famille.With(Personne.NirText);
        await GetDroits();
        await cluster.Advance(TimeSpan.FromMinutes(80));
        Famille.Hold();
        var read = await cluster.LetTimePass(GetDroits());
        Famille.Release();
        Assert.Equal((FamilleOutcome.Ok, CacheOutcome.Hit), (read.Outcome, read.Cache!.Outcome));
        Assert.True(read.Cache.TtlSeconds < -60 * 60);
    }

    [Fact]
    public async Task Who_joins_a_load_that_was_made_ahead_learns_when_the_si_opens()
    {
        Famille.With(Personne.NirText).Hold(composition: false);
        await Grain.GetBeneficiaire(new() { Utilisateur = Personne.Nir }, Cancellation);
        await DroitsCluster.Until(() => Droits == 1);
        var joined = GetDroits();
        await Grain.GetBeneficiaire(new() { Utilisateur = Personne.Nir }, Cancellation);

        (Famille.Status, Famille.RetryAfterSeconds) = (503, 900);
        Famille.Release();
        foreach (var refused in (FamilleReply[])[await joined, await GetDroits()])
            Assert.Equal((FamilleOutcome.SiUnavailable, TimeSpan.FromMinutes(15)), (refused.Outcome, refused.RetryAfter));
        Assert.Equal(1, Droits);
    }

    private IFamilleGrain Grain => cluster.Client.GetGrain<IFamilleGrain>(FamilleKey.Of(id));

    private Task<FamilleReply> GetDroits(string? about = null) => Grain
        .GetDroits(new() { Utilisateur = Personne.Nir, Beneficiaire = about is null ? null : Personne.Parse(about) }, Cancellation);
}
