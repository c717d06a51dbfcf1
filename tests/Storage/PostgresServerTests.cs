using DroitsAmeli.Tests.Postgres;
using Npgsql;

namespace DroitsAmeli.Tests.Storage;

/// <summary>The server that the other tests rely on.</summary>
public sealed class PostgresServerTests
{
    [Fact]
    public async Task Keeps_its_port_and_what_is_committed_when_it_is_stopped_or_killed_and_started_again()
    {
        Databases.SkipWithoutPostgres();
        await using var server = await PostgresServer.Create();
        var database = await server.CreateDatabase();
        var port = server.Port;
        await PostgresServer.Execute(database, "CREATE TABLE seen (n int); INSERT INTO seen VALUES (1)");

        await server.Stop();
        Assert.False(server.IsRunning);
        await Assert.ThrowsAnyAsync<NpgsqlException>(() => PostgresServer.Execute(database, "SELECT 1"));
        await server.Start();
        await PostgresServer.Execute(database, "INSERT INTO seen VALUES (2)");

        await server.Kill();
        Assert.False(server.IsRunning);
        await Assert.ThrowsAnyAsync<NpgsqlException>(() => PostgresServer.Execute(database, "SELECT 1"));
        await server.Start();

        Assert.Equal(port, server.Port);
        Assert.Equal(2L, await PostgresServer.Scalar<long>(database, "SELECT count(*) FROM seen"));
        Assert.Equal("on", await PostgresServer.Scalar<string>(database, "SHOW fsync"));
    }

    [Fact]
    public async Task Answers_nothing_while_it_is_frozen()
    {
        Databases.SkipWithoutPostgres();
        await using var server = await PostgresServer.Create(fsync: false);
        var database = await server.CreateDatabase() + ";Timeout=1";

        await server.Freeze();
        await Assert.ThrowsAnyAsync<NpgsqlException>(() => PostgresServer.Execute(database, "SELECT 1"));

        await server.Thaw();
        Assert.Equal("off", await PostgresServer.Scalar<string>(database, "SHOW fsync"));
    }
}
