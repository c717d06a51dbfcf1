using System.Text.Json.Serialization;

namespace DroitsAmeli.LocalCluster;

/// <summary>What a process of the cluster is.</summary>
internal enum Role
{
    [JsonStringEnumMemberName("postgres")]
    Postgres,

    [JsonStringEnumMemberName("regime-si")]
    RegimeSi,

    [JsonStringEnumMemberName("franceconnect")]
    FranceConnect,

    [JsonStringEnumMemberName("silo")]
    Silo,

    [JsonStringEnumMemberName("api")]
    Api,

    [JsonStringEnumMemberName("haproxy")]
    HaProxy,
}

/// <summary>How a process was ended by a command; one that has no such mark and is gone has ended by itself.</summary>
internal enum Ending
{
    [JsonStringEnumMemberName("drained")]
    Drained,

    [JsonStringEnumMemberName("killed")]
    Killed,
}

/// <summary>A process that was started.</summary>
/// <param name="Name">What commands call it: <c>silo-1</c>, <c>api-2</c>, <c>postgres</c>.</param>
/// <param name="Role">What it is.</param>
/// <param name="Number">Counted from 1 in its role, and never given twice.</param>
/// <param name="Pid">Its process id.</param>
/// <param name="StartTicks">When the kernel started it: with the id, this tells it from a later process of the same id.</param>
/// <param name="StartedAt">The same for people.</param>
/// <param name="Ports">By use: <c>http</c>, <c>silo</c>, <c>gateway</c>, <c>admin</c>, <c>tcp</c>.</param>
/// <param name="Log">The file that holds all it printed.</param>
/// <param name="Ended">How a command has ended it.</param>
internal sealed record ProcessState(
    string Name, Role Role, int Number, int Pid, long StartTicks, DateTimeOffset StartedAt, IReadOnlyDictionary<string, int> Ports, string Log, Ending? Ended)
{
    public const string Http = "http";
    public const string Tcp = "tcp";
    public const string SiloPort = "silo";
    public const string Gateway = "gateway";
    public const string Admin = "admin";

    [JsonIgnore]
    public OsProcess Process => new(Pid, StartTicks);

    /// <summary>Where it answers HTTP; null for a database.</summary>
    [JsonIgnore]
    public Uri? Address => Role switch
    {
        Role.Postgres => null,
        Role.Silo => Loopback.Url(Ports[Admin]),
        _ => Loopback.Url(Ports[Http]),
    };
}

/// <summary>Where membership and snapshots stand.</summary>
/// <param name="Cluster">Npgsql connection string of the membership.</param>
/// <param name="Storage">That of the snapshots.</param>
/// <param name="Folder">The folder of the server, when it was started for this cluster and goes with it.</param>
internal sealed record DatabaseState(string Cluster, string Storage, string? Folder);

/// <summary>All that commands know of a cluster, as it stands in its state file.</summary>
internal sealed record ClusterState
{
    /// <summary>The boot of the machine in which its processes were started.</summary>
    public required string BootId { get; init; }

    public required DateTimeOffset CreatedAt { get; init; }

    /// <summary><c>Cluster:ClusterId</c> and <c>Cluster:ServiceId</c>: another cluster on the same database keeps to itself.</summary>
    public required string ClusterId { get; init; }

    /// <summary>The key for <c>X-Admin-Key</c>.</summary>
    public required string OperatorKey { get; init; }

    public DatabaseState? Database { get; init; }

    public required long Families { get; init; }

    /// <summary>The operator's own settings, as arguments of silos and front ends.</summary>
    public required IReadOnlyList<string> Settings { get; init; }

    public IReadOnlyList<ProcessState> Processes { get; init; } = [];

    /// <summary>False once the machine has started anew: none of these processes can be alive, whatever has their ids.</summary>
    [JsonIgnore]
    public bool IsOfThisBoot => BootId == OsProcess.BootId;

    /// <summary>Where partners call: the balancer, or else the first front end, that runs; null when none does.</summary>
    [JsonIgnore]
    public Uri? Address => (FirstRunning(Role.HaProxy) ?? FirstRunning(Role.Api))?.Address;

    public bool IsRunning(ProcessState process) => IsOfThisBoot && process.Process.IsRunning;

    /// <summary>With one process more, or one in the place of that of its name.</summary>
    public ClusterState With(ProcessState process) => this with
    {
        Processes = Processes.Any(other => other.Name == process.Name)
            ? [.. Processes.Select(other => other.Name == process.Name ? process : other)]
            : [.. Processes, process],
    };

    public ClusterState Marked(string name, Ending ending) =>
        this with { Processes = [.. Processes.Select(process => process.Name == name ? process with { Ended = ending } : process)] };

    private ProcessState? FirstRunning(Role role) => Processes.FirstOrDefault(process => process.Role == role && IsRunning(process));
}
