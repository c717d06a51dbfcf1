using DroitsAmeli.Tests.Storage;
using DroitsAmeli.Tests.Postgres;

[assembly: AssemblyFixture(typeof(Databases))]

namespace DroitsAmeli.Tests.Storage;

/// <summary>One PostgreSQL server for the tests that do not stop it, with a database for each that asks.</summary>
public sealed class Databases : IAsyncDisposable
{
    private readonly Lazy<Task<PostgresServer>> server = new(() => PostgresServer.Create(fsync: false));

    /// <summary>An empty database; skips the test where there is no PostgreSQL.</summary>
    /// <returns>The connection string of its owner.</returns>
    public async Task<string> Create()
    {
        SkipWithoutPostgres();
        return await (await server.Value).CreateDatabase();
    }

    /// <summary>For tests that make a server of their own.</summary>
    public static void SkipWithoutPostgres() => Assert.SkipUnless(PostgresServer.Unavailable is null, PostgresServer.Unavailable ?? "");

    public async ValueTask DisposeAsync()
    {
        if (server.IsValueCreated)
            await (await server.Value).DisposeAsync();
    }
}
