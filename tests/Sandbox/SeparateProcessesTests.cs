using System.Net;
using System.Net.Sockets;
using DroitsAmeli.Tests.Sandbox.Processes;

namespace DroitsAmeli.Tests.Sandbox;

/// <summary>The four processes of <c>deploy/README.md</c>, started and called as it says, on other ports.</summary>
public sealed class SeparateProcessesTests
{
    private static readonly TimeSpan StopLimit = TimeSpan.FromSeconds(10);

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Answer_as_the_guide_says_whatever_starts_first_and_stop_when_told()
    {
        using var guide = await DeployGuide.Prepare();
        using var http = new HttpClient { Timeout = TimeSpan.FromSeconds(20) };

        await using var api = guide.Start("Api");
        await using var franceConnect = guide.Start("Simulators", "franceconnect");
        await franceConnect.Line(line => line.Contains("listens", StringComparison.Ordinal));
        Assert.False(api.HasExited);
        Assert.False(await Loopback.Accepts(guide.Port(8080)), "The front end opened its port without a silo.");

        await using var regimeSi = guide.Start("Simulators", "regime-si");
        await using var silo = guide.Start("Silo");
        await Eventually.Holds(
            async () => api.HasExited || silo.HasExited || await Loopback.Accepts(guide.Port(8080)),
            ChildProcess.StartLimit,
            () => $"The front end did not open its port.\n{api.Output}\n{silo.Output}");

        Assert.Contains("\"prenom\":\"Alice\"", await Shell.Run(guide.Curl), StringComparison.Ordinal);
        foreach (var address in new[] { guide.Port(8080), guide.Port(8090) })
        {
            foreach (var question in new[] { "live", "ready", "startup" })
                Assert.Equal("Healthy", await http.GetStringAsync(Loopback.Url(address, "/health/" + question), Stop));
        }

        Assert.DoesNotContain("\"d\"", await http.GetStringAsync(Loopback.Url(guide.Port(8080), "/.well-known/jwks.json"), Stop), StringComparison.Ordinal);

        // Before the front end: a silo that goes must not wait for those that call it.
        foreach (var process in new[] { silo, api, franceConnect, regimeSi })
            Assert.Equal(0, await process.Terminate(StopLimit));
    }

    [Fact]
    public async Task A_front_end_that_still_waits_for_a_silo_stops_when_told()
    {
        using var guide = await DeployGuide.Prepare();
        await using var api = guide.Start("Api", more: "--Logging:LogLevel:Default=Information");
        await api.Line(line => line.Contains("Establishing connection", StringComparison.Ordinal));

        Assert.Equal(0, await api.Terminate(StopLimit));
        Assert.Empty(api.Errors);
    }

    [Theory]
    [InlineData("Silo", "--FranceConnect:Issuer=", "FranceConnect:Issuer is missing")]
    [InlineData("Silo", "--FranceConnect:Issuer=http://fcp.example.org/api/v2", "FranceConnect:Issuer must be an absolute https URL")]
    [InlineData("Silo", "--FranceConnect:PrivateJwksFile=/nowhere/keys.json", "FranceConnect:PrivateJwksFile /nowhere/keys.json cannot be read")]
    [InlineData("Silo", "--FranceConnect:EncryptedResponseAlg=RSA-OAEP", "FranceConnect:PrivateJwksFile")]
    [InlineData("Silo", "--FranceConnect:TimeoutSeconds=soon", "FranceConnect:TimeoutSeconds")]
    [InlineData("Silo", "--Identities:HmacKeyFile=", "Identities:HmacKeyFile is required")]
    [InlineData("Silo", "--Identities:HmacKeyFile=/nowhere/hmac.key", "Identities:HmacKeyFile: /nowhere/hmac.key cannot be read")]
    [InlineData("Silo", "--RegimeSi:BaseUrl=", "RegimeSi:BaseUrl is missing")]
    [InlineData("Silo", "--RegimeSi:BaseUrl=http://si.example.org", "RegimeSi:BaseUrl must be an absolute https URL")]
    [InlineData("Silo", "--RegimeSi:Maintenance:0=25:00-26:00", "RegimeSi:Maintenance must be an array of HH:mm-HH:mm")]
    [InlineData("Silo", "--RegimeSi:Maintenance=nuit", "RegimeSi:Maintenance must be an array of HH:mm-HH:mm, or one text")]
    [InlineData("Silo", "--Cluster:Mode=carrier-pigeon", "Cluster:Mode")]
    [InlineData("Silo", "--Admin:Urls=zz", "Admin:Urls must be an address")]
    [InlineData("Api", "--urls=zz", "urls must be an address")]
    [InlineData("Api", "--Conventions:File=", "Conventions:File is missing")]
    [InlineData("Api", "--Conventions:File=/nowhere/conventions.json", "Conventions:File: /nowhere/conventions.json cannot be used")]
    [InlineData("Api", "--FranceConnect:PublicJwksFile=", "FranceConnect:PublicJwksFile (or FranceConnect:PrivateJwksFile) is missing")]
    [InlineData("Api", "--FranceConnect:MinimumAcr=eidas9", "FranceConnect:MinimumAcr")]
    [InlineData("Api", "--Api:PathPrefix=test/", "Api:PathPrefix must be empty")]
    public async Task Refuse_to_start_with_a_wrong_setting_and_name_it(string program, string setting, string message)
    {
        using var guide = await DeployGuide.Prepare();
        await using var process = guide.Start(program, more: setting);

        Assert.Equal(1, await process.Exited(ChildProcess.StartLimit));
        Assert.Contains(message, process.Errors, StringComparison.Ordinal);
        Readable.Check(process);
    }

    [Theory]
    [InlineData("franceconnect", "--port", "Simulators:FranceConnect:Port")]
    [InlineData("regime-si", "--port", "Simulators:RegimeSi:Port")]
    [InlineData("regime-si", "--admin-port", "Simulators:RegimeSi:AdminPort")]
    public async Task A_simulator_names_the_setting_of_a_port_that_is_in_use(string role, string option, string setting)
    {
        using var taken = new TcpListener(IPAddress.Loopback, 0);
        taken.Start();
        var port = ((IPEndPoint)taken.LocalEndpoint).Port;
        await using var simulator = ChildProcess.Start("Simulators", [role, "--port=0", $"{option}={port}"]);

        Assert.Equal(1, await simulator.Exited(ChildProcess.StartLimit));
        Assert.Equal($"Port {port} of 127.0.0.1 is in use. Stop what listens there, or set {setting} ({option}) to another one.", simulator.Errors);
        Assert.Empty(simulator.Output);
    }

    [Theory]
    [InlineData("franceconnect", "--port=70000", "Simulators:FranceConnect:Port")]
    [InlineData("franceconnect", "--port=many", "Simulators:FranceConnect:Port")]
    [InlineData("franceconnect", "--jwks-uri=zz", "Simulators:FranceConnect:JwksUri")]
    [InlineData("regime-si", "--port=70000", "Port")]
    public async Task A_simulator_names_a_setting_that_is_wrong(string role, string option, string setting)
    {
        await using var simulator = ChildProcess.Start("Simulators", [role, option]);

        Assert.Equal(1, await simulator.Exited(ChildProcess.StartLimit));
        Assert.Contains(setting, Assert.Single(simulator.Errors.Split('\n')), StringComparison.Ordinal);
    }
}
