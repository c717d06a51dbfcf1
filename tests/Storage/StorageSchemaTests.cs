using System.Buffers.Binary;
using DroitsAmeli.Grains.Storage.Schema;
using DroitsAmeli.Tests.Postgres;
using Npgsql;
using Orleans.Storage;

namespace DroitsAmeli.Tests.Storage;

/// <summary>Our tables and texts under Orleans' own provider.</summary>
public sealed class StorageSchemaTests(Databases databases)
{
    private static readonly DateTimeOffset Oldest = new(2026, 3, 1, 8, 30, 0, 123, TimeSpan.Zero);
    private static readonly DateTimeOffset Newest = new(2026, 3, 1, 9, 45, 59, 999, TimeSpan.Zero);
    private static readonly DateTimeOffset Expiry = new(2026, 3, 2, 8, 30, 0, 1, TimeSpan.Zero);

    [Fact]
    public async Task Of_400_first_writes_at_once_one_wins_and_leaves_one_row()
    {
        var database = await databases.Create();
        await using var provider = await OrleansProvider.Start(database);
        var grain = OrleansProvider.Famille("f-cold");

        var outcomes = await Task.WhenAll(Enumerable.Range(0, 400).Select(async number =>
        {
            try
            {
                await provider.Write(grain, [(byte)number, (byte)(number >> 8)]);
                return number;
            }
            catch (InconsistentStateException)
            {
                return -1;
            }
        }));

        var winner = Assert.Single(outcomes, number => number >= 0);
        Assert.Equal(1L, await Rows(database));
        var state = await provider.Read(grain);
        Assert.Equal("1", state.ETag);
        Assert.Equal([0, 0, 0, 0, 0, 0, 0, 0, (byte)winner, (byte)(winner >> 8)], state.Payload);
    }

    [Fact]
    public async Task Of_100_later_writes_at_once_one_wins()
    {
        var database = await databases.Create();
        await using var provider = await OrleansProvider.Start(database);
        var grain = OrleansProvider.Famille("f-warm");
        var first = await provider.Write(grain, [0]);

        var refused = 0;
        await Task.WhenAll(Enumerable.Range(0, 100).Select(async _ =>
        {
            try
            {
                await provider.Write(grain, [1], first.ETag);
            }
            catch (InconsistentStateException)
            {
                Interlocked.Increment(ref refused);
            }
        }));

        Assert.Equal(99, refused);
        Assert.Equal("2", (await provider.Read(grain)).ETag);
    }

    [Fact]
    public async Task Keys_that_look_like_numbers_do_not_collide_with_our_prefix()
    {
        var database = await databases.Create();
        await using var provider = await OrleansProvider.Start(database);
        string[] keys = ["f-7", "f-007", "f-abc", "f-ABC", "i-7", "f-00000000000000000000000000000007"];

        foreach (var key in keys)
            await provider.Write(OrleansProvider.Famille(key), System.Text.Encoding.UTF8.GetBytes(key));

        Assert.Equal(keys.Length, await Rows(database));
        foreach (var key in keys)
            Assert.Equal(key, System.Text.Encoding.UTF8.GetString((await provider.Read(OrleansProvider.Famille(key))).Payload[8..]));
    }

    [Fact]
    public async Task Bare_keys_that_look_like_numbers_collide_which_is_why_ours_have_a_prefix()
    {
        var database = await databases.Create();
        await using var provider = await OrleansProvider.Start(database);

        await provider.Write(OrleansProvider.Famille("7"), [1]);

        await Assert.ThrowsAsync<InconsistentStateException>(() => provider.Write(OrleansProvider.Famille("007"), [2]));
    }

    [Fact]
    public async Task A_row_can_be_found_by_state_and_key()
    {
        var database = await databases.Create();
        await using var provider = await OrleansProvider.Start(database);
        await provider.Write(OrleansProvider.Famille("f-abc"), Header(Oldest, Newest, Expiry));

        Assert.Equal(1L, await PostgresServer.Scalar<long>(
            database,
            $"SELECT count(*) FROM orleansstorage WHERE serviceid = '{OrleansProvider.ServiceId}' AND graintypestring = 'state' AND grainidextensionstring = 'f-abc'"));
    }

