namespace DroitsAmeli.LocalCluster;

/// <summary>What <c>up</c> starts.</summary>
internal sealed record UpOptions
{
    public int Silos { get; init; } = 3;

    public int FrontEnds { get; init; } = 2;

    /// <summary>Whether HAProxy stands before the front ends.</summary>
    public bool HaProxy { get; init; }

    /// <summary>Families of the simulated population.</summary>
    public long Families { get; init; } = 100_000;

    /// <summary>The operator's own settings, as arguments of silos and front ends.</summary>
    public IReadOnlyList<string> Settings { get; init; } = [];

    /// <summary>The database of the membership, when there is one already.</summary>
    public string? ClusterDatabase { get; init; }

    /// <summary>That of the snapshots; the same when it is not named.</summary>
    public string? StorageDatabase { get; init; }
}
