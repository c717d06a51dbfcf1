using System.Globalization;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using DroitsAmeli.LocalCluster;
using DroitsAmeli.Tests.Rules.Links;

namespace DroitsAmeli.Load.Processes;

/// <summary>
/// Silos, front ends and both simulators as real processes on free ports, with keys and files of their own in a folder that goes with
/// them. Every process is ended by its id when it is disposed of.
/// </summary>
public sealed class Deployment : IAsyncDisposable
{
    /// <summary>The operator's key, in <c>Admin:KeysSha256</c> of every silo.</summary>
    public const string OperatorKey = "cle-operateur";

    private const string ClientId = "droits-ameli-charge";
    private const string ClientSecret = "secret-de-charge";
    private const string SiKey = "cle-du-si";

    /// <summary>How long a program may take to start on a busy machine.</summary>
    public static readonly TimeSpan StartLimit = TimeSpan.FromSeconds(90);

    private readonly DirectoryInfo folder = Directory.CreateTempSubdirectory("droits-load-");
    private readonly DeploymentOptions options;
    private readonly List<Node> nodes = [];
    private readonly Dictionary<int, Node> siloByPort = [];
    private readonly TlsFiles? siloTls;
    private readonly TlsFiles? frontEndTls;

    private Deployment(DeploymentOptions options)
    {
        this.options = options;
        if (options.MutualTls)
        {
            using var ca = new TestCa(TimeProvider.System.GetUtcNow());
            (siloTls, frontEndTls) = (new(ca.Silo(), ca.Root), new(ca.FrontEnd(), ca.Root));
        }

        var silos = options.Silos + options.SpareSilos;
        var ports = Loopback.FreePorts(3 + options.FrontEnds + 3 * silos);
        var balancerPort = ports[^(silos + 1)];
        var files = new Files(folder.FullName);

        var regimeSi = Simulator("regime-si", ports[0], ["--api-key", SiKey]);
        var franceConnect = Simulator(
            "franceconnect", ports[1], ["--client-id", ClientId, "--client-secret", ClientSecret, "--jwks-uri", Loopback.Url(options.Balancer ? balancerPort : ports[2], "/.well-known/jwks.json").ToString()]);
        RegimeSi = new(regimeSi, Http, options.Families);
        FranceConnect = new(franceConnect, Http);

        var gateways = ports[^silos..];
        Silos = [.. Enumerable.Range(0, silos).Select(index => Silo(index, ports.AsSpan(2 + options.FrontEnds + 2 * index, 2), gateways[index], files))];
        FrontEnds = [.. Enumerable.Range(0, options.FrontEnds).Select(index => FrontEnd(index, ports[2 + index], gateways[0], files))];
        foreach (var silo in Silos)
            silo.ProgramFolder = options.SiloProgramFolder;
        foreach (var (frontEnd, program) in FrontEnds.Zip(options.FrontEndProgramFolders))
            frontEnd.ProgramFolder = program;
        GatewayPort = gateways[0];
        Entrances = options.Balancer ? [HaProxy(balancerPort)] : FrontEnds;
    }

    /// <summary>Why no deployment can have a balancer here; null when it can.</summary>
    public static string? BalancerUnavailable =>
        Balancer.Find() is null ? "No HAProxy: install it (apt-get install haproxy), or name it in DROITS_HAPROXY." : null;

    /// <summary>For the deployment's own calls: no proxy, no redirection, as many connections as wanted.</summary>
    public HttpClient Http { get; } = NewHttp(TimeSpan.FromSeconds(30));

    /// <summary>The settings of the silos beyond those of every deployment.</summary>
    public IReadOnlyDictionary<string, string> SiloSettings => options.SiloSettings;

    public SimulatedSi RegimeSi { get; }

    public SimulatedFranceConnect FranceConnect { get; }

    /// <summary>All silos, the spare ones last.</summary>
    public IReadOnlyList<Node> Silos { get; }

    public IReadOnlyList<Node> FrontEnds { get; }

    /// <summary>Where partners call: the balancer, or all front ends in turn when there is none.</summary>
    public IReadOnlyList<Node> Entrances { get; }

    /// <summary>Its database; null when it is in memory.</summary>
    public string? ConnectionString => options.ConnectionString;

    /// <summary>The first silo's port for clients of the cluster.</summary>
    public int GatewayPort { get; }

