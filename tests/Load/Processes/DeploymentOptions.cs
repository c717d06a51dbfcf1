namespace DroitsAmeli.Load.Processes;

/// <summary>What a deployment consists of.</summary>
public sealed record DeploymentOptions
{
    public int Silos { get; init; } = 1;

    /// <summary>Silos more, which are not started with the others.</summary>
    public int SpareSilos { get; init; }

    public int FrontEnds { get; init; } = 1;

    /// <summary>Whether HAProxy stands before the front ends, as <c>deploy/local-cluster</c> sets it up. See <see cref="Deployment.BalancerUnavailable"/>.</summary>
    public bool Balancer { get; init; }

    /// <summary>Where each silo runs; where the list ends, beside the other processes.</summary>
    public IReadOnlyList<SiloHost> SiloHosts { get; init; } = [];

    /// <summary>The folder of the program of silos; null: the present build's.</summary>
    public string? SiloProgramFolder { get; init; }

    /// <summary>The folder of the program of each front end; where it is null, or the list ends, the present build's.</summary>
    public IReadOnlyList<string?> FrontEndProgramFolders { get; init; } = [];

    /// <summary>Membership and storage, its schema applied. Null: one silo, in memory, which stores nothing.</summary>
    public string? ConnectionString { get; init; }

    /// <summary>Families of the simulated population.</summary>
    public long Families { get; init; } = 100_000;

    /// <summary>The SI's cap, for silos.</summary>
    public int MaxConcurrentCalls { get; init; } = 32;

    /// <summary>More settings of silos, for instance <c>Freshness:FreshMinutes</c>.</summary>
    public IReadOnlyDictionary<string, string> SiloSettings { get; init; } = new Dictionary<string, string>();

    /// <summary>More settings of silos and front ends alike, for instance <c>Cluster:ClusterId</c>.</summary>
    public IReadOnlyDictionary<string, string> ClusterSettings { get; init; } = new Dictionary<string, string>();

    /// <summary>Whether the links between silos and front ends are mutual TLS; else they are in clear.</summary>
    public bool MutualTls { get; init; }

    /// <summary>Whether silos can be asked for their <see cref="MemoryReport"/>.</summary>
    public bool ReportsMemory { get; init; }
}
