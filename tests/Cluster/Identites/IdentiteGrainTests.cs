using System.Text;
using DroitsAmeli.Grains.Droits;
using DroitsAmeli.Grains.Exploitation;
using DroitsAmeli.Grains.Familles;
using DroitsAmeli.Grains.FranceConnect;
using DroitsAmeli.Grains.Identites;
using DroitsAmeli.Simulators;
using DroitsAmeli.Tests.Cluster.FranceConnect;
using Orleans.Runtime;
using Xunit;

namespace DroitsAmeli.Tests.Cluster.Identites;

/// <summary>The identity behind tokens, as a token's grain gives it.</summary>
[Collection(nameof(DroitsCluster))]
public sealed class IdentiteGrainTests(DroitsCluster cluster) : IAsyncLifetime
{
    private readonly Personne personne = new();

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public ValueTask InitializeAsync() => cluster.Recover();

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    private int Identifications => cluster.Si.Count("identifications/" + personne.Name);

    [Fact]
    public async Task Many_tokens_of_one_person_are_one_identification()
    {
        Known(personne.FamilleA);
        cluster.Si.HoldIdentifications();
        var tokens = new List<string>();
        for (var i = 0; i < 30; i++)
            tokens.Add(await Mint());
        var calls = tokens.ConvertAll(token => Identify(token));
        await DroitsCluster.Until(() => Identifications > 0);
        cluster.Si.ReleaseIdentifications();

        Assert.All(await Task.WhenAll(calls), reply => Assert.Equal(
            (IdentiteOutcome.Resolved, personne.FamilleA, Personne.Nir),
            (reply.Outcome, reply.Famille, reply.Nir)));
        Assert.Equal(1, Identifications);
    }

    [Fact]
    public async Task A_person_written_in_several_ways_is_one_identification()
    {
        Known(personne.FamilleA);
        IdentiteFranceConnect[] written =
        [
            personne.Identite(),
            personne.Identite(personne.Name.ToLowerInvariant(), "jean pierre"),
            personne.Identite(personne.Name.Replace(' ', '-'), "Jean-Pierre"),
            personne.Identite(personne.Name.Replace(' ', '’').Replace("DURAND", "Durànd", StringComparison.Ordinal), "Jéan  Pierre"),
        ];
        foreach (var identite in written)
            Assert.Equal(personne.FamilleA, (await Identify(await Mint(identite))).Famille);
        Assert.Equal(1, Identifications);

        await Identify(await Mint(personne.Identite(birthdate: "1980-01-06")));
        await Identify(await Mint(personne.Identite(givenName: "Jean")));
        Assert.Equal(3, Identifications);
    }

    [Fact]
    public async Task A_visit_has_begun_while_its_identification_is_a_moment_old()
    {
        Known(personne.FamilleA);
        Assert.True((await Identify(await Mint())).Asked);
        await cluster.Advance(TimeSpan.FromSeconds(9));
        Assert.True((await Identify(await Mint())).Asked);
        await cluster.Advance(TimeSpan.FromSeconds(2));
        Assert.False((await Identify(await Mint())).Asked);
        Assert.Equal(1, Identifications);
    }

    [Fact]
    public async Task An_identity_is_remembered_for_a_day_at_most()
    {
        Known(personne.FamilleA);
        await Identify(await Mint());
        await cluster.Advance(TimeSpan.FromHours(23.9));
        await Identify(await Mint());
        Assert.Equal(1, Identifications);

        Known(personne.FamilleB);
        await cluster.Advance(TimeSpan.FromHours(0.2));
        Assert.Equal(personne.FamilleB, (await Identify(await Mint())).Famille);
        Assert.Equal(2, Identifications);
    }

    [Fact]
    public async Task What_is_remembered_no_longer_leaves_the_memory()
    {
        var (from, other) = (cluster.Time.GetUtcNow(), new Personne());
        cluster.Si.Identity(other.Name, 200, other.FamilleA, Personne.NirText);
        Known(personne.FamilleA);
        await Identify(await Mint());
        await cluster.Advance(TimeSpan.FromMinutes(10));
        await Identify(await Mint(other.Identite()));
        var quarantine = OperatorOrdres.Quarantine(from, cluster.Time.GetUtcNow());

        await cluster.Advance(TimeSpan.FromHours(24) - TimeSpan.FromMinutes(5));
        cluster.Service<Ordres>().Add(quarantine);
        Assert.Equal(1, cluster.Service<IdentiteIndex>().ForgetQuarantined());
    }

