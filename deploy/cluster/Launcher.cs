using System.Diagnostics;
using System.Globalization;
using DroitsAmeli.LocalCluster.Postgres;
using Npgsql;

namespace DroitsAmeli.LocalCluster;

/// <summary>Starts the processes of a cluster, each with its settings, and writes down each before the next.</summary>
internal sealed class Launcher(StateFolder folder)
{
    private const string ClientId = "droits-ameli-grappe-locale";
    private const string ClientSecret = "secret-de-la-grappe-locale";
    private const string SiKey = "cle-du-si";

    private readonly BuiltPrograms programs = new(folder.Programs);
    private readonly ClusterFiles files = new(folder.Files);

    public ClusterState RegimeSi(ClusterState state) => Launch(state, Role.RegimeSi, HttpPort(state));

    public ClusterState FranceConnect(ClusterState state) => Launch(state, Role.FranceConnect, HttpPort(state));

    public ClusterState Silo(ClusterState state)
    {
        var free = Loopback.FreePorts(3, Taken(state));
        return Launch(
            state, Role.Silo, new() { [ProcessState.SiloPort] = free[0], [ProcessState.Gateway] = free[1], [ProcessState.Admin] = free[2] });
    }

    public ClusterState Api(ClusterState state) => Launch(state, Role.Api, HttpPort(state));

    public ClusterState HaProxy(ClusterState state) => Launch(state, Role.HaProxy, HttpPort(state));

    public ClusterState Postgres(ClusterState state, int port) => Launch(state, Role.Postgres, new() { [ProcessState.Tcp] = port });

    /// <summary>Starts a process that has ended once more: under its name, on its ports, with its settings.</summary>
    public ClusterState Again(ClusterState state, ProcessState ended) => Start(state, ended.Name, ended.Role, ended.Number, ended.Ports, ended.Log);

    /// <summary>The program of HAProxy.</summary>
    /// <exception cref="ClusterException">It is not installed.</exception>
    public static string FindHaProxy() => Balancer.Find()
        ?? throw new ClusterException("No HAProxy: install it (apt-get install haproxy), name it in DROITS_HAPROXY, or leave --haproxy out.");

    /// <summary>A port that is free, and nobody's in the cluster.</summary>
    public static int FreePort(ClusterState state) => Loopback.FreePorts(1, Taken(state))[0];

    /// <summary>Applies the schema to the databases of the cluster.</summary>
    /// <exception cref="ClusterException">It cannot be applied.</exception>
    public async Task Migrate(ClusterState state, CancellationToken cancellationToken)
    {
        var start = programs.Start(BuiltPrograms.Silo, ["migrate"], Databases(state));
        start.RedirectStandardOutput = start.RedirectStandardError = true;
        using var migrate = Process.Start(start)!;
        try
        {
            var said = await Task.WhenAll(migrate.StandardOutput.ReadToEndAsync(cancellationToken), migrate.StandardError.ReadToEndAsync(cancellationToken));
            await migrate.WaitForExitAsync(cancellationToken);
            if (migrate.ExitCode != 0)
                throw new ClusterException($"The schema could not be applied.\n{string.Concat(said).Trim()}");
        }
        finally
        {
            if (!migrate.HasExited)
                migrate.Kill();
        }
    }

    private ClusterState Launch(ClusterState state, Role role, Dictionary<string, int> ports)
    {
        var number = state.Processes.Count(process => process.Role == role) + 1;
        var name = role is Role.Silo or Role.Api ? $"{Name(role)}-{Text(number)}" : Name(role);
        return Start(state, name, role, number, ports, Path.Combine(folder.Logs, name + ".log"));
    }

    private ClusterState Start(ClusterState state, string name, Role role, int number, IReadOnlyDictionary<string, int> ports, string log)
    {
        var started = OsProcess.Detach(Describe(state, role, ports), log);
        var next = state.With(new(name, role, number, started.Pid, started.StartTicks, TimeProvider.System.GetUtcNow(), ports, log, Ended: null));
        folder.Save(next);
        return next;
    }

