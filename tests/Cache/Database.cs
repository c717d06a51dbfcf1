using DroitsAmeli.Tests.Cache;
using DroitsAmeli.Tests.Postgres;

[assembly: AssemblyFixture(typeof(Database))]
[assembly: Xunit.v3.Parallelization(Mode = Xunit.Sdk.ParallelMode.None)]

namespace DroitsAmeli.Tests.Cache;

/// <summary>The PostgreSQL server of the scenarios that do it no harm, started at first need.</summary>
public sealed class Database : IAsyncDisposable
{
    private PostgresServer? server;

    /// <summary>The server. The test that asks is skipped where there can be none.</summary>
    public async Task<PostgresServer> Server()
    {
        Assert.SkipWhen(PostgresServer.Unavailable is not null, PostgresServer.Unavailable ?? "");
        return server ??= await PostgresServer.Create();
    }

    public ValueTask DisposeAsync() => server?.DisposeAsync() ?? ValueTask.CompletedTask;
}
