using DroitsAmeli.Grains.Storage.Schema;
using DroitsAmeli.Tests.Postgres;

namespace DroitsAmeli.Tests.Storage;

/// <summary><c>migrate</c>, as an operator runs it.</summary>
public sealed class MigrateCommandTests(Databases databases)
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Applies_the_schema_to_both_databases_and_says_what_it_did()
    {
        var storage = await databases.Create();
        var cluster = await databases.Create();
        string[] files = [.. Migration.OfThisBuild.Select(migration => migration.ToString())];

        Assert.Equal(
            (0, string.Join('\n', files.Select(file => $"Storage:ConnectionString: applied {file}").Concat(files.Select(file => $"Cluster:ConnectionString: applied {file}"))), ""),
            await Migrate(storage, cluster));
        await SchemaMigrations.OfThisBuild.Check(storage, Stop);
        await SchemaMigrations.OfThisBuild.Check(cluster, Stop);
        Assert.Equal((0, "Storage:ConnectionString: up to date", ""), await Migrate(storage, storage));
    }

    [Fact]
    public async Task Says_in_one_line_why_it_cannot()
    {
        var database = await databases.Create();
        await PostgresServer.Execute(database, "CREATE ROLE guest LOGIN PASSWORD 'a-secret'");

        await Fails(null, null, "Storage:ConnectionString and Cluster:ConnectionString are missing");
        await Fails("Host=127.0.0.1;Port=1;Password=a-secret", null, "Storage:ConnectionString: The database");
        await Fails(null, database + ";Username=guest;Password=a-secret", "permission denied for schema public");
        await Fails("a-secret", null, "Storage:ConnectionString must be the connection string of a PostgreSQL database.");

        await SchemaMigrations.OfThisBuild.Apply(database, Stop);
        await PostgresServer.Execute(database, "UPDATE droits_schema SET sha256 = 'abc' WHERE number = 2");
        await Fails(database, null, "was migrated with another 0002_storage");
    }

    private static async Task Fails(string? storage, string? cluster, string message)
    {
        var (code, output, errors) = await Migrate(storage, cluster);
        Assert.Equal((1, ""), (code, output));
        Assert.Contains(message, errors, StringComparison.Ordinal);
        Assert.False(errors.Contains('\n') || errors.Contains("a-secret", StringComparison.Ordinal), errors);
    }

    private static async Task<(int Code, string Output, string Errors)> Migrate(string? storage, string? cluster)
    {
        (string, string?)[] settings = [("Storage__ConnectionString", storage), ("Cluster__ConnectionString", cluster)];
        await using var process = ChildProcess.Start("Silo", ["migrate"], [.. settings.Where(setting => setting.Item2 is not null).Select(setting => (setting.Item1, setting.Item2!))]);
        return (await process.Exited(Limit), process.Output, process.Errors);
    }
}
