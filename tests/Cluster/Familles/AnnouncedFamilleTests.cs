using DroitsAmeli.Grains.Exploitation;
using DroitsAmeli.Grains.Familles;
using DroitsAmeli.Tests.Cluster.FranceConnect;
using Orleans.Runtime;
using Orleans.Services;
using Xunit;

namespace DroitsAmeli.Tests.Cluster.Familles;

/// <summary>What the change feed and an operator do to families, through the service of their silo.</summary>
[Collection(nameof(DroitsCluster))]
public sealed class AnnouncedFamilleTests(DroitsCluster cluster) : IAsyncLifetime
{
    private const string Enfant = "1150175108002";

    private readonly string id = $"annoncee-{Guid.NewGuid():N}";

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public ValueTask InitializeAsync() => cluster.Recover();

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    private FakeFamille Famille => cluster.Si.Famille(id);

    private IFamilleGrain Grain => cluster.Client.GetGrain<IFamilleGrain>(FamilleKey.Of(id));

    private IFamillesService Service => cluster.Familles;

    private int Compositions => cluster.Si.Count("familles/" + id);

    private int Droits => cluster.Si.Count("droits/" + id);

    [Fact]
    public async Task An_announced_family_that_is_read_is_asked_for_at_once()
    {
        Famille.With(Personne.NirText);
        Assert.Equal(1, await VersionRead());
        Famille.Version = 2;
        Assert.Equal([id], await Service.Announce([new(id, 2)]));

        await DroitsCluster.Until(() => (Compositions, Droits) == (2, 2));
        await cluster.Advance(TimeSpan.Zero);
        Assert.Equal(2, await VersionRead());
        Assert.Equal((2, 2), (Compositions, Droits));
    }

    [Fact]
    public async Task Of_many_announced_families_only_as_many_as_the_si_serves_are_asked_for_at_once_and_the_others_when_they_are_read()
    {
        var many = Enumerable.Range(0, 2 * DroitsCluster.SiCalls).Select(n => $"{id}-{n}").ToArray();
        foreach (var famille in many)
        {
            cluster.Si.Famille(famille).With(Personne.NirText);
            Assert.Equal(1, await VersionRead(famille));
            cluster.Si.Famille(famille).Version = 2;
        }

        await cluster.Advance(TimeSpan.FromSeconds(1));
        await Service.Announce([.. many.Select(famille => new Evenement(famille, 2))]);
        await DroitsCluster.Until(async () => (await Superseded()).Length <= many.Length - DroitsCluster.SiCalls);
        await cluster.Advance(TimeSpan.Zero);

        var left = await Superseded();
        Assert.Equal(many.Length - DroitsCluster.SiCalls, left.Length);
        Assert.All(left, famille => Assert.Equal(1, cluster.Si.Count("familles/" + famille)));
        foreach (var famille in many)
            Assert.Equal(2, await VersionRead(famille));

        async Task<string[]> Superseded()
        {
            var states = await Task.WhenAll(many.Select(Service.Look));
            return [.. many.Where((_, at) => states[at]!.Parts.Any(part => part.Superseded))];
        }
    }

    [Fact]
    public async Task What_was_announced_is_never_answered_in_its_old_version()
    {
        Famille.With(Personne.NirText);
        Assert.Equal(1, await VersionRead());
        Famille.Status = 503;
        await Service.Announce([new(id, 2)]);
        await cluster.Advance(TimeSpan.FromSeconds(10));
        Assert.Equal(FamilleOutcome.SiUnavailable, (await Read()).Outcome);

        (Famille.Status, Famille.Version) = (200, 2);
        await cluster.Advance(TimeSpan.FromSeconds(70));
        Assert.Equal(2, await VersionRead());
    }

    [Fact]
    public async Task An_answer_that_was_under_way_when_a_version_was_announced_is_not_shown()
    {
        Famille.With(Personne.NirText).Hold();
        var read = Read();
        await DroitsCluster.Until(() => Compositions == 1 && Droits == 1);
        await Service.Announce([new(id, 2)]);
        Famille.Version = 2;
        Famille.Release();
        Assert.Equal(2, Version(await read));
    }

    [Fact]
    public async Task What_is_announced_does_not_wait_until_many_families_have_obeyed()
    {
        await cluster.Advance(TimeSpan.FromMinutes(1));
        var from = cluster.Time.GetUtcNow();
        var many = Enumerable.Range(0, 300).Select(n => $"{id}-{n}").ToArray();
        foreach (var some in many.Chunk(20))
        {
            Assert.All(
                await Task.WhenAll(some.Select(famille =>
                {
                    cluster.Si.Famille(famille).With(Personne.NirText);
                    return cluster.Client.GetGrain<IFamilleGrain>(FamilleKey.Of(famille)).GetDroits(new() { Utilisateur = Personne.Nir }, Cancellation);
                })),
                reply => Assert.Equal(FamilleOutcome.Ok, reply.Outcome));
        }

        var quarantine = OperatorOrdres.Quarantine(from, cluster.Time.GetUtcNow());
        await cluster.Advance(TimeSpan.FromSeconds(61));
        await DroitsCluster.Until(() => many.All(famille => cluster.FindFamille(
            Orleans.GrainExtensions.GetGrainId(cluster.Client.GetGrain<IFamilleGrain>(FamilleKey.Of(famille)))) is { IsAtRest: true }));

        // Calls of a grain service interleave, so that all it takes is that one pauses.
        var service = cluster.Service<IEnumerable<IGrainService>>().OfType<FamillesService>().Single();
        var turns = new TaskFactory(new ConcurrentExclusiveSchedulerPair().ExclusiveScheduler);
        var (obeying, atOnce) = await turns.StartNew(() => service.Obey(quarantine) is var task ? (task, task.IsCompleted) : default, Cancellation);
        Assert.Equal((false, many.Length), (atOnce, await obeying));
    }

