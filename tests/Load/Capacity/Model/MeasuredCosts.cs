using System.Text.Json;
using System.Text.Json.Serialization;

namespace DroitsAmeli.Load.Capacity;

/// <summary>What was measured with so many silos, beside the same number of front ends and one PostgreSQL server.</summary>
public sealed record ClusterCosts
{
    public required int Silos { get; init; }

    public required int FrontEnds { get; init; }

    /// <summary>All front ends together.</summary>
    public required RoleCosts FrontEnd { get; init; }

    /// <summary>All silos together.</summary>
    public required RoleCosts Silo { get; init; }

    public required RoleCosts Postgres { get; init; }

    /// <summary>CPU milliseconds for each visit at the highest rate without cold visits, what costs time included.</summary>
    public required double AllInMs { get; init; }

    /// <summary>Live objects of all silos together, before families were loaded, in bytes.</summary>
    public required double EmptyManagedBytes { get; init; }

    /// <summary>Physical memory of all silos together, before families were loaded, in bytes.</summary>
    public required double EmptyResidentBytes { get; init; }

    /// <summary>How many families were loaded then.</summary>
    public required int Families { get; init; }

    /// <summary>Live objects of all silos together with them, in bytes.</summary>
    public required double ManagedBytes { get; init; }

    /// <summary>Physical memory of all silos together with them, in bytes.</summary>
    public required double ResidentBytes { get; init; }

    /// <summary>Front ends, silos and PostgreSQL.</summary>
    [JsonIgnore]
    public RoleCosts All => FrontEnd + Silo + Postgres;
}

/// <summary>What the capacity of a site is computed from: measured costs, and where they were measured.</summary>
public sealed record MeasuredCosts
{
    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web) { WriteIndented = true };

    /// <summary>The day, <c>AAAA-MM-JJ</c>.</summary>
    public required string Measured { get; init; }

    /// <summary>The machine, and how long and how often was measured.</summary>
    public required string How { get; init; }

    /// <summary>Live objects for each family at rest (target T9, of 0.1, 0.5 and 1 million families the most), in bytes.</summary>
    public double FamilyBytes { get; init; } = 2480;

    /// <summary>Physical memory of a silo for each byte of its families: what the collector needs room for (target T9, the soak with changes).</summary>
    public double ResidentPerManaged { get; init; } = 2.1;

    /// <summary>Growth of the database for each family stored, its identity, indexes and what is not vacuumed yet included, in bytes.</summary>
    public required double StoredFamilyBytes { get; init; }

    /// <summary>The bodies of a visit's seven answers, in bytes.</summary>
    public required double VisitAnswerBytes { get; init; }

    /// <summary>By number of silos, from one.</summary>
    public required IReadOnlyList<ClusterCosts> Clusters { get; init; }

    /// <summary>The file that the guide's figures come from.</summary>
    public static string FileOf(string repository) => Path.Combine(repository, "deploy", "capacity.json");

    /// <exception cref="JsonException">The file does not hold costs.</exception>
    public static MeasuredCosts Read(string file) => JsonSerializer.Deserialize<MeasuredCosts>(File.ReadAllText(file), Json)!;

    public void Write(string file) => File.WriteAllText(file, JsonSerializer.Serialize(this, Json) + "\n");
}
