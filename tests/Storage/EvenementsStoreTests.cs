using System.Globalization;
using DroitsAmeli.Grains.Evenements;
using DroitsAmeli.Grains.Familles;
using DroitsAmeli.Tests.Postgres;
using Npgsql;

namespace DroitsAmeli.Tests.Storage;

public sealed class EvenementsStoreTests(Databases databases)
{
    private const string Service = "s1";

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Whoever_takes_the_cursor_over_shuts_out_who_had_it()
    {
        await using var database = await EvenementsDatabase.Create(await databases.Create());
        var store = database.Store(Service);

        var first = await store.Claim(Cancellation);
        Assert.Equal(new CurseurClaim(null, 1, false), first);
        Assert.True(await store.Save("c1", first.Epoch, Cancellation));

        var second = await database.Store(Service).Claim(Cancellation);
        Assert.Equal(new CurseurClaim("c1", 2, false), second);
        Assert.False(await store.Save("c9", first.Epoch, Cancellation));
        Assert.Equal("c1", await database.Curseur(Service));
        Assert.True(await store.Save("c2", second.Epoch, Cancellation));
        Assert.Equal("c2", await database.Curseur(Service));
    }

    [Fact]
    public async Task Of_many_who_take_the_cursor_over_at_once_one_can_store_it()
    {
        await using var database = await EvenementsDatabase.Create(await databases.Create());

        var claims = await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => database.Store(Service).Claim(Cancellation)));
        var saves = await Task.WhenAll(claims.Select(claim => database.Store(Service).Save($"c{claim.Epoch}", claim.Epoch, Cancellation)));

        Assert.Equal(Enumerable.Range(1, 20), claims.Select(claim => (int)claim.Epoch).Order());
        Assert.Single(saves, saved => saved);
        Assert.Equal("c20", await database.Curseur(Service));
    }

    [Fact]
    public async Task The_cursor_of_another_service_is_another()
    {
        await using var database = await EvenementsDatabase.Create(await databases.Create());
        await database.Hold("other", ["F1"]);
        Assert.True((await database.Store("other").Claim(Cancellation)).StoresFamilies);

        Assert.Equal(new CurseurClaim(null, 1, false), await database.Store(Service).Claim(Cancellation));
    }

    [Fact]
    public async Task Raises_the_least_version_of_stored_families_and_never_lowers_it()
    {
        await using var database = await EvenementsDatabase.Create(await databases.Create());
        var store = database.Store(Service);
        await database.Hold(Service, ["F1", "7", "007", "abc", "ABC"]);
        await database.Hold("other", ["F1"]);
        await database.Hold(Service, ["F1"], state: "identite");

        Assert.Equal(3, await store.Supersede([new("F1", 5), new("abc", 6), new("7", 7), new("absent", 1)], Cancellation));
        Assert.Equal(1, await store.Supersede([new("F1", 4), new("abc", 8), new("7", 7)], Cancellation));

        Assert.Equal((5, 8, 7), (await Least("F1"), await Least("abc"), await Least("7")));
        Assert.Equal((0, 0), (await Least("007"), await Least("ABC")));
        Assert.Equal(0, await database.LeastVersion("other", "F1"));
        Assert.Equal(0, await database.LeastVersion(Service, "F1", "identite"));
        Assert.Equal(7, await PostgresServer.Scalar<long>(database.ConnectionString, "SELECT count(*) FROM orleansstorage"));

        Task<long> Least(string famille) => database.LeastVersion(Service, famille);
    }

    [Fact]
    public async Task Finds_the_rows_of_a_large_batch_by_index()
    {
        await using var database = await EvenementsDatabase.Create(await databases.Create());
        await PostgresServer.Execute(database.ConnectionString, $"""
            INSERT INTO orleansstorage
                (serviceid, graintypehash, grainidhash, grainidn0, grainidn1, graintypestring, grainidextensionstring, version, payloadbinary)
            SELECT '{Service}', 1, n, 0, 0, 'famille', 'f-' || n, 1, decode(repeat('ab', 600), 'hex') FROM generate_series(1, 100000) AS n;
            ANALYZE orleansstorage
            """);

        foreach (var count in new[] { 1, 100, 5_000 })
        {
            await using var connection = new NpgsqlConnection(database.ConnectionString);
            await connection.OpenAsync(Cancellation);
            await using var transaction = await connection.BeginTransactionAsync(Cancellation);
            await using var setting = new NpgsqlCommand(EvenementsStore.ByIndexSql, connection);
            await setting.ExecuteNonQueryAsync(Cancellation);
            await using var command = new NpgsqlCommand("EXPLAIN " + EvenementsStore.SupersedeSql, connection);
            command.Parameters.Add(new() { Value = Service });
            command.Parameters.Add(new() { Value = EvenementsStore.StateName });
            command.Parameters.Add(new() { Value = Enumerable.Range(1, count).Select(n => "f-" + (n * 17).ToString(CultureInfo.InvariantCulture)).ToArray() });
            command.Parameters.Add(new() { Value = Enumerable.Repeat(1L, count).ToArray() });
            var plan = new List<string>();
            await using var reader = await command.ExecuteReaderAsync(Cancellation);
            while (await reader.ReadAsync(Cancellation))
                plan.Add(reader.GetString(0));

            Assert.Contains(plan, line => line.Contains("Index Scan using orleansstorage_name", StringComparison.Ordinal));
            Assert.DoesNotContain(plan, line => line.Contains("Seq Scan", StringComparison.Ordinal));
        }
    }

    [Fact]
    public async Task Keeps_an_order_once()
    {
        await using var database = await EvenementsDatabase.Create(await databases.Create());
        var store = database.Store(Service);
        var instant = new DateTimeOffset(2026, 11, 23, 9, 0, 0, TimeSpan.FromHours(1));
        var ordre = new Ordre { Id = Guid.NewGuid(), Kind = OrdreKind.Stale, Instant = instant, Spread = TimeSpan.FromMinutes(15) };

        await store.Keep(ordre, Cancellation);
        await store.Keep(ordre, Cancellation);

        Assert.Equal(1, await database.Ordres(Service));
        Assert.Equal(instant.UtcDateTime, await PostgresServer.Scalar<DateTime>(database.ConnectionString, "SELECT instant FROM ordres WHERE kind = 0"));
        Assert.Equal(900d, await PostgresServer.Scalar<double>(database.ConnectionString, "SELECT spread_seconds FROM ordres"));
    }
}
