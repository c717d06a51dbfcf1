using DroitsAmeli.Grains.Droits;
using DroitsAmeli.Grains.Evenements;
using DroitsAmeli.Grains.Exploitation;
using DroitsAmeli.Grains.Familles;
using DroitsAmeli.Grains.FranceConnect;
using DroitsAmeli.Grains.Identites;
using DroitsAmeli.Grains.RegimeSi;
using DroitsAmeli.Grains.Storage.Schema;
using DroitsAmeli.Tests.Cluster;
using DroitsAmeli.Tests.Postgres;

namespace DroitsAmeli.Tests.Storage.Familles;

/// <summary>Families and identities over the loss of their silo, and when the cluster has come apart.</summary>
public sealed class StoredFamilleTests(Databases databases) : IAsyncLifetime
{
    private const string Assure = "1800175108001";
    private const string Enfant = "1150175108002";
    private const string Id = "F-1";

    private static readonly IdentificationRequest Durand = new()
    {
        FamilyName = "DURAND",
        GivenNames = ["JEAN"],
        Gender = "male",
        Birthdate = "1980-01-05",
        Birthplace = "75108",
        Birthcountry = "99100",
    };

    private readonly DirectoryInfo folder = Directory.CreateTempSubdirectory("droits-stored-");
    private readonly List<StoredSilo> silos = [];
    private FakeRegimeSi si = null!;
    private string database = null!;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    private FakeFamille Famille => si.Famille(Id);

