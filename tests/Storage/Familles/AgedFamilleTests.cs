using System.Text;
using DroitsAmeli.Grains.Droits;
using DroitsAmeli.Grains.Familles;
using DroitsAmeli.Grains.Storage.Schema;
using DroitsAmeli.Tests.Cluster;
using DroitsAmeli.Tests.Postgres;
using DroitsAmeli.Tests.Rules.Storage;
using Microsoft.Extensions.Time.Testing;
using Orleans.Core.Internal;

namespace DroitsAmeli.Tests.Storage.Familles;

/// <summary>Stored families on a clock that a test moves.</summary>
[Collection(StorageCounters.Name)]
public sealed class AgedFamilleTests(Databases databases) : IAsyncLifetime
{
    private const string Assure = "1800175108001";
    private const string Enfant = "1150175108002";
    private const string Benjamin = "1180175108004";
    private const string Id = "F-1";

    private readonly DirectoryInfo folder = Directory.CreateTempSubdirectory("droits-aged-");
    private readonly FakeTimeProvider time = new(new(2026, 11, 23, 9, 0, 0, TimeSpan.Zero));
    private readonly Counts counts = new();
    private readonly List<StoredSilo> silos = [];
    private FakeRegimeSi si = null!;
    private string database = null!;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    private FakeFamille Famille => si.Famille(Id);

    private (int Compositions, int Droits) Asked => (si.Count("familles/" + Id), si.Count("droits/" + Id));