    [Theory]
    [InlineData(404, IdentiteOutcome.NotAttached)]
    [InlineData(422, IdentiteOutcome.NotAttached)]
    [InlineData(409, IdentiteOutcome.Ambiguous)]
    public async Task A_negative_answer_is_kept_for_a_few_minutes(int status, IdentiteOutcome outcome)
    {
        cluster.Si.Identity(personne.Name, status);
        var token = await Mint();
        Assert.Equal(outcome, (await Identify(token)).Outcome);
        Known(personne.FamilleA);
        await cluster.Advance(TimeSpan.FromMinutes(4.9));
        Assert.Equal(outcome, (await Identify(token)).Outcome);
        Assert.Equal(outcome, (await Identify(await Mint())).Outcome);
        Assert.Equal(1, Identifications);

        await cluster.Advance(TimeSpan.FromMinutes(0.2));
        Assert.Equal(personne.FamilleA, (await Identify(token)).Famille);
        Assert.Equal(2, Identifications);
    }

    [Fact]
    public async Task A_failing_si_is_left_alone_between_tries()
    {
        cluster.Si.Identity(personne.Name, 503);
        var token = await Mint();
        for (var i = 0; i < 50; i++)
        {
            var reply = await Identify(i % 2 == 0 ? token : await Mint());
            Assert.Equal(IdentiteOutcome.SiUnavailable, reply.Outcome);
            Assert.InRange(reply.RetryAfter!.Value, TimeSpan.FromTicks(1), TimeSpan.FromMinutes(1));
        }

        Assert.Equal(1, Identifications);

        Known(personne.FamilleA);
        await cluster.Advance(TimeSpan.FromSeconds(61));
        Assert.Equal(personne.FamilleA, (await Identify(token)).Famille);
        Assert.Equal(2, Identifications);
    }

    [Fact]
    public async Task A_rejected_family_is_forgotten_and_the_person_identified_again_once_for_everybody()
    {
        Known(personne.FamilleA);
        var (first, second) = (await Mint(), await Mint());
        await Identify(first);
        await Identify(second);
        Known(personne.FamilleB);

        Assert.Equal(personne.FamilleB, (await Identify(first, personne.FamilleA)).Famille);
        Assert.Equal(personne.FamilleB, (await Identify(first)).Famille);
        Assert.Equal(personne.FamilleB, (await Identify(second, personne.FamilleA)).Famille);
        Assert.Equal(personne.FamilleB, (await Identify(await Mint())).Famille);
        Assert.Equal(2, Identifications);
    }

    [Fact]
    public async Task A_rejected_family_is_not_answered_while_the_si_cannot_say_another()
    {
        Known(personne.FamilleA);
        var token = await Mint();
        await Identify(token);
        cluster.Si.Identity(personne.Name, 503);
        Assert.Equal(IdentiteOutcome.SiUnavailable, (await Identify(token, personne.FamilleA)).Outcome);
        Assert.Equal(IdentiteOutcome.SiUnavailable, (await Identify(token)).Outcome);
        Assert.Equal(IdentiteOutcome.SiUnavailable, (await Identify(await Mint())).Outcome);
    }

    [Fact]
    public async Task An_identification_that_began_before_a_rejection_does_not_answer_it()
    {
        Known(personne.FamilleA);
        cluster.Si.HoldIdentifications();
        var (early, rejecting) = (await Mint(), await Mint());
        var first = Identify(early);
        await DroitsCluster.Until(() => Identifications == 1);
        Known(personne.FamilleB);
        var second = Identify(rejecting, personne.FamilleA);
        Assert.Equal(JetonOutcome.Active, (await Grain(rejecting).Introspect(rejecting, Cancellation)).Outcome);
        cluster.Si.ReleaseIdentifications();

        Assert.Equal(personne.FamilleA, (await first).Famille);
        Assert.Equal(personne.FamilleB, (await second).Famille);
        Assert.Equal(personne.FamilleB, (await Identify(await Mint())).Famille);
        Assert.Equal(2, Identifications);
    }

    [Fact]
    public async Task An_si_that_insists_on_a_rejected_family_is_left_alone_for_a_moment()
    {
        Known(personne.FamilleA);
        var token = await Mint();
        await Identify(token);
        for (var i = 0; i < 50; i++)
            await Identify(token, personne.FamilleA);
        Assert.Equal(2, Identifications);

        Known(personne.FamilleB);
        await cluster.Advance(TimeSpan.FromSeconds(6));
        Assert.Equal(personne.FamilleB, (await Identify(token, personne.FamilleA)).Famille);
    }