    [Fact]
    public async Task A_family_that_nobody_reads_is_not_woken_by_an_event()
    {
        var unknown = $"inconnue-{Guid.NewGuid():N}";
        Assert.Empty(await Service.Announce([new(unknown, 7)]));
        Assert.Null(await Service.Look(unknown));
        Assert.Equal(0, cluster.Si.Count("familles/" + unknown));
    }

    [Fact]
    public async Task A_family_that_wakes_just_after_its_event_knows_of_it()
    {
        Famille.With(Personne.NirText).Version = 3;
        await Service.Announce([new(id, 3)]);
        Assert.Equal(3, await VersionRead());
        Assert.Equal(3, (await Service.Look(id))!.Newest);

        Famille.Version = 2;
        await Service.Announce([new(id, 4)]);
        await cluster.Advance(TimeSpan.FromSeconds(90));
        Assert.Equal(FamilleOutcome.SiUnavailable, (await Read()).Outcome);
    }

    [Fact]
    public async Task An_event_that_is_told_while_the_family_wakes_is_not_lost()
    {
        Famille.With(Personne.NirText);
        Assert.Equal(1, await VersionRead());
        await Rest();
        Famille.Version = 2;

        var grain = cluster.FindFamille(Grain.GetGrainId())!;
        await grain.Post(() =>
        {
            var thawed = grain.Thaw();
            grain.Announce(2);
            return grain.GoLive(thawed);
        });

        Assert.Equal(2, await VersionRead());
    }

    [Fact]
    public async Task Who_leaves_the_family_by_an_event_is_answered_nothing_more()
    {
        Famille.With(Personne.NirText).With(Enfant, "enfant", "2015-01-05");
        Assert.Equal(FamilleOutcome.Ok, (await Read(Enfant)).Outcome);
        Famille.Remove(Enfant);
        Famille.Version = 2;
        await Service.Announce([new(id, 2)]);
        Assert.Equal(FamilleOutcome.BeneficiaireInconnu, (await Read(Enfant)).Outcome);

        Famille.Remove(Personne.NirText);
        Famille.With(Enfant, "enfant", "2015-01-05");
        Famille.Version = 3;
        await Service.Announce([new(id, 3)]);
        Assert.Equal(FamilleOutcome.UtilisateurAbsent, (await Read()).Outcome);
        Assert.DoesNotContain((await Service.Look(id))!.Parts, part => part.Part == "droits");
    }