    /// <summary>Starts everything and waits until all of it is ready.</summary>
    /// <exception cref="InvalidOperationException">A process did not start; the message holds the end of its log.</exception>
    public static async Task<Deployment> Start(DeploymentOptions options, CancellationToken cancellationToken)
    {
        var deployment = new Deployment(options);
        try
        {
            var started = deployment.nodes.Except(deployment.Silos.Skip(options.Silos)).ToList();
            foreach (var node in started)
                await node.Launch();
            foreach (var node in started)
                await node.Ready(StartLimit, cancellationToken);
            return deployment;
        }
        catch
        {
            await deployment.DisposeAsync();
            throw;
        }
    }

    /// <summary>Applies the schema to a database with the silo's own command.</summary>
    /// <param name="connectionString">The database.</param>
    /// <param name="cancellationToken">Ends the wait, and the command.</param>
    /// <param name="siloFolder">The folder of the silo's program; null: the present build's.</param>
    /// <exception cref="InvalidOperationException">The command failed; the message holds what it printed.</exception>
    public static async Task Migrate(string connectionString, CancellationToken cancellationToken, string? siloFolder = null)
    {
        var folder = Directory.CreateTempSubdirectory("droits-load-");
        try
        {
            var log = Path.Combine(folder.FullName, "migrate.log");
            await using var command = ProgramProcess.Start(
                "Silo", log, ["migrate"], AsVariables(new() { ["Storage:ConnectionString"] = connectionString, ["Cluster:ConnectionString"] = connectionString }), siloFolder);
            if (await command.Exited(StartLimit, cancellationToken) is not 0 and var code)
                throw new InvalidOperationException($"migrate ended with exit code {code}.\n{await File.ReadAllTextAsync(log, cancellationToken)}");
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    /// <summary>A client for load: connections are kept, and a call ends after the limit.</summary>
    public static HttpClient NewHttp(TimeSpan limit) =>
        new(new SocketsHttpHandler { UseProxy = false, AllowAutoRedirect = false, PooledConnectionIdleTimeout = TimeSpan.FromMinutes(5) }) { Timeout = limit };

    /// <summary>The silo on which a family is active, as the operator is told; null when it is active on none.</summary>
    /// <param name="famille">Index in the simulated population.</param>
    /// <param name="cancellationToken">Ends the look.</param>
    public async Task<Node?> HolderOf(long famille, CancellationToken cancellationToken) => (await Look(famille, cancellationToken)).Silo;

    /// <summary>Where a family is active, and where its copies there came from: <c>si</c>, <c>stockage</c> or <c>migration</c>; nowhere and from nothing when it is active on no silo.</summary>
    /// <param name="famille">Index in the simulated population.</param>
    /// <param name="cancellationToken">Ends the look.</param>
    public async Task<(Node? Silo, IReadOnlyList<string> Sources)> Look(long famille, CancellationToken cancellationToken)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, new Uri(Silos[0].Address, "/admin/familles/etat"))
        {
            Content = JsonContent.Create(new { famille = RegimeSi.Population.IdAt(famille) }),
        };
        request.Headers.Add("X-Admin-Key", OperatorKey);
        using var answer = await Http.SendAsync(request, cancellationToken);
        answer.EnsureSuccessStatusCode();
        var state = (await answer.Content.ReadFromJsonAsync<JsonNode>(cancellationToken))!;
        return (string?)state["silo"] is { } silo
            ? (SiloAt(int.Parse(silo.Split(':')[^2], CultureInfo.InvariantCulture)), [.. state["parties"]?.AsArray().Select(part => (string)part!["source"]!) ?? []])
            : (null, []);
    }

    /// <summary>The end of every process' log.</summary>
    public string EndOfLogs(int lines = 15) => string.Join('\n', nodes.Select(node => node.EndOfLog(lines)));

    public async ValueTask DisposeAsync()
    {
        foreach (var node in Enumerable.Reverse(nodes))
            await node.DisposeAsync();
        Http.Dispose();
        siloTls?.Dispose();
        frontEndTls?.Dispose();
        folder.Delete(recursive: true);
    }

    internal Node SiloAt(int port) => siloByPort[port];

    private Node Simulator(string role, int port, string[] args) => Add(
        role,
        "Simulators",
        [role, "--port", Text(port), "--families", Text(options.Families), .. args],
        new Dictionary<string, string>(),
        Loopback.Url(port),
        "/sandbox/compteurs");

