using System.Net;
using System.Net.Http.Json;
using System.Net.Security;
using System.Net.Sockets;
using DroitsAmeli.Grains.Storage.Schema;
using DroitsAmeli.Tests.Postgres;
using DroitsAmeli.Tests.Rules.Links;

namespace DroitsAmeli.Tests.Storage.Links;

/// <summary>Two silos and a front end as processes under mutual TLS, with both simulators behind them.</summary>
public sealed class TlsCluster(Databases databases) : IAsyncLifetime
{
    private const int Active = 3;
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);

    private readonly ClusterFiles files = new();
    private readonly HttpClient http = new() { Timeout = TimeSpan.FromSeconds(20) };
    private readonly List<IAsyncDisposable> processes = [];
    private readonly List<TlsFiles> tlsFiles = [];
    private string database = "";
    private string[] upstreams = [];
    private int tokens;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    internal TestCa Ca { get; } = new(TimeProvider.System.GetUtcNow());

    internal TestCa Stranger { get; } = new(TimeProvider.System.GetUtcNow());

    internal List<TlsSilo> Silos { get; } = [];

    internal ClusterProcess FrontEnd { get; private set; } = null!;

    internal TlsFiles FrontEndFiles { get; private set; } = null!;

    public async ValueTask InitializeAsync()
    {
        // The tests skip themselves then.
        if (PostgresServer.Unavailable is not null)
            return;

        database = await databases.Create();
        await SchemaMigrations.OfThisBuild.Apply(database, Stop);

        var ports = Loopback.FreePorts(2);
        (tokens, var regimeSi) = (ports[0], ports[1]);
        upstreams = [$"--FranceConnect:Issuer={Loopback.Url(tokens, "/api/v2")}", $"--RegimeSi:BaseUrl={Loopback.Url(regimeSi)}"];
        Keep(ChildProcess.Start("Simulators", ["regime-si", "--port", $"{regimeSi}", "--families", "1000"]));

        for (var count = 0; count < 2; count++)
        {
            Silos.Add(Silo(Ca.Silo(), Ca.Root));
            Keep(Silos[^1].Process);
        }

        FrontEndFiles = Files(Ca.FrontEnd(), Ca.Root);
        FrontEnd = StartFrontEnd(FrontEndFiles);
        Keep(FrontEnd);
        Keep(ChildProcess.Start(
            "Simulators",
            [
                "franceconnect", "--port", $"{tokens}", "--client-id", "droits", "--client-secret", "secret",
                "--jwks-uri", Loopback.Url(FrontEnd.Port, "/.well-known/jwks.json"),
            ]));

        foreach (var process in Silos.Select(silo => silo.Process).Append(FrontEnd))
        {
            await process.Ready();
            Assert.False(process.Child.HasExited, process.Child.Errors);
        }
    }

    /// <summary>Begins to start a silo, which ends with whoever asked for it.</summary>
    internal TlsSilo Silo(TestCertificate certificate, string roots, params string[] settings)
    {
        var ports = Loopback.FreePorts(2);
        var tls = Files(certificate, roots);
        return new(ClusterProcess.Silo(files, database, ports[0], ports[1], [.. upstreams, .. Settings(tls), .. settings]), tls, ports[0], ports[1]);
    }

    /// <summary>Begins to start a front end, likewise; in clear when it has no files.</summary>
    internal ClusterProcess StartFrontEnd(TlsFiles? tls) => ClusterProcess.FrontEnd(files, database, tls is null ? [] : Settings(tls));

    internal TlsFiles Files(TestCertificate certificate, params string[] roots)
    {
        var tls = new TlsFiles(certificate, roots);
        tlsFiles.Add(tls);
        return tls;
    }

    /// <summary>One visit of Alice Martin, with a token of its own.</summary>
    /// <returns>The answer.</returns>
    private async Task<string> Visit()
    {
        using var minted = await http.PostAsJsonAsync(
            Loopback.Url(tokens, "/sandbox/jetons"), new { persona = "alice-martin", client_id = "fs-chu", scope = "droits_assurance_maladie" }, Stop);
        var token = await minted.Content.ReadFromJsonAsync<Dictionary<string, object>>(Stop);
        using var call = new HttpRequestMessage(HttpMethod.Get, Loopback.Url(FrontEnd.Port, "/v1/droits/beneficiaires/me"));
        call.Headers.Add("X-API-Key", "cle-du-chu");
        call.Headers.Authorization = new("Bearer", token!["access_token"].ToString());
        using var answer = await http.SendAsync(call, Stop);
        return await answer.Content.ReadAsStringAsync(Stop);
    }

    /// <summary>A visit is answered, if not at once, then within the limit.</summary>
    public async Task AssertAnswersVisits()
    {
        var answer = "";
        await Eventually.Holds(
            async () => (answer = await Visit()).Contains("\"prenom\":\"Alice\"", StringComparison.Ordinal),
            Limit,
            () => $"{answer}\n{FrontEnd.Child.Output}\n{Silos[0].Process.Child.Output}");
    }

    /// <summary>How many silos the membership takes for active.</summary>
    public async Task<long> ActiveSilos() =>
        await PostgresServer.Scalar<long>(database, $"SELECT count(*) FROM orleansmembershiptable WHERE status = {Active}");

    /// <summary>Connects as somebody who believes whatever is shown, and waits to be refused.</summary>
    /// <returns>The stream when the other end kept it for a second without a word; null when it closed it.</returns>
    internal static async Task<SslStream?> Knock(int port, TestCertificate certificate)
    {
        var client = new TcpClient();
        await client.ConnectAsync(IPAddress.Loopback, port, Stop);
        var tls = new SslStream(client.GetStream());
        try
        {
            await tls.AuthenticateAsClientAsync(
                new SslClientAuthenticationOptions
                {
                    TargetHost = TestCa.SiloName,
                    ClientCertificateContext = SslStreamCertificateContext.Create(certificate.Open(), null, offline: true),
                    RemoteCertificateValidationCallback = (_, shown, _, _) => shown is not null,
                },
                Stop);
            using var patience = CancellationTokenSource.CreateLinkedTokenSource(Stop);
            patience.CancelAfter(TimeSpan.FromSeconds(1));

            // A silo sends its preamble first to another silo, and waits for that of a front end.
            if (await tls.ReadAsync(new byte[1], patience.Token) > 0)
                return tls;
        }
        catch (OperationCanceledException) when (!Stop.IsCancellationRequested)
        {
            return tls;
        }
        catch (Exception exception) when (exception is IOException or System.Security.Authentication.AuthenticationException)
        {
            // Refused, in the handshake or after it.
        }

        await tls.DisposeAsync();
        return null;
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var process in processes)
            await process.DisposeAsync();
        tlsFiles.ForEach(tls => tls.Dispose());
        files.Dispose();
        http.Dispose();
        Ca.Dispose();
        Stranger.Dispose();
    }

    private static string[] Settings(TlsFiles tls) =>
        [.. tls.Settings.Select(setting => $"--{setting.Name}={setting.Value}"), "--Logging:LogLevel:DroitsAmeli.Grains.Links=Information"];

    private void Keep(IAsyncDisposable process) => processes.Add(process);
}

/// <summary>A silo under mutual TLS.</summary>
internal sealed record TlsSilo(ClusterProcess Process, TlsFiles Files, int SiloPort, int GatewayPort);
