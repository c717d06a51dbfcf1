using System.Globalization;
using System.Net;

namespace DroitsAmeli.Tests.Storage;

/// <summary>A silo or a front end as a process of its own, in mode postgres unless a setting says otherwise; killed when it is disposed of.</summary>
internal sealed class ClusterProcess : IAsyncDisposable
{
    private static readonly HttpClient Http = new() { Timeout = TimeSpan.FromSeconds(5) };

    private ClusterProcess(ChildProcess child, int port) => (Child, Port) = (child, port);

    /// <summary>The port for operators of a silo, and that of the API of a front end.</summary>
    public int Port { get; }

    public ChildProcess Child { get; }

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    /// <summary>Begins to start a silo; nothing it needs beyond the database is there.</summary>
    public static ClusterProcess Silo(ClusterFiles files, string database, int siloPort, int gatewayPort, params string[] settings)
    {
        var port = Loopback.FreePorts(1)[0];
        return new(
            ChildProcess.Start(
                "Silo",
                [
                    "--Cluster:Mode=postgres", $"--Cluster:SiloPort={Text(siloPort)}", $"--Cluster:GatewayPort={Text(gatewayPort)}",
                    $"--Admin:Urls={Loopback.Url(port)}", .. settings,
                ],
                ("Cluster__ConnectionString", database),
                ("FranceConnect__Issuer", "http://127.0.0.1:1/api/v2"), ("FranceConnect__ClientId", "droits"), ("FranceConnect__ClientSecret", "secret"),
                ("FranceConnect__PrivateJwksFile", files.PrivateJwks), ("Identities__HmacKeyFile", files.HmacKey),
                ("RegimeSi__BaseUrl", "http://127.0.0.1:1"), ("Logging__LogLevel__Default", "Warning")),
            port);
    }

    /// <summary>Begins to start a front end.</summary>
    public static ClusterProcess FrontEnd(ClusterFiles files, string database, params string[] settings)
    {
        var port = Loopback.FreePorts(1)[0];
        return new(
            ChildProcess.Start(
                "Api",
                ["--Cluster:Mode=postgres", $"--urls={Loopback.Url(port)}", .. settings],
                ("Cluster__ConnectionString", database), ("Conventions__File", files.Conventions), ("FranceConnect__PublicJwksFile", files.PublicJwks),
                ("Logging__LogLevel__Default", "Warning")),
            port);
    }

    /// <summary>Waits until it is ready for work.</summary>
    public Task Ready() => Eventually.Holds(
        async () => Child.HasExited || await IsReady(),
        ChildProcess.StartLimit,
        () => $"It did not become ready.\n{Child.Output}\n{Child.Errors}");

    public async Task<bool> IsReady() => await Asked("/health/ready") is HttpStatusCode.OK;

    /// <summary>What it answers to that; null when nobody does.</summary>
    public async Task<HttpStatusCode?> Asked(string path)
    {
        try
        {
            using var answer = await Http.GetAsync(Loopback.Url(Port, path), Stop);
            return answer.StatusCode;
        }
        catch (Exception exception) when (exception is HttpRequestException or TaskCanceledException && !Stop.IsCancellationRequested)
        {
            return null;
        }
    }

    public ValueTask DisposeAsync() => Child.DisposeAsync();

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);
}
