using System.Diagnostics;
using DroitsAmeli.Load.Processes;
using DroitsAmeli.Tests.Postgres;

namespace DroitsAmeli.Tests.Chaos;

/// <summary>What the membership table says of the silos of a deployment.</summary>
internal static class Membership
{
    private static readonly TimeSpan Look = TimeSpan.FromMilliseconds(20);

    /// <summary>How many silos are members: one that is declared dead no longer counts, whether its process lives or not.</summary>
    public static Task<long> ActiveSilos(Deployment deployment) =>
        PostgresServer.Scalar<long>(deployment.ConnectionString!, "SELECT count(*) FROM orleansmembershiptable WHERE status = 3");

    /// <summary>The addresses of those that were declared dead, or ended.</summary>
    public static async Task<IReadOnlyList<string>> Dead(Deployment deployment) =>
        await PostgresServer.Scalar<string[]>(deployment.ConnectionString!, "SELECT array_agg(address ORDER BY address) FROM orleansmembershiptable WHERE status = 6") ?? [];

    /// <summary>Lets that time pass; gives after how much of it there were fewer active silos than before, null when there never were.</summary>
    public static async Task<TimeSpan?> Watch(Deployment deployment, long before, TimeSpan duration, CancellationToken stop)
    {
        var clock = Stopwatch.StartNew();
        TimeSpan? declaredDead = null;
        while (declaredDead is null && clock.Elapsed < duration)
        {
            await Task.Delay(Look, TimeProvider.System, stop);
            if (await ActiveSilos(deployment) < before)
                declaredDead = clock.Elapsed;
        }

        if (duration - clock.Elapsed is { Ticks: > 0 } rest)
            await Task.Delay(rest, TimeProvider.System, stop);
        return declaredDead;
    }
}
