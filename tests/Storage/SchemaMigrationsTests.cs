using System.Security.Cryptography;
using DroitsAmeli.Grains.Storage.Schema;
using DroitsAmeli.Tests.Postgres;

namespace DroitsAmeli.Tests.Storage;

public sealed class SchemaMigrationsTests(Databases databases)
{
    private static readonly string[] Files = ["0001_membership", "0002_storage", "0003_evenements", "0004_ordres"];

    private static readonly int Released = Migration.OfThisBuild.Count;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_fresh_database_gets_every_file_in_order_and_remembers_its_hash()
    {
        var database = await databases.Create();

        var applied = await SchemaMigrations.OfThisBuild.Apply(database, Stop);

        Assert.Equal(Files, applied.Take(Files.Length).Select(migration => migration.ToString()));
        Assert.Equal(Enumerable.Range(1, Released), applied.Select(migration => migration.Number));
        foreach (var migration in applied)
        {
            var file = await File.ReadAllBytesAsync(Path.Combine(Repository.Root, "deploy", "postgres", $"{migration}.sql"), Stop);
            Assert.Equal(
                Convert.ToHexStringLower(SHA256.HashData(file)),
                await PostgresServer.Scalar<string>(database, $"SELECT sha256 FROM droits_schema WHERE number = {migration.Number} AND name = '{migration.Name}'"));
        }

        await SchemaMigrations.OfThisBuild.Check(database, Stop);
    }

    [Fact]
    public async Task A_second_time_there_is_nothing_to_do()
    {
        var database = await databases.Create();
        await SchemaMigrations.OfThisBuild.Apply(database, Stop);

        Assert.Empty(await SchemaMigrations.OfThisBuild.Apply(database, Stop));
    }

