using DroitsAmeli.Grains.Droits;
using DroitsAmeli.Grains.Familles;
using DroitsAmeli.Load.Processes;
using Microsoft.Extensions.Hosting;
using Orleans.Core.Internal;

namespace DroitsAmeli.Load.Fill;

/// <summary>Fills a silo with families much faster than front ends can: as a client of the cluster, without tokens and identities.</summary>
public sealed class FamilleFiller : IAsyncDisposable
{
    private const int AtOnce = 48;
    private const int Tries = 20;
    private static readonly TimeSpan PauseBetweenTries = TimeSpan.FromMilliseconds(500);

    private readonly IHost host;
    private readonly IClusterClient cluster;
    private readonly SimulatedSi si;

    private FamilleFiller(IHost host, SimulatedSi si)
    {
        (this.host, this.si) = (host, si);
        cluster = (IClusterClient)host.Services.GetService(typeof(IClusterClient))!;
    }

    /// <summary>Connects to the silos of a deployment.</summary>
    public static async Task<FamilleFiller> Connect(Deployment deployment, CancellationToken cancellationToken) =>
        new(await ClusterView.Connect(deployment, cancellationToken), deployment.RegimeSi);

    /// <summary>Reads the rights of each family's insured person, and so has them and the composition cached.</summary>
    /// <param name="first">Index of the first family.</param>
    /// <param name="count">How many.</param>
    /// <param name="cancellationToken">Ends it.</param>
    /// <exception cref="InvalidOperationException">A family could not be loaded in some 10 s.</exception>
    public Task Load(long first, int count, CancellationToken cancellationToken) => Parallel.ForEachAsync(
        Enumerable.Range(0, count),
        new ParallelOptions { MaxDegreeOfParallelism = AtOnce, CancellationToken = cancellationToken },
        async (index, stop) => await Load(first + index, stop));

    /// <summary>Has a family's grain leave its silo, with what it holds.</summary>
    /// <param name="famille">Index of the family.</param>
    /// <param name="cancellationToken">Ends it.</param>
    public async Task Drop(long famille, CancellationToken cancellationToken) =>
        await GrainOf(si.Population.Get(famille).Id).Cast<IGrainManagementExtension>().DeactivateOnIdle(cancellationToken);

    /// <summary>How many grains each silo holds.</summary>
    public Task<IReadOnlyList<int>> Activations() => ClusterView.Activations(cluster);

    public async ValueTask DisposeAsync()
    {
        await host.StopAsync();
        host.Dispose();
    }

    private async Task Load(long famille, CancellationToken cancellationToken)
    {
        var simulated = si.Population.Get(famille);
        if (!Nir.TryParse(simulated.Membres[0].Beneficiaire.Nir, out var nir))
            throw new InvalidOperationException("The simulated population holds a NIR that does not read.");

        var grain = GrainOf(simulated.Id);
        for (var attempt = 1; ; attempt++)
        {
            var reply = await grain.GetDroits(new() { Utilisateur = nir }, cancellationToken);
            if (reply.Outcome is FamilleOutcome.Ok)
                return;
            if (attempt == Tries)
                throw new InvalidOperationException($"A family could not be loaded: {reply.Outcome}.");
            await Task.Delay(PauseBetweenTries, TimeProvider.System, cancellationToken);
        }
    }

    private IFamilleGrain GrainOf(string famille) => cluster.GetGrain<IFamilleGrain>(FamilleKey.Of(famille));
}
