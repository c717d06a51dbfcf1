using System.Globalization;
using System.Net.Sockets;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace DroitsAmeli.LocalCluster;

/// <summary>How a process is now.</summary>
/// <param name="Name">What commands call it.</param>
/// <param name="Role">What it is.</param>
/// <param name="Number">Counted from 1 in its role.</param>
/// <param name="Pid">Its process id.</param>
/// <param name="Running">Whether it is alive.</param>
/// <param name="Ended">How a command has ended it; null when none has.</param>
/// <param name="Live">Whether it answers at all.</param>
/// <param name="Ready">Whether it is ready for work.</param>
/// <param name="Activations">Grains that are active on a silo; null when no admin port tells.</param>
/// <param name="Familles">Families among them.</param>
/// <param name="Address">Where it answers HTTP.</param>
/// <param name="Ports">All of its ports, by use.</param>
/// <param name="StartedAt">When it was started.</param>
/// <param name="Log">The file that holds all it printed.</param>
internal sealed record ProcessStatus(
    string Name,
    Role Role,
    int Number,
    int Pid,
    bool Running,
    Ending? Ended,
    bool Live,
    bool Ready,
    int? Activations,
    int? Familles,
    Uri? Address,
    IReadOnlyDictionary<string, int> Ports,
    DateTimeOffset StartedAt,
    string Log);

/// <summary>How a cluster is now, for people and for programs.</summary>
/// <param name="State">Its folder.</param>
/// <param name="ClusterId"><c>Cluster:ClusterId</c>.</param>
/// <param name="CreatedAt">When <c>up</c> began.</param>
/// <param name="Address">Where partners call.</param>
/// <param name="OperatorKey">The key for <c>X-Admin-Key</c>.</param>
/// <param name="Processes">All that were started, in their order.</param>
internal sealed record StatusReport(
    string State, string ClusterId, DateTimeOffset CreatedAt, Uri? Address, string OperatorKey, IReadOnlyList<ProcessStatus> Processes)
{
    private static readonly JsonSerializerOptions Options = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        WriteIndented = true,
        Converters = { new JsonStringEnumConverter<Role>(), new JsonStringEnumConverter<Ending>() },
    };

    public string ToJson() => JsonSerializer.Serialize(this, Options);

    public string ToTable()
    {
        string[][] rows =
        [
            ["processus", "pid", "état", "vivant", "prêt", "activations", "familles", "ports"],
            .. Processes.Select(process => new[]
            {
                process.Name,
                Text(process.Pid),
                Word(process),
                process.Live ? "oui" : "non",
                process.Ready ? "oui" : "non",
                process.Activations is { } activations ? Text(activations) : "",
                process.Familles is { } familles ? Text(familles) : "",
                string.Join(", ", process.Ports.Select(port => $"{port.Key} {Text(port.Value)}")),
            }),
        ];
        var widths = Enumerable.Range(0, rows[0].Length).Select(column => rows.Max(row => row[column].Length)).ToArray();
        return string.Join('\n', rows.Select(row => string.Join("  ", row.Select((cell, column) => cell.PadRight(widths[column]))).TrimEnd()));
    }

    /// <summary>Asks everything that runs.</summary>
    public static async Task<StatusReport> Of(ClusterState state, StateFolder folder, CancellationToken cancellationToken)
    {
        var load = await Load(state, cancellationToken);
        var processes = await Task.WhenAll(state.Processes.Select(async process =>
        {
            var running = state.IsRunning(process);
            var (live, ready) = running ? await Ask(process, cancellationToken) : (false, false);
            var held = running && process.Role is Role.Silo ? load.FirstOrDefault(silo => silo.Port == process.Ports[ProcessState.SiloPort]) : null;
            return new ProcessStatus(
                process.Name, process.Role, process.Number, process.Pid, running, process.Ended, live, ready, held?.Activations, held?.Familles, process.Address,
                process.Ports, process.StartedAt, process.Log);
        }));
        return new(folder.FullName, state.ClusterId, state.CreatedAt, state.Address, state.OperatorKey, processes);
    }

    private static async Task<(bool Live, bool Ready)> Ask(ProcessState process, CancellationToken cancellationToken)
    {
        if (process.Role is Role.Postgres or Role.HaProxy && !await Accepts(process.Ports.Values.First(), cancellationToken))
            return (false, false);
        return process.Role switch
        {
            Role.Postgres => (true, true),
            Role.HaProxy => (true, await Health.IsReady(process, cancellationToken)),
            _ => (await Health.IsLive(process, cancellationToken), await Health.IsReady(process, cancellationToken)),
        };
    }

    private static async Task<bool> Accepts(int port, CancellationToken cancellationToken)
    {
        using var client = new TcpClient();
        try
        {
            await client.ConnectAsync("127.0.0.1", port, cancellationToken);
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }

    private static async Task<IReadOnlyList<SiloLoad>> Load(ClusterState state, CancellationToken cancellationToken)
    {
        foreach (var silo in state.Processes.Where(process => process.Role is Role.Silo && state.IsRunning(process)))
        {
            if (await Health.AskAdmin(silo, "/admin/silos", state.OperatorKey, cancellationToken) is { } answer)
                return JsonSerializer.Deserialize<SilosAnswer>(answer, Options)?.Silos ?? [];
        }

        return [];
    }

    private static string Word(ProcessStatus process) => (process.Running, process.Ended) switch
    {
        (true, _) => "en marche",
        (_, Ending.Drained) => "arrêté",
        (_, Ending.Killed) => "tué",
        _ => "mort",
    };

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);

    private sealed record SilosAnswer(IReadOnlyList<SiloLoad> Silos);

    private sealed record SiloLoad(int Port, int? Activations, int? Familles);
}