    [Fact]
    public async Task Runners_at_once_apply_each_migration_once()
    {
        var database = await databases.Create();

        var applied = await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => SchemaMigrations.OfThisBuild.Apply(database, Stop)));

        Assert.Equal(Enumerable.Range(1, Released), applied.SelectMany(some => some).Select(migration => migration.Number).Order());
        await SchemaMigrations.OfThisBuild.Check(database, Stop);
    }

    [Fact]
    public async Task A_released_migration_that_is_another_now_is_refused_and_nothing_after_it_is_applied()
    {
        var database = await databases.Create();
        await SchemaMigrations.OfThisBuild.Apply(database, Stop);
        var changed = With(Migration.OfThisBuild[1] with { Sql = Migration.OfThisBuild[1].Sql + "\n-- a later thought\n" }, Next("CREATE TABLE later (n int)"));

        var refusal = await Assert.ThrowsAsync<SchemaException>(() => changed.Apply(database, Stop));
        var refusalAtStart = await Assert.ThrowsAsync<SchemaException>(() => changed.Check(database, Stop));

        Assert.Contains("another 0002_storage than the one of this build", refusal.Message, StringComparison.Ordinal);
        Assert.Contains("another 0002_storage than the one of this build", refusalAtStart.Message, StringComparison.Ordinal);
        Assert.False(await Exists(database, "later"));
    }

    [Fact]
    public async Task A_migration_that_fails_half_way_leaves_nothing_and_is_applied_once_it_is_right()
    {
        var database = await databases.Create();

        var failure = await Assert.ThrowsAsync<SchemaException>(() => With(Next("CREATE TABLE half (n int); SELECT 1 / 0")).Apply(database, Stop));

        Assert.StartsWith($"{Released + 1:0000}_next failed on The database", failure.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', failure.Message);
        Assert.False(await Exists(database, "half"));
        await SchemaMigrations.OfThisBuild.Check(database, Stop);
        Assert.Equal(Released + 1, Assert.Single(await With(Next("CREATE TABLE half (n int)")).Apply(database, Stop)).Number);
        Assert.True(await Exists(database, "half"));
    }

    [Fact]
    public async Task A_runner_that_is_cut_off_half_way_leaves_nothing_and_holds_no_lock()
    {
        var database = await databases.Create();
        var runner = With(Next("CREATE TABLE half (n int); SELECT pg_sleep(600)")).Apply(database, Stop);
        await Eventually.Holds(
            async () => runner.IsCompleted || await PostgresServer.Scalar<long>(database, $"SELECT count(*) {Sleeping}") == 1,
            TimeSpan.FromSeconds(30),
            () => "The migration did not begin.");

        await PostgresServer.Execute(database, $"SELECT pg_terminate_backend(pid) {Sleeping}");

        await Assert.ThrowsAsync<SchemaException>(() => runner);
        Assert.False(await Exists(database, "half"));
        Assert.Single(await With(Next("CREATE TABLE half (n int)")).Apply(database, Stop));
    }

    [Fact]
    public async Task A_database_of_a_later_version_serves_silos_of_this_one_and_is_not_migrated_by_it()
    {
        var database = await databases.Create();
        await With(Next("CREATE TABLE later (n int)")).Apply(database, Stop);

        await SchemaMigrations.OfThisBuild.Check(database, Stop);
        var refusal = await Assert.ThrowsAsync<SchemaException>(() => SchemaMigrations.OfThisBuild.Apply(database, Stop));

        Assert.Contains($"has migration {Released + 1:0000}, of a later version", refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_schema_that_is_missing_or_incomplete_is_told_with_the_command_that_applies_it()
    {
        var database = await databases.Create();

        var missing = await Assert.ThrowsAsync<SchemaException>(() => SchemaMigrations.OfThisBuild.Check(database, Stop));
        await SchemaMigrations.OfThisBuild.Apply(database, Stop);
        var incomplete = await Assert.ThrowsAsync<SchemaException>(() => With(Next("SELECT 1")).Check(database, Stop));

        Assert.EndsWith($"lacks 0001_membership of the schema: apply it with \"{SchemaMigrations.Command}\".", missing.Message, StringComparison.Ordinal);
        Assert.Contains($"lacks {Released + 1:0000}_next of the schema", incomplete.Message, StringComparison.Ordinal);
        Assert.False(missing.IsUnreachable);
    }

    [Fact]
    public async Task A_database_that_is_away_is_told_from_one_that_refuses_and_no_password_is_told()
    {
        var database = await databases.Create();
        await PostgresServer.Execute(database, "CREATE ROLE reader LOGIN PASSWORD 'a-secret'");

        var away = await Refusal("Host=127.0.0.1;Port=1;Username=droits;Password=a-secret;Database=droits");
        var wrongPassword = await Refusal(database + ";Password=a-secret");
        var forbidden = await Refusal(database + ";Username=reader;Password=a-secret");
        var nonsense = await Refusal("Host=127.0.0.1;Password=a-secret;Colour=blue");

        Assert.True(away.IsUnreachable);
        Assert.All([wrongPassword, forbidden, nonsense], refusal => Assert.False(refusal.IsUnreachable));
        Assert.Contains("(28P01)", wrongPassword.Message, StringComparison.Ordinal);
        Assert.Contains("permission denied for schema public (42501)", forbidden.Message, StringComparison.Ordinal);
        Assert.All(
            [away, wrongPassword, forbidden, nonsense],
            refusal => Assert.False(refusal.Message.Contains("a-secret", StringComparison.Ordinal) || refusal.Message.Contains('\n'), refusal.Message));
    }

    private const string Sleeping = "FROM pg_stat_activity WHERE datname = current_database() AND wait_event = 'PgSleep'";

    private static Migration Next(string sql) => new(Released + 1, "next", sql);

    private static SchemaMigrations With(params Migration[] others) => new(
        [.. Migration.OfThisBuild.Where(migration => others.All(other => other.Number != migration.Number)).Concat(others).OrderBy(migration => migration.Number)]);

    private static Task<bool> Exists(string database, string table) => PostgresServer.Scalar<bool>(database, $"SELECT to_regclass('{table}') IS NOT NULL");

    private static Task<SchemaException> Refusal(string connectionString) =>
        Assert.ThrowsAsync<SchemaException>(() => SchemaMigrations.OfThisBuild.Apply(connectionString, Stop));
}