    private ProcessStartInfo Describe(ClusterState state, Role role, IReadOnlyDictionary<string, int> ports) => role switch
    {
        Role.Postgres => ServerOf(state.Database!).Server(ports[ProcessState.Tcp], []),
        Role.RegimeSi => programs.Start(
            BuiltPrograms.Simulators,
            ["regime-si", "--port", Text(ports[ProcessState.Http]), "--families", Text(state.Families)],
            new Dictionary<string, string> { ["Simulators:RegimeSi:ApiKey"] = SiKey }),
        Role.FranceConnect => programs.Start(
            BuiltPrograms.Simulators,
            [
                // Our public keys from their file: any front end may be the one that is killed.
                "franceconnect", "--port", Text(ports[ProcessState.Http]), "--families", Text(state.Families), "--client-id", ClientId,
                "--jwks-uri", new Uri(files.PublicJwks).AbsoluteUri,
            ],
            new Dictionary<string, string> { ["Simulators:FranceConnect:ClientSecret"] = ClientSecret }),
        Role.Silo => programs.Start(BuiltPrograms.Silo, state.Settings, SiloSettings(state, ports)),
        Role.Api => programs.Start(BuiltPrograms.Api, state.Settings, ApiSettings(state, ports)),
        Role.HaProxy => HaProxyOf(state, ports[ProcessState.Http]),
        _ => throw new ArgumentOutOfRangeException(nameof(role)),
    };

    private ProcessStartInfo HaProxyOf(ClusterState state, int port)
    {
        var frontEnds = state.Processes.Where(process => process.Role is Role.Api).Select(process => (process.Name, process.Ports[ProcessState.Http]));
        File.WriteAllText(files.HaProxy, Balancer.Configuration(port, frontEnds));
        return new(FindHaProxy(), ["-db", "-f", files.HaProxy]) { WorkingDirectory = folder.Files };
    }

    private Dictionary<string, string> SiloSettings(ClusterState state, IReadOnlyDictionary<string, int> ports)
    {
        var settings = Cluster(state);
        settings["Cluster:SiloPort"] = Text(ports[ProcessState.SiloPort]);
        settings["Cluster:GatewayPort"] = Text(ports[ProcessState.Gateway]);
        settings["Admin:Urls"] = Origin(ports[ProcessState.Admin]);
        settings["Admin:KeysSha256"] = ClusterFiles.Sha256(state.OperatorKey);
        settings["Identities:HmacKeyFile"] = files.HmacKey;
        settings["FranceConnect:Issuer"] = Origin(PortOf(state, Role.FranceConnect)) + "/api/v2";
        settings["FranceConnect:ClientId"] = ClientId;
        settings["FranceConnect:ClientSecret"] = ClientSecret;
        settings["FranceConnect:PrivateJwksFile"] = files.PrivateJwks;
        settings["RegimeSi:BaseUrl"] = Origin(PortOf(state, Role.RegimeSi));
        settings["RegimeSi:ApiKey"] = SiKey;
        settings["Storage:ConnectionString"] = state.Database!.Storage;
        settings["Storage:KeysFile"] = files.StorageKeys;
        return settings;
    }

    private Dictionary<string, string> ApiSettings(ClusterState state, IReadOnlyDictionary<string, int> ports)
    {
        var settings = Cluster(state);
        settings["urls"] = Origin(ports[ProcessState.Http]);
        settings["Conventions:File"] = files.Conventions;
        settings["FranceConnect:PublicJwksFile"] = files.PublicJwks;
        return settings;
    }

    private static PostgresFolder ServerOf(DatabaseState database) =>
        new(database.Folder!, new NpgsqlConnectionStringBuilder(database.Cluster).Password!);

    private static Dictionary<string, string> Cluster(ClusterState state)
    {
        var settings = Databases(state);
        settings.Remove("Storage:ConnectionString");
        settings["Cluster:Mode"] = "postgres";
        settings["Cluster:ClusterId"] = settings["Cluster:ServiceId"] = state.ClusterId;
        settings["Logging:LogLevel:Default"] = "Warning";
        return settings;
    }

    private static Dictionary<string, string> Databases(ClusterState state) => new()
    {
        ["Cluster:ConnectionString"] = state.Database!.Cluster,
        ["Storage:ConnectionString"] = state.Database.Storage,
    };

    private static string Name(Role role) => role switch
    {
        Role.RegimeSi => "regime-si",
        _ => role.ToString().ToLowerInvariant(),
    };

    private static Dictionary<string, int> HttpPort(ClusterState state) => new() { [ProcessState.Http] = FreePort(state) };

    private static IEnumerable<int> Taken(ClusterState state) => state.Processes.SelectMany(process => process.Ports.Values);

    private static int PortOf(ClusterState state, Role role) => state.Processes.First(process => process.Role == role).Ports[ProcessState.Http];

    private static string Origin(int port) => Loopback.Url(port).GetLeftPart(UriPartial.Authority);

    private static string Text(long number) => number.ToString(CultureInfo.InvariantCulture);
}