    [Fact]
    public async Task The_instants_of_the_header_stand_in_columns()
    {
        var database = await databases.Create();
        await using var provider = await OrleansProvider.Start(database);

        var first = await provider.Write(OrleansProvider.Famille("f-1"), Header(Oldest, Newest, Expiry));
        Assert.Equal((Oldest, Newest, Expiry), await Instants(database));

        await provider.Write(OrleansProvider.Famille("f-1"), Header(Newest, Expiry, DateTimeOffset.MaxValue), first.ETag);
        var (oldest, newest, expiry) = await Instants(database);
        Assert.Equal((Newest, Expiry, 9999), (oldest, newest, expiry!.Value.Year));
    }

    public static TheoryData<byte[]> PayloadsWithoutAHeader => new(
        Array.Empty<byte>(),
        [0xDA],
        Header(Oldest, Newest, Expiry)[..25],
        [0xDB, .. Header(Oldest, Newest, Expiry)[1..]],
        [0x00, .. Header(Oldest, Newest, Expiry)],
        Header(long.MaxValue, long.MinValue, -1 - (long)(DateTimeOffset.UnixEpoch - DateTimeOffset.MinValue).TotalMilliseconds));

    [Theory]
    [MemberData(nameof(PayloadsWithoutAHeader))]
    public async Task Whatever_has_no_such_header_is_stored_without_instants(byte[] payload)
    {
        var database = await databases.Create();
        await using var provider = await OrleansProvider.Start(database);

        await provider.Write(OrleansProvider.Famille("f-1"), payload);

        Assert.Equal((null, null, null), await Instants(database));
        Assert.Equal(payload, (await provider.Read(OrleansProvider.Famille("f-1"))).Payload[8..]);
    }

    [Fact]
    public async Task The_least_version_comes_in_front_of_the_payload_and_outlives_a_write()
    {
        var database = await databases.Create();
        await using var provider = await OrleansProvider.Start(database);
        var grain = OrleansProvider.Famille("f-1");
        var first = await provider.Write(grain, [1, 2, 3]);
        await PostgresServer.Execute(database, "UPDATE orleansstorage SET least_version = 81985529216486895");

        var read = await provider.Read(grain);
        Assert.Equal(Convert.FromHexString("0123456789ABCDEF010203"), read.Payload);

        // The mark of the change feed is not a write of the grain.
        Assert.Equal(first.ETag, read.ETag);
        await provider.Write(grain, [4], first.ETag);
        Assert.Equal(Convert.FromHexString("0123456789ABCDEF04"), (await provider.Read(grain)).Payload);
    }

    [Fact]
    public async Task A_cleared_state_keeps_its_row_a_deleted_one_goes_and_both_can_be_written_again()
    {
        var database = await databases.Create();
        await using var provider = await OrleansProvider.Start(database);
        var grain = OrleansProvider.Famille("f-1");
        var state = await provider.Write(grain, Header(Oldest, Newest, Expiry));

        await provider.Storage.ClearStateAsync("state", grain, state);
        Assert.Equal((1L, false, "2"), (await Rows(database), (await provider.Read(grain)).Exists, state.ETag));
        Assert.Equal((null, null, null), await Instants(database));
        Assert.Equal("3", (await provider.Write(grain, [2], state.ETag)).ETag);

        var text = await PostgresServer.Scalar<string>(database, "SELECT querytext FROM orleansquery WHERE querykey = 'DeleteStorageKey'");
        Assert.Null(await Delete(database, text!, version: 2));
        Assert.Equal(4, await Delete(database, text!, version: 3));
        Assert.Equal(0L, await Rows(database));
        Assert.Equal("1", (await provider.Write(grain, [3])).ETag);
    }