    [Theory]
    [InlineData(200)]
    [InlineData(404)]
    [InlineData(410)]
    public async Task A_change_of_family_is_followed_and_the_old_family_never_answers(int statusOfA)
    {
        Known(personne.FamilleA);
        cluster.Si.Famille(personne.FamilleA).With(Personne.NirText).Version = 7;
        cluster.Si.Famille(personne.FamilleB).With(Personne.NirText).Version = 42;
        Assert.Equal(7, await VersionAnswered(await Mint()));

        cluster.Si.Famille(personne.FamilleA).Remove(Personne.NirText);
        cluster.Si.Famille(personne.FamilleA).Version++;
        cluster.Si.Famille(personne.FamilleA).Status = statusOfA;
        Known(personne.FamilleB);
        await cluster.Advance(TimeSpan.FromMinutes(80));

        var token = await Mint();
        for (var i = 0; i < 5; i++)
            Assert.Equal(42, await VersionAnswered(i % 2 == 0 ? token : await Mint()));
        Assert.Equal(2, Identifications);
        Assert.Equal(2, cluster.Si.Count("familles/" + personne.FamilleA));
        Assert.Equal(1, cluster.Si.Count("familles/" + personne.FamilleB));
    }

    [Fact]
    public async Task Grain_keys_show_neither_nir_nor_name_nor_token()
    {
        Known(personne.FamilleA);
        cluster.Si.Famille(personne.FamilleA).With(Personne.NirText);
        var token = await Mint();
        await VersionAnswered(token);

        var management = cluster.Client.GetGrain<IManagementGrain>(0);
        var grains = await management.GetDetailedGrainStatistics(null, null, Cancellation);
        var ours = grains.Where(grain => grain.GrainType.StartsWith("DroitsAmeli", StringComparison.Ordinal)).ToList();
        var keys = ours.ConvertAll(grain => grain.GrainId.Key.ToString()!);
        Assert.Contains(JetonKey.Of(token), keys);
        Assert.Contains(FamilleKey.Of(personne.FamilleA), keys);
        Assert.Contains(keys, key => key.StartsWith("i-", StringComparison.Ordinal));
        foreach (var key in keys)
        {
            if (key.StartsWith("i-", StringComparison.Ordinal) || key.StartsWith("j-", StringComparison.Ordinal))
                Assert.Matches("^[ij]-[A-Za-z0-9_-]{43}$", key);
            foreach (var secret in new[] { token, Personne.NirText, personne.Name, "DURAND", "1980-01-05" })
            {
                Assert.DoesNotContain(secret, key, StringComparison.OrdinalIgnoreCase);
                Assert.DoesNotContain(Convert.ToBase64String(Encoding.UTF8.GetBytes(secret)).TrimEnd('='), key, StringComparison.Ordinal);
            }
        }
    }

    /// <summary>What a front end does with a token: the version of the rights it answers with.</summary>
    private async Task<long> VersionAnswered(string token, string? rejected = null)
    {
        var identite = await Identify(token, rejected);
        Assert.Equal(IdentiteOutcome.Resolved, identite.Outcome);
        var famille = cluster.Client.GetGrain<IFamilleGrain>(FamilleKey.Of(identite.Famille!));
        var reply = await famille.GetDroits(new() { Utilisateur = identite.Nir! }, Cancellation);
        if (reply.Outcome is FamilleOutcome.FamilleGone or FamilleOutcome.UtilisateurAbsent && rejected is null)
            return await VersionAnswered(token, identite.Famille);
        Assert.Equal(FamilleOutcome.Ok, reply.Outcome);
        return PartJson.ReadDroits(reply.Payload).Version;
    }

    private void Known(string famille) => cluster.Si.Identity(personne.Name, 200, famille, Personne.NirText);

    private Task<string> Mint(IdentiteFranceConnect? identite = null) => cluster.FranceConnect.Mint(identite ?? personne.Identite(), 3_600);

    private IJetonGrain Grain(string token) => cluster.Client.GetGrain<IJetonGrain>(JetonKey.Of(token));

    private Task<IdentiteReply> Identify(string token, string? rejected = null) => Grain(token).Identify(token, rejected, null, Cancellation);
}