    public async ValueTask InitializeAsync()
    {
        database = await databases.Create();
        await SchemaMigrations.OfThisBuild.Apply(database, Cancellation);
        si = await FakeRegimeSi.Start();
        Famille.With(Assure).With(Enfant, "enfant", "2015-01-05").With(Benjamin, "enfant", "2018-01-05");
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var silo in silos)
            await silo.DisposeAsync();
        if (si is not null)
            await si.DisposeAsync();
        counts.Dispose();
        folder.Delete(recursive: true);
    }

    [Fact]
    public async Task A_part_that_may_no_longer_be_shown_goes_from_memory_and_store_and_the_others_stay()
    {
        var silo = await Start();
        await Read(silo, Enfant);
        await Read(silo);
        await Passes(async () => (await Stored(silo))?.Parts.Count == 3);
        time.Advance(TimeSpan.FromHours(71.9));
        await Read(silo);
        await Rest(silo);
        Assert.Equal(3, (await Stored(silo))!.Parts.Count);
        Assert.Equal(3, (await silo.Familles.Look(Id))!.Parts.Length);

        time.Advance(TimeSpan.FromMinutes(6));
        Assert.Equal(2, (await silo.Familles.Look(Id))!.Parts.Length);
        await Passes(async () => (await Stored(silo)) is { Parts: [{ Nir: null }, { Nir: Assure }] });
        var asked = Asked;
        Assert.Equal(FamilleOutcome.Ok, (await Read(silo)).Outcome);
        Assert.Equal(asked, Asked);
    }

    [Fact]
    public async Task A_row_that_nobody_holds_goes_when_its_oldest_part_may_no_longer_be_shown()
    {
        var silo = await Start();
        await Read(silo, Enfant);
        var expiry = time.GetUtcNow() + TimeSpan.FromHours(72);
        await Passes(async () => await Stored(silo) is not null);
        time.Advance(TimeSpan.FromHours(71));
        await Read(silo);
        await Rest(silo);
        await silo.Kill();

        Assert.Equal(1, await PostgresServer.Scalar<long>(
            database, $"SELECT count(*) FROM orleansstorage WHERE expires_at <= '{expiry.AddHours(24):O}'"));
    }

    [Fact]
    public async Task What_a_family_has_loaded_itself_is_not_replaced_by_an_older_row_that_could_not_be_read_before()
    {
        var first = await Start();
        await Read(first);
        await Passes(async () => await Stored(first) is not null);
        await first.Kill();

        await PostgresServer.Execute(database, "ALTER TABLE orleansstorage RENAME TO away");
        Famille.Version = 2;
        var second = await Start(writeDelaySeconds: 60);
        Assert.Equal(2, Version(await Read(second)));
        await Passes(() => second.Service<FamilleIndex>().Find(IdOf(second)) is { IsAtRest: true }, TimeSpan.FromSeconds(10));
        await second.Store.Settle([IdOf(second)], Cancellation);
        Assert.Equal(0, second.Store.Pending);

        Famille.Status = 503;
        await PostgresServer.Execute(database, "ALTER TABLE away RENAME TO orleansstorage");
        var before = counts["storage.reads:found"];

        // Time stands still while the row is read: no read of it can be late.
        time.Advance(TimeSpan.FromSeconds(10));
        await Eventually.Holds(
            async () =>
            {
                Assert.Equal(2, Version(await Read(second)));
                return counts["storage.reads:found"] > before;
            },
            TimeSpan.FromSeconds(30),
            counts.ToString);
        Assert.Equal(2, Version(await Read(second)));
        await Passes(async () => (await Stored(second))?.Parts.All(part => part.Version == 2) == true);
    }

    [Fact]
    public async Task A_row_that_could_not_be_read_is_not_removed_because_nothing_is_held()
    {
        var first = await Start();
        await Read(first);
        await Passes(async () => await Stored(first) is not null);
        await first.Kill();

        time.Advance(TimeSpan.FromMinutes(1));
        await PostgresServer.Execute(database, "ALTER TABLE orleansstorage RENAME TO away");
        var second = await Start();
        var quarantine = new Ordre { Id = Guid.NewGuid(), Kind = OrdreKind.Quarantine, From = time.GetUtcNow(), Instant = time.GetUtcNow() };
        await Read(second);
        Famille.Status = 503;
        Assert.Equal(1, await second.Familles.Obey(quarantine));
        time.Advance(TimeSpan.FromSeconds(2));
        await second.Service<FamilleIndex>().Find(IdOf(second))!.Post(() => true);
        await PostgresServer.Execute(database, "ALTER TABLE away RENAME TO orleansstorage");
        await Passes(() => second.Store.Pending == 0, TimeSpan.FromSeconds(10));

        Assert.Equal(1, await PostgresServer.Scalar<long>(database, "SELECT count(*) FROM orleansstorage"));
        time.Advance(TimeSpan.FromSeconds(10));
        await Eventually.Holds(
            async () => (await second.Grains.GetGrain<IFamilleGrain>(FamilleKey.Of(Id)).GetDroits(new() { Utilisateur = NirOf(Assure) }, Cancellation))
                .Outcome is FamilleOutcome.Ok,
            TimeSpan.FromSeconds(30),
            counts.ToString);
    }

    [Fact]
    public async Task What_a_quarantine_forgets_while_the_database_is_away_is_not_written_when_it_is_back()
    {
        var silo = await Start(writeDelaySeconds: 60);
        await PostgresServer.Execute(database, "ALTER TABLE orleansstorage RENAME TO away");
        var from = time.GetUtcNow();
        await Read(silo);
        await Passes(() => silo.Service<FamilleIndex>().Find(IdOf(silo)) is { IsAtRest: true }, TimeSpan.FromSeconds(10));
        await Passes(() => counts["storage.writes:failed"] > 0, TimeSpan.FromSeconds(1));

        var quarantine = new Ordre { Id = Guid.NewGuid(), Kind = OrdreKind.Quarantine, From = from, Instant = time.GetUtcNow() };
        silo.Service<Ordres>().Add(quarantine);
        Assert.Equal(1, await silo.Familles.Obey(quarantine));
        Assert.Equal(1, silo.Store.Pending);
        await PostgresServer.Execute(database, "ALTER TABLE away RENAME TO orleansstorage");
        await Passes(() => silo.Store.Pending == 0, TimeSpan.FromSeconds(10));

        Assert.Equal(0, counts["storage.writes:dropped"]);
        Assert.Equal(0, await PostgresServer.Scalar<long>(database, "SELECT count(*) FROM orleansstorage"));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task What_could_not_be_written_when_a_version_was_announced_is_written_again_with_it(bool atRest)
    {
        var silo = await Start(writeDelaySeconds: 60);
        await PostgresServer.Execute(database, "ALTER TABLE orleansstorage RENAME TO away");
        await Read(silo);
        if (atRest)
            await Passes(() => silo.Service<FamilleIndex>().Find(IdOf(silo)) is { IsAtRest: true }, TimeSpan.FromSeconds(10));
        else
            await Passes(() => silo.Store.Pending == 1);
        Famille.Status = 503;
        Assert.Equal([Id], await silo.Familles.Announce([new(Id, 2)]));
        Assert.Equal(1, counts["storage.writes:dropped"]);

        await PostgresServer.Execute(database, "ALTER TABLE away RENAME TO orleansstorage");
        await Passes(async () => (await Stored(silo))?.Newest == 2, TimeSpan.FromSeconds(10));
    }

    [Fact]
    public async Task An_operator_sees_where_each_part_came_from_after_a_rest_too()
    {
        var first = await Start();
        await Read(first, Enfant);
        await Read(first);
        await Passes(async () => (await Stored(first))?.Parts.Count == 3);
        await first.Kill();

        var second = await Start();
        await Read(second);
        await Rest(second);
        Assert.Equal(["stockage", "stockage", "stockage"], (await second.Familles.Look(Id))!.Parts.Select(part => part.Source));
        time.Advance(TimeSpan.FromHours(2));
        await Read(second);
        await Rest(second);
        Assert.Equal(["si", "si", "stockage"], (await second.Familles.Look(Id))!.Parts.Select(part => part.Source).Order());
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_part_that_this_build_cannot_read_is_not_there_and_counted(bool composition)
    {
        var first = await Start();
        await Read(first);
        await Passes(async () => (await Stored(first))?.Parts.Count == 2);
        var snapshot = await Stored(first);
        var parts = snapshot!.Parts.Select(part => part.Nir is null == composition ? part with { Payload = OfANewerBuild(part.Payload) } : part).ToList();
        var now = time.GetUtcNow();
        await first.Kill();

        var second = await Start();
        var asked = Asked;
        second.Store.Forget(RestingFamille.Kind, IdOf(second));
        second.Store.Save(RestingFamille.Kind, IdOf(second), Id, new(SnapshotCodec.Encode(snapshot with { Parts = parts }), now, now, now.AddHours(72)));
        await second.Store.Flush(TimeSpan.FromSeconds(30));

        Assert.Equal("CPAM", PartJson.ReadDroits((await Read(second)).Payload).Caisse!.Libelle);
        Assert.Equal((asked.Compositions + (composition ? 1 : 0), asked.Droits + (composition ? 0 : 1)), Asked);
        Assert.Equal(1, counts["storage.reads:refused:newer"]);
        Assert.Equal(2, (await second.Familles.Look(Id))!.Parts.Length);
    }

    [Fact]
    public async Task A_family_that_is_too_large_to_be_at_rest_is_neither_stored_nor_kept_and_answered_again()
    {
        var silo = await Start();
        await Read(silo);
        await Passes(async () => await Stored(silo) is not null);

        // Each letter takes 2 bytes on the way from the SI and 6 at rest.
        (Famille.Caisse, Famille.Version) = (new('é', 500_000), 2);
        await silo.Familles.Announce([new(Id, 2)]);
        await ReadAll(silo);
        await Passes(() => counts["storage.writes:not_encoded"] == 1);
        time.Advance(TimeSpan.FromSeconds(61));
        await Eventually.Holds(
            async () => await silo.Familles.Look(Id) is { Parts: [] }, TimeSpan.FromSeconds(30), () => "The family did not come to rest.");

        var asked = Asked;
        await ReadAll(silo);
        Assert.Equal((asked.Compositions + 1, asked.Droits + 3), Asked);

        await silo.Grains.GetGrain<IFamilleGrain>(FamilleKey.Of(Id)).Cast<IGrainManagementExtension>().DeactivateOnIdle(Cancellation);
        await Eventually.Holds(async () => await silo.Familles.Look(Id) is null, TimeSpan.FromSeconds(30), () => "The family did not leave.");
        Assert.Equal(2, counts["storage.writes:not_encoded"]);
    }

    private async Task<StoredSilo> Start(double writeDelaySeconds = 0.1)
    {
        var silo = await StoredSilo.Start(database, folder.FullName, si, writeDelaySeconds, time);
        silos.Add(silo);
        return silo;
    }

    private static async Task<FamilleReply> Read(StoredSilo silo, string? beneficiaire = null)
    {
        var reply = await silo.Grains.GetGrain<IFamilleGrain>(FamilleKey.Of(Id)).GetDroits(
            new() { Utilisateur = NirOf(Assure), Beneficiaire = beneficiaire is null ? null : NirOf(beneficiaire) }, Cancellation);
        Assert.Equal(FamilleOutcome.Ok, reply.Outcome);
        return reply;
    }

    private static async Task ReadAll(StoredSilo silo)
    {
        foreach (var nir in (string[])[Assure, Enfant, Benjamin])
            await Read(silo, nir);
    }

    private static long Version(FamilleReply reply) => PartJson.ReadDroits(reply.Payload).Version;

    /// <summary>Lets the family come to rest, and what it saves be written.</summary>
    private async Task Rest(StoredSilo silo)
    {
        await Passes(() => silo.Service<FamilleIndex>().Find(IdOf(silo)) is { IsAtRest: true }, TimeSpan.FromSeconds(10));
        await silo.Store.Flush(TimeSpan.FromSeconds(30));
    }

    private static async Task<FamilleSnapshot?> Stored(StoredSilo silo)
    {
        await silo.Store.Flush(TimeSpan.FromSeconds(30));
        return (await silo.Store.Read(RestingFamille.Kind, IdOf(silo), Id, Cancellation)).Found is { } stored
            ? SnapshotCodec.Decode(stored.Snapshot.Content.Span)
            : null;
    }

    private static byte[] OfANewerBuild(ReadOnlyMemory<byte> payload) => Encoding.UTF8.GetBytes(Encoding.UTF8.GetString(payload.Span)
        .Replace("\"assure\"", "\"pupille\"", StringComparison.Ordinal).Replace("\"AMC\"", "\"AMX\"", StringComparison.Ordinal));

    private static Orleans.Runtime.GrainId IdOf(StoredSilo silo) => silo.Grains.GetGrain<IFamilleGrain>(FamilleKey.Of(Id)).GetGrainId();

    private static Nir NirOf(string text) => Nir.TryParse(text, out var nir) ? nir : throw new ArgumentException("Not a NIR.", nameof(text));

    private Task Passes(Func<bool> condition, TimeSpan? step = null) => Passes(() => Task.FromResult(condition()), step);

    /// <summary>Moves the clock in steps until that holds.</summary>
    private Task Passes(Func<Task<bool>> condition, TimeSpan? step = null) => Eventually.Holds(
        async () =>
        {
            if (await condition())
                return true;
            time.Advance(step ?? TimeSpan.FromMilliseconds(100));
            return false;
        },
        TimeSpan.FromSeconds(30),
        () => $"It did not come about: {counts}.");
}