    [Fact]
    public async Task A_family_at_rest_is_answered_as_before_it_rested()
    {
        Famille.With(Personne.NirText).With(Enfant, "enfant", "2015-01-05");
        var before = await Read(Enfant);
        var members = await Grain.GetBeneficiaires(new() { Utilisateur = Personne.Nir }, Cancellation);
        await Rest();

        var after = await Read(Enfant);
        Assert.Equal(before.Payload, after.Payload);
        Assert.Equal(before.Cache!.Situation.ToUnixTimeMilliseconds(), after.Cache!.Situation.ToUnixTimeMilliseconds());
        Assert.Equal(CacheOutcome.Hit, after.Cache.Outcome);
        Assert.Equal(members.Payload, (await Grain.GetBeneficiaires(new() { Utilisateur = Personne.Nir }, Cancellation)).Payload);
        Assert.Equal((1, 2), (Compositions, Droits));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_family_at_rest_hears_of_an_event_and_of_a_quarantine(bool quarantine)
    {
        Famille.With(Personne.NirText);
        Assert.Equal(1, await VersionRead());
        var loaded = cluster.Time.GetUtcNow();
        await Rest();
        var concerned = quarantine
            ? await Service.Obey(Quarantine(loaded, loaded))
            : (await Service.Announce([new(id, 2)])).Length;
        Assert.True(concerned >= 1);
        Assert.Equal((1, 1), (Compositions, Droits));

        Famille.Version = 2;
        Assert.Equal(2, await VersionRead());
    }

    [Fact]
    public async Task A_quarantine_forgets_a_family_of_which_something_was_loaded_within_it_with_its_version()
    {
        Famille.With(Personne.NirText).With(Enfant, "enfant", "2015-01-05");
        await Read();
        await cluster.Advance(TimeSpan.FromMinutes(3));
        var within = cluster.Time.GetUtcNow();
        Famille.Version = 900;
        Assert.Equal(900, Version(await Read(Enfant)));
        await cluster.Advance(TimeSpan.FromMinutes(3));
        Famille.Version = 2;

        Assert.Equal(0, await Service.Obey(Quarantine(within + TimeSpan.FromSeconds(31), within + TimeSpan.FromSeconds(60))));
        Assert.NotEmpty((await Service.Look(id))!.Parts);
        Assert.Equal(1, await Service.Obey(Quarantine(within, within + TimeSpan.FromSeconds(30))));
        Assert.Empty((await Service.Look(id))!.Parts);
        Assert.Equal(2, await VersionRead());
        Assert.Equal(2, Version(await Read(Enfant)));
    }

    [Fact]
    public async Task A_forgotten_family_may_go_back_in_version()
    {
        Famille.With(Personne.NirText).Version = long.MaxValue;
        Assert.Equal(long.MaxValue, await VersionRead());
        Famille.Version = 5;
        await cluster.Advance(TimeSpan.FromMinutes(80));
        Assert.Equal(long.MaxValue, await VersionRead());

        Assert.Equal(1, await Service.Obey(Order(OrdreKind.Forget)));
        await cluster.Advance(TimeSpan.FromSeconds(70));
        Assert.Equal(5, await VersionRead());
    }

    [Fact]
    public async Task A_family_made_stale_is_asked_again_before_it_is_shown()
    {
        Famille.With(Personne.NirText);
        await Read();
        await cluster.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal(1, await Service.Obey(Order(OrdreKind.StaleFamille)));

        Assert.Equal(CacheOutcome.Confirmed, (await Read()).Cache!.Outcome);
        Assert.Equal((2, 2), (Compositions, Droits));
        Assert.Equal(CacheOutcome.Hit, (await Read()).Cache!.Outcome);
    }

    [Fact]
    public async Task A_stale_copy_that_is_shown_because_the_si_fails_does_not_look_fresh()
    {
        Famille.With(Personne.NirText);
        await Read();
        await cluster.Advance(TimeSpan.FromSeconds(1));
        await Service.Obey(Order(OrdreKind.StaleFamille));
        Famille.Status = 503;

        var read = await Read();
        Assert.Equal((FamilleOutcome.Ok, CacheOutcome.OldCopy), (read.Outcome, read.Cache!.Outcome));
        Assert.True(read.Cache.TtlSeconds <= 0);
        await cluster.Advance(TimeSpan.FromSeconds(70));
    }

    [Fact]
    public async Task What_an_operator_sees_is_no_right_and_no_name()
    {
        Famille.With(Personne.NirText);
        await Read();
        var state = await Service.Look(id);
        Assert.Equal(["composition", "droits"], state!.Parts.Select(part => part.Part));
        Assert.All(state.Parts, part => Assert.Equal((1, "si", false), (part.Version, part.Source, part.Superseded)));
        Assert.DoesNotContain(Personne.NirText, System.Text.Json.JsonSerializer.Serialize(state), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Rights_that_the_list_would_show_are_asked_again_behind_it()
    {
        Famille.With(Personne.NirText, presences: false);
        await Read();
        await Rest();
        Famille.Version = 2;
        await Service.Announce([new(id, 2)]);
        Assert.Equal((1, 1), (Compositions, Droits));

        await Grain.GetBeneficiaires(new() { Utilisateur = Personne.Nir }, Cancellation);
        await DroitsCluster.Until(() => (Compositions, Droits) == (2, 2));
    }

    private async Task Rest()
    {
        await cluster.Advance(TimeSpan.FromSeconds(61));
        await DroitsCluster.Until(() => cluster.FindFamille(Grain.GetGrainId()) is { IsAtRest: true });
    }

    private Ordre Order(OrdreKind kind) => new() { Id = Guid.NewGuid(), Kind = kind, Instant = cluster.Time.GetUtcNow(), Famille = id };

    private static Ordre Quarantine(DateTimeOffset from, DateTimeOffset to) =>
        new() { Id = Guid.NewGuid(), Kind = OrdreKind.Quarantine, From = from, Instant = to };

    private async Task<long> VersionRead() => Version(await Read());

    private async Task<long> VersionRead(string famille) => Version(
        await cluster.Client.GetGrain<IFamilleGrain>(FamilleKey.Of(famille)).GetDroits(new() { Utilisateur = Personne.Nir }, Cancellation));

    private static long Version(FamilleReply reply)
    {
        Assert.Equal(FamilleOutcome.Ok, reply.Outcome);
        return Grains.Droits.PartJson.ReadDroits(reply.Payload).Version;
    }

    private Task<FamilleReply> Read(string? beneficiaire = null)
    {
        Grains.Droits.Nir? nir = null;
        Assert.True(beneficiaire is null || Grains.Droits.Nir.TryParse(beneficiaire, out nir));
        return Grain.GetDroits(new() { Utilisateur = Personne.Nir, Beneficiaire = nir }, Cancellation);
    }
}
