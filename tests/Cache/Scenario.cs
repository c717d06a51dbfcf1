using DroitsAmeli.Load.Processes;
using DroitsAmeli.Tests.Postgres;

namespace DroitsAmeli.Tests.Cache;

/// <summary>One scenario over a deployment of its own; when it fails, what its processes printed is shown.</summary>
internal static class Scenario
{
    /// <summary>Runs it.</summary>
    public static async Task Run(DeploymentOptions options, Func<Deployment, CancellationToken, Task> scenario)
    {
        var stop = TestContext.Current.CancellationToken;
        await using var deployment = await Deployment.Start(options, stop);
        try
        {
            await scenario(deployment, stop);
        }
        catch
        {
            TestContext.Current.TestOutputHelper?.WriteLine(deployment.EndOfLogs());
            throw;
        }
    }

    /// <summary>Runs it with membership and storage in a new database of a server, whose schema the silo's own command applies.</summary>
    public static async Task Run(PostgresServer server, DeploymentOptions options, Func<Deployment, CancellationToken, Task> scenario)
    {
        var database = await server.CreateDatabase();
        await Deployment.Migrate(database, TestContext.Current.CancellationToken);
        await Run(options with { ConnectionString = database }, scenario);
    }
}
