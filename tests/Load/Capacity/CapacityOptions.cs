namespace DroitsAmeli.Load.Capacity;

/// <summary>How the costs of visits are measured.</summary>
public sealed record CapacityOptions
{
    /// <summary>The clusters, by their number of silos; 1 and 2 are what the model is made of.</summary>
    public IReadOnlyList<int> Silos { get; init; } = [1, 2, 3, 4];

    public int FrontEnds { get; init; } = 2;

    /// <summary>Visits per second, rising; all far below what the machine bears.</summary>
    public IReadOnlyList<double> Rates { get; init; } = [20, 50];

    /// <summary>The share of cold visits where there are any.</summary>
    public double ColdShare { get; init; } = 0.5;

    /// <summary>For how long each rate is sent, and rest is watched.</summary>
    public TimeSpan Duration { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>For how long the highest rate is sent before anything is measured: code gets compiled.</summary>
    public TimeSpan WarmUp { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>Families loaded to see what they cost in memory.</summary>
    public int Families { get; init; } = 20_000;

    /// <summary>How long they are left alone before that is looked at; a family goes to rest within two minutes of its last read.</summary>
    public TimeSpan Rest { get; init; } = TimeSpan.FromSeconds(125);

    /// <summary>How often all clusters are measured, in turn; memory the first time only.</summary>
    public int Rounds { get; init; } = 1;
}