    public async ValueTask InitializeAsync()
    {
        database = await databases.Create();
        await SchemaMigrations.OfThisBuild.Apply(database, Cancellation);
        si = await FakeRegimeSi.Start();
        Famille.With(Assure).With(Enfant, "enfant", "2015-01-05");
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var silo in silos)
            await silo.DisposeAsync();
        if (si is not null)
            await si.DisposeAsync();
        folder.Delete(recursive: true);
    }

    [Fact]
    public async Task A_family_whose_silo_was_killed_is_answered_by_the_next_without_asking_the_si()
    {
        var first = await Start();
        var before = await Read(first);
        await Stored(1);
        await first.Kill();

        var after = await Read(await Start());
        Assert.Equal(before.Payload, after.Payload);
        Assert.Equal(CacheOutcome.Hit, after.Cache!.Outcome);
        Assert.Equal(before.Cache!.Situation.ToUnixTimeMilliseconds(), after.Cache.Situation.ToUnixTimeMilliseconds());
        Assert.Equal((1, 1), Asked);
    }

    [Fact]
    public async Task What_was_not_written_yet_when_the_silo_was_killed_is_only_loaded_again()
    {
        var first = await Start(writeDelaySeconds: 60);
        await Read(first);
        await first.Kill();

        Assert.Equal(FamilleOutcome.Ok, (await Read(await Start())).Outcome);
        Assert.Equal((2, 2), Asked);
    }

    [Fact]
    public async Task A_silo_that_stops_in_order_writes_what_waits()
    {
        var first = await Start(writeDelaySeconds: 60);
        await Read(first);
        await first.DisposeAsync();
        silos.Remove(first);

        await Read(await Start());
        Assert.Equal((1, 1), Asked);
    }

    [Fact]
    public async Task A_stored_family_that_the_feed_has_superseded_is_asked_for_and_never_served()
    {
        var first = await Start();
        await Read(first);
        await Stored(1);
        await first.Kill();
        await PostgresServer.Execute(database, "UPDATE orleansstorage SET least_version = 2");
        Famille.Status = 503;

        var second = await Start();
        Assert.Equal(FamilleOutcome.SiUnavailable, (await Read(second)).Outcome);
        Assert.Equal(2, (await second.Familles.Look(Id))!.Newest);
        Assert.All((await second.Familles.Look(Id))!.Parts, part => Assert.Equal((1, "stockage", true), (part.Version, part.Source, part.Superseded)));
    }

    [Fact]
    public async Task What_a_family_was_about_to_save_is_in_the_store_when_its_silo_has_been_told_of_a_version()
    {
        var silo = await Start(writeDelaySeconds: 60);
        await Read(silo);
        Famille.Status = 503;
        var grain = FindGrain(silo);
        using var leaves = new ManualResetEventSlim();
        var leaving = grain.Post(() =>
        {
            leaves.Wait(Cancellation);
            return grain.OnDeactivateAsync(new(DeactivationReasonCode.ApplicationRequested, ""), Cancellation);
        });
        var announcing = silo.Familles.Announce([new(Id, 2)]);
        await Until(() => silo.Service<RecentEvenements>().VersionOf(Id) == 2);
        Assert.False(announcing.IsCompleted);
        leaves.Set();
        await await leaving;
        Assert.Equal([Id], await announcing);
        Assert.Equal(1, await Rows());
    }

    [Fact]
    public async Task A_version_that_is_only_announced_is_not_written()
    {
        var first = await Start(writeDelaySeconds: 60);
        await Read(first);
        await Until(() => first.Store.Pending == 1);
        await first.Store.Flush(TimeSpan.FromSeconds(30));
        Famille.Status = 503;
        await first.Familles.Announce([new(Id, 2)]);
        Assert.Equal(2, (await first.Familles.Look(Id))!.Newest);

        var grain = FindGrain(first);
        await await grain.Post(() => grain.OnDeactivateAsync(new(DeactivationReasonCode.ApplicationRequested, ""), Cancellation));
        Assert.Equal(0, first.Store.Pending);
    }

    [Fact]
    public async Task Of_two_activations_of_one_family_the_older_never_overwrites_the_newer()
    {
        var slow = await Start(writeDelaySeconds: 60);
        var quick = await Start();
        Assert.Equal(1, Version(await Read(slow)));
        await Until(() => slow.Store.Pending == 1);

        Famille.Version = 2;
        Assert.Equal(2, Version(await Read(quick)));
        await Stored(1);
        await slow.Store.Flush(TimeSpan.FromSeconds(30));
        Assert.Equal(0, slow.Store.Pending);
        await slow.Kill();
        await quick.Kill();

        var third = await Start();
        Assert.Equal(2, Version(await Read(third)));
        Assert.Equal(CacheOutcome.Hit, (await Read(third)).Cache!.Outcome);
        Assert.Equal(1, await Rows());
    }

    [Fact]
    public async Task Two_activations_that_hold_different_parts_leave_both_in_the_store()
    {
        var one = await Start(writeDelaySeconds: 60);
        var other = await Start(writeDelaySeconds: 60);
        await Task.WhenAll(Read(one), Read(other, Enfant));
        await Until(() => one.Store.Pending == 1 && other.Store.Pending == 1);
        await Task.WhenAll(one.Store.Flush(TimeSpan.FromSeconds(30)), other.Store.Flush(TimeSpan.FromSeconds(30)));
        Assert.Equal(1, await Rows());
        await one.Kill();
        await other.Kill();
        var asked = Asked;

        var third = await Start();
        Assert.Equal(FamilleOutcome.Ok, (await Read(third)).Outcome);
        Assert.Equal(FamilleOutcome.Ok, (await Read(third, Enfant)).Outcome);
        Assert.Equal(asked, Asked);
    }

    [Fact]
    public async Task Who_has_left_the_family_leaves_the_store_too()
    {
        var first = await Start();
        await Read(first);
        await Read(first, Enfant);
        await Stored(1);
        await first.Store.Flush(TimeSpan.FromSeconds(30));
        Famille.Remove(Enfant);
        Famille.Version = 2;
        await first.Familles.Announce([new(Id, 2)]);
        Assert.Equal(2, Version(await Read(first)));
        Assert.Equal(FamilleOutcome.BeneficiaireInconnu, (await Read(first, Enfant)).Outcome);
        await Eventually.Holds(
            async () =>
            {
                await first.Store.Flush(TimeSpan.FromSeconds(30));
                var stored = await first.Store.Read(
                    RestingFamille.Kind, first.Grains.GetGrain<IFamilleGrain>(FamilleKey.Of(Id)).GetGrainId(), Id, Cancellation);
                return SnapshotCodec.Decode(stored.Found!.Snapshot.Content.Span)!.Parts.Select(part => part.Nir).SequenceEqual([null, Assure]);
            },
            TimeSpan.FromSeconds(30),
            () => "The rights of somebody who left are still stored.");
    }

    [Fact]
    public async Task A_forgotten_family_is_gone_from_the_store_with_its_version()
    {
        Famille.Version = 900;
        var first = await Start();
        await Read(first);
        await Stored(1);
        Assert.Equal(1, await first.Familles.Obey(
            new() { Id = Guid.NewGuid(), Kind = OrdreKind.Forget, Instant = TimeProvider.System.GetUtcNow(), Famille = Id }));
        await Stored(0);
        Famille.Version = 5;
        Assert.Equal(5, Version(await Read(first)));
    }

    [Fact]
    public async Task Rights_that_the_si_has_refused_do_not_come_back_from_the_store()
    {
        var first = await Start();
        Assert.Equal(FamilleOutcome.Ok, (await Read(first, Enfant)).Outcome);
        await first.Store.Flush(TimeSpan.FromSeconds(10));

        await Stored(1);
        var before = await PostgresServer.Scalar<DateTime>(database, "SELECT modifiedon FROM orleansstorage");

        (Famille.SansDroits, Famille.DroitsVersion) = (true, 2);
        await first.Familles.Obey(new() { Id = Guid.NewGuid(), Kind = OrdreKind.StaleFamille, Instant = TimeProvider.System.GetUtcNow(), Famille = Id });
        Assert.Equal(FamilleOutcome.BeneficiaireInconnu, (await Read(first, Enfant)).Outcome);
        await Eventually.Holds(
            async () => await PostgresServer.Scalar<DateTime>(database, "SELECT modifiedon FROM orleansstorage") > before,
            TimeSpan.FromSeconds(30),
            () => "The refusal came to no write.");
        await first.Kill();

        Assert.Equal(FamilleOutcome.BeneficiaireInconnu, (await Read(await Start(), Enfant)).Outcome);
    }

    [Fact]
    public async Task An_identity_outlives_its_silo_and_a_rejected_one_does_not()
    {
        si.Identity("DURAND", 200, Id, Assure);
        var first = await Start();
        Assert.Equal(Id, (await Identify(first, null)).Famille);
        await Stored(1);
        await first.Kill();

        var second = await Start();
        Assert.Equal((Id, Assure), ((await Identify(second, null)).Famille, (await Identify(second, null)).Nir!.Value));
        Assert.Equal(1, si.Count("identifications/DURAND"));

        si.Identity("DURAND", 404);
        Assert.Equal(IdentiteOutcome.NotAttached, (await Identify(second, Id)).Outcome);
        await Stored(0);
        Assert.Equal(2, si.Count("identifications/DURAND"));
    }

    [Fact]
    public async Task What_the_store_could_not_give_at_first_is_taken_from_it_once_it_can()
    {
        si.Identity("DURAND", 200, Id, Assure);
        var first = await Start();
        var before = await Read(first);
        await Identify(first, null);
        await Stored(2);
        await first.Kill();
        Famille.Status = 503;
        si.Identity("DURAND", 503);

        await TakeTableAway();
        var second = await Start();
        Assert.Equal(FamilleOutcome.SiUnavailable, (await Read(second)).Outcome);
        Assert.Equal(IdentiteOutcome.SiUnavailable, (await Identify(second, null)).Outcome);
        Assert.Equal(WarmUpOutcome.Failed, await second.Grains.GetGrain<IFamillePrechauffee>(FamilleKey.Of(Id)).WarmUp());

        await BringTableBack();
        await Eventually.Holds(
            async () => (await Read(second)).Payload.SequenceEqual(before.Payload), TimeSpan.FromSeconds(30), () => "The stored rights are not shown.");
        await Eventually.Holds(
            async () => (await Identify(second, null)).Famille == Id, TimeSpan.FromSeconds(30), () => "The stored identity is not used.");
    }

    [Fact]
    public async Task A_family_that_went_without_its_store_takes_from_it_what_it_still_lacks()
    {
        var first = await Start();
        var before = await Read(first, Enfant);
        await Read(first);
        await Stored(1);
        await first.Store.Flush(TimeSpan.FromSeconds(30));
        await first.Kill();

        await TakeTableAway();
        var second = await Start();
        var since = (await Read(second)).Cache!.Situation;
        Assert.True(since > before.Cache!.Situation);
        Famille.Status = 503;

        await BringTableBack();
        await Eventually.Holds(
            async () => (await Read(second, Enfant)) is { Outcome: FamilleOutcome.Ok } after && after.Payload.SequenceEqual(before.Payload),
            TimeSpan.FromSeconds(30),
            () => "The stored rights of the child are not shown.");
        Assert.Equal(since, (await Read(second)).Cache!.Situation);
        await second.DisposeAsync();
        silos.Remove(second);

        var third = await Start();
        Assert.Equal(since.ToUnixTimeMilliseconds(), (await Read(third)).Cache!.Situation.ToUnixTimeMilliseconds());
        Assert.Equal(FamilleOutcome.Ok, (await Read(third, Enfant)).Outcome);
    }

    [Fact]
    public async Task An_identity_that_the_si_has_refused_meanwhile_does_not_come_back_from_the_store()
    {
        si.Identity("DURAND", 200, Id, Assure);
        var first = await Start();
        Assert.Equal(Id, (await Identify(first, null)).Famille);
        await Stored(1);
        await first.Kill();

        await TakeTableAway();
        si.Identity("DURAND", 404);
        var second = await Start();
        Assert.Equal(IdentiteOutcome.NotAttached, (await Identify(second, null)).Outcome);
        await BringTableBack();
        await Stored(0);
        Assert.Equal(IdentiteOutcome.NotAttached, (await Identify(second, null)).Outcome);
    }

    private Task TakeTableAway() => PostgresServer.Execute(database, "ALTER TABLE orleansstorage RENAME TO away");

    private Task BringTableBack() => PostgresServer.Execute(database, "ALTER TABLE away RENAME TO orleansstorage");

    private (int Compositions, int Droits) Asked => (si.Count("familles/" + Id), si.Count("droits/" + Id));

    private async Task<StoredSilo> Start(double writeDelaySeconds = 0.1)
    {
        var silo = await StoredSilo.Start(database, folder.FullName, si, writeDelaySeconds);
        silos.Add(silo);
        return silo;
    }

    private static Task<FamilleReply> Read(StoredSilo silo, string? beneficiaire = null) =>
        silo.Grains.GetGrain<IFamilleGrain>(FamilleKey.Of(Id)).GetDroits(
            new() { Utilisateur = NirOf(Assure), Beneficiaire = beneficiaire is null ? null : NirOf(beneficiaire) }, Cancellation);

    private static long Version(FamilleReply reply)
    {
        Assert.Equal(FamilleOutcome.Ok, reply.Outcome);
        return PartJson.ReadDroits(reply.Payload).Version;
    }

    private static Nir NirOf(string text) => Nir.TryParse(text, out var nir) ? nir : throw new ArgumentException("Not a NIR.", nameof(text));

    private Task<long> Rows() => PostgresServer.Scalar<long>(database, "SELECT count(*) FROM orleansstorage");

    private static FamilleGrain FindGrain(StoredSilo silo) =>
        silo.Service<FamilleIndex>().Find(silo.Grains.GetGrain<IFamilleGrain>(FamilleKey.Of(Id)).GetGrainId())!;

    private Task Stored(long rows) =>
        Eventually.Holds(async () => await Rows() == rows, TimeSpan.FromSeconds(30), () => $"The store does not hold {rows} rows.");

    private static Task Until(Func<bool> condition) =>
        Eventually.Holds(condition, TimeSpan.FromSeconds(30), () => "Nothing came to be written.");

    private static Task<IdentiteReply> Identify(StoredSilo silo, string? rejected) =>
        silo.Grains.GetGrain<IIdentiteGrain>(silo.Service<IdentiteKeys>().Of(Durand)).Identify(Durand, rejected, cancellationToken: Cancellation);
}