    private Node Silo(int index, ReadOnlySpan<int> ports, int gateway, Files files)
    {
        var host = options.SiloHosts.ElementAtOrDefault(index);
        var admin = Loopback.Url(ports[1]);
        var settings = Cluster(siloTls);
        if (host is not null)
        {
            settings["Cluster:AdvertisedIPAddress"] = host.Address;
            admin = new UriBuilder(admin) { Host = host.Address }.Uri;
        }

        settings["Cluster:SiloPort"] = Text(ports[0]);
        settings["Cluster:GatewayPort"] = Text(gateway);
        settings["Admin:Urls"] = admin.ToString().TrimEnd('/');
        settings["Admin:KeysSha256"] = Partner.Sha256(OperatorKey);
        settings["Identities:HmacKeyFile"] = files.HmacKey;
        settings["FranceConnect:Issuer"] = new Uri(FranceConnect.Node.Address, "/api/v2").ToString();
        settings["FranceConnect:ClientId"] = ClientId;
        settings["FranceConnect:ClientSecret"] = ClientSecret;
        settings["FranceConnect:PrivateJwksFile"] = files.PrivateJwks;
        settings["RegimeSi:BaseUrl"] = RegimeSi.Node.Address.ToString().TrimEnd('/');
        settings["RegimeSi:ApiKey"] = SiKey;
        settings["RegimeSi:MaxConcurrentCalls"] = Text(options.MaxConcurrentCalls);
        if (options.ConnectionString is { } database)
        {
            settings["Storage:ConnectionString"] = database;
            settings["Storage:KeysFile"] = files.StorageKeys;
        }

        foreach (var (name, value) in options.SiloSettings)
            settings[name] = value;

        var environment = AsVariables(settings);
        if (options.ReportsMemory)
        {
            environment["DOTNET_STARTUP_HOOKS"] = typeof(Deployment).Assembly.Location;
            environment[MemoryReport.FileVariable] = MemoryReport.FileOf(Path.Combine(folder.FullName, $"silo-{index}.log"));
        }

        return siloByPort[ports[0]] = Add($"silo-{index}", "Silo", [], environment, admin, "/health/ready", host?.Enter);
    }

    private Node FrontEnd(int index, int port, int gateway, Files files)
    {
        var settings = Cluster(frontEndTls);
        settings["Cluster:GatewayPort"] = Text(gateway);
        settings["urls"] = Loopback.Url(port).ToString().TrimEnd('/');
        settings["Conventions:File"] = files.Conventions;
        settings["FranceConnect:PublicJwksFile"] = files.PublicJwks;
        return Add($"api-{index}", "Api", [], AsVariables(settings), Loopback.Url(port), "/health/ready");
    }

    private Node HaProxy(int port)
    {
        var file = Path.Combine(folder.FullName, "haproxy.cfg");
        File.WriteAllText(file, Balancer.Configuration(port, FrontEnds.Select(frontEnd => (frontEnd.Name, frontEnd.Address.Port))));
        var program = Balancer.Find() ?? throw new InvalidOperationException(BalancerUnavailable);
        return Add("haproxy", program, ["-db", "-f", file], new Dictionary<string, string>(), Loopback.Url(port), "/health/ready");
    }

    private Dictionary<string, string> Cluster(TlsFiles? tls)
    {
        var settings = new Dictionary<string, string> { ["Logging:LogLevel:Default"] = "Warning" };
        if (options.ConnectionString is { } database)
        {
            settings["Cluster:Mode"] = "postgres";
            settings["Cluster:ConnectionString"] = database;
        }

        foreach (var (name, value) in options.ClusterSettings)
            settings[name] = value;
        foreach (var (name, value) in tls?.Settings ?? [])
            settings[name] = value;
        return settings;
    }

    private Node Add(
        string name, string program, IReadOnlyList<string> args, IReadOnlyDictionary<string, string> environment, Uri address, string probe, IReadOnlyList<string>? enter = null)
    {
        var node = new Node(name, program, folder.FullName, args, environment, Http, address, probe, enter ?? []);
        nodes.Add(node);
        return node;
    }

    private static Dictionary<string, string> AsVariables(Dictionary<string, string> settings) =>
        settings.ToDictionary(setting => setting.Key.Replace(":", "__", StringComparison.Ordinal), setting => setting.Value);

    private static string Text(long number) => number.ToString(CultureInfo.InvariantCulture);

    private sealed class Files(string folder)
    {
        private readonly (string Private, string Public) jwks = Keys.WriteJwks(folder);

        public string PrivateJwks => jwks.Private;

        public string PublicJwks => jwks.Public;

        public string HmacKey { get; } = Keys.WriteHmacKey(folder);

        public string StorageKeys { get; } = Keys.WriteStorageKeys(folder);

        public string Conventions { get; } = Partner.WriteConventions(folder);
    }
}