    [Fact]
    public async Task A_role_that_may_read_and_write_rows_is_enough_for_a_silo()
    {
        var database = await databases.Create();
        await SchemaMigrations.OfThisBuild.Apply(database, TestContext.Current.CancellationToken);
        var role = "silo_" + new NpgsqlConnectionStringBuilder(database).Database;
        await PostgresServer.Execute(
            database, $"CREATE ROLE {role} LOGIN PASSWORD 'p'; GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {role}");
        var asSilo = $"{database};Username={role};Password=p";

        await SchemaMigrations.OfThisBuild.Check(asSilo, TestContext.Current.CancellationToken);
        await using var provider = await OrleansProvider.Start(database, asSilo);
        var first = await provider.Write(OrleansProvider.Famille("f-1"), Header(Oldest, Newest, Expiry));

        Assert.Equal("2", (await provider.Write(OrleansProvider.Famille("f-1"), Header(Newest, Newest, Expiry), first.ETag)).ETag);
        Assert.Equal((Newest, Newest, Expiry), await Instants(database));
    }

    [Fact]
    public async Task A_read_finds_its_row_by_the_unique_index()
    {
        var database = await databases.Create();
        await using var provider = await OrleansProvider.Start(database);
        await PostgresServer.Execute(database, """
            INSERT INTO orleansstorage (serviceid, graintypehash, grainidhash, grainidn0, grainidn1, graintypestring, grainidextensionstring, version)
            SELECT 'droits-test', 1, n, 0, 0, 'state', 'f-' || n, 1 FROM generate_series(1, 20000) AS n;
            ANALYZE orleansstorage
            """);
        var text = await PostgresServer.Scalar<string>(database, "SELECT querytext FROM orleansquery WHERE querykey = 'ReadFromStorageKey'");
        var literal = Literal(text!, ("GrainIdHash", "77"), ("GrainStateVersion", "1"));

        Assert.Contains("Index Scan using orleansstorage_key", await PostgresServer.Scalar<string>(database, "EXPLAIN " + literal), StringComparison.Ordinal);
    }

    private static byte[] Header(DateTimeOffset oldest, DateTimeOffset newest, DateTimeOffset expiry) =>
        Header(oldest.ToUnixTimeMilliseconds(), newest.ToUnixTimeMilliseconds(), expiry.ToUnixTimeMilliseconds());

    private static byte[] Header(long oldest, long newest, long expiry)
    {
        var bytes = new byte[40];
        bytes[0] = 0xDA;
        bytes[1] = 1;
        BinaryPrimitives.WriteInt64BigEndian(bytes.AsSpan(2), oldest);
        BinaryPrimitives.WriteInt64BigEndian(bytes.AsSpan(10), newest);
        BinaryPrimitives.WriteInt64BigEndian(bytes.AsSpan(18), expiry);
        return bytes;
    }

    private static Task<long> Rows(string database) => PostgresServer.Scalar<long>(database, "SELECT count(*) FROM orleansstorage");

    private static async Task<(DateTimeOffset? Oldest, DateTimeOffset? Newest, DateTimeOffset? Expiry)> Instants(string database)
    {
        await using var source = NpgsqlDataSource.Create(database);
        await using var command = source.CreateCommand("SELECT oldest_load, newest_load, expires_at FROM orleansstorage");
        await using var reader = await command.ExecuteReaderAsync();
        Assert.True(await reader.ReadAsync());
        return (Instant(0), Instant(1), Instant(2));

        DateTimeOffset? Instant(int column) => reader.IsDBNull(column) ? null : reader.GetFieldValue<DateTimeOffset>(column);
    }

    private static Task<int?> Delete(string database, string text, int version) =>
        PostgresServer.Scalar<int?>(database, Literal(text, ("GrainIdHash", "grainidhash"), ("GrainStateVersion", $"{version}")).Replace(
            "graintypehash = 1", "true", StringComparison.Ordinal));

    private static string Literal(string text, params (string Name, string Value)[] values)
    {
        (string Name, string Value)[] all =
        [
            .. values, ("ServiceId", $"'{OrleansProvider.ServiceId}'"), ("GrainTypeHash", "1"), ("GrainIdN0", "0"), ("GrainIdN1", "0"),
            ("GrainTypeString", "'state'"), ("GrainIdExtensionString", "'f-1'"),
        ];
        return all.Aggregate(text, (sql, one) => sql.Replace("@" + one.Name, one.Value, StringComparison.Ordinal));
    }
}
