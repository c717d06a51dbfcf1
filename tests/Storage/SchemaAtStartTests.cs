using DroitsAmeli.Grains.Configuration;
using DroitsAmeli.Grains.Storage;
using DroitsAmeli.Grains.Storage.Schema;
using DroitsAmeli.Tests.Postgres;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using Microsoft.Extensions.Time.Testing;

namespace DroitsAmeli.Tests.Storage;

public sealed class SchemaAtStartTests
{
    private const string Away = "Host=127.0.0.1;Port=1;Username=droits;Database=droits";

    private readonly FakeTimeProvider time = new();

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task The_database_of_the_membership_is_waited_for_and_not_for_ever()
    {
        var start = time.GetUtcNow();
        var check = Check(new() { Mode = ClusterMode.Postgres, ConnectionString = Away });
        await Eventually.Holds(
            () =>
            {
                if (!check.IsCompleted)
                    time.Advance(TimeSpan.FromMilliseconds(50));
                return check.IsCompleted;
            },
            TimeSpan.FromSeconds(60),
            () => "It waits for ever.");

        var refusal = await Assert.ThrowsAsync<SchemaException>(() => check);
        Assert.StartsWith("Cluster:ConnectionString: The database droits at 127.0.0.1:1 does not answer", refusal.Message, StringComparison.Ordinal);
        Assert.InRange(time.GetUtcNow() - start, SchemaAtStart.WaitForMembership, SchemaAtStart.WaitForMembership * 2);
    }

    [Fact]
    public async Task A_membership_that_comes_back_within_the_wait_is_good()
    {
        Databases.SkipWithoutPostgres();
        await using var server = await PostgresServer.Create(fsync: false);
        var database = await server.CreateDatabase();
        await SchemaMigrations.OfThisBuild.Apply(database, Stop);
        await server.Stop();

        var check = Check(new() { Mode = ClusterMode.Postgres, ConnectionString = database });
        await server.Start();
        await Eventually.Holds(
            () =>
            {
                time.Advance(TimeSpan.FromMilliseconds(25));
                return check.IsCompleted;
            },
            TimeSpan.FromSeconds(30),
            () => "It does not look again.");

        await check;
    }

    [Fact]
    public async Task A_database_that_accepts_and_says_nothing_counts_as_away()
    {
        Databases.SkipWithoutPostgres();
        await using var server = await PostgresServer.Create(fsync: false);
        var database = await server.CreateDatabase();
        await server.Freeze();

        var check = Check(new(), new() { ConnectionString = database });
        await Eventually.Holds(
            () =>
            {
                time.Advance(TimeSpan.FromMilliseconds(50));
                return check.IsCompleted;
            },
            TimeSpan.FromSeconds(30),
            () => "It waits for ever.");

        await check;
    }

    [Fact]
    public async Task Without_databases_there_is_nothing_to_look_at() => await Check(new() { ConnectionString = Away });

    private Task Check(ClusterSettings cluster, StorageOptions? storage = null) =>
        new SchemaAtStart(Options.Create(storage ?? new()), Options.Create(cluster), time, NullLogger<SchemaAtStart>.Instance).Check(Stop);
}
