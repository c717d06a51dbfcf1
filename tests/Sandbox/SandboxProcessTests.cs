using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using DroitsAmeli.Tests.Sandbox.Processes;

namespace DroitsAmeli.Tests.Sandbox;

public sealed class SandboxProcessTests(RunningSandbox running)
{
    private static readonly TimeSpan StopLimit = TimeSpan.FromSeconds(10);

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Serves_the_description_of_the_api()
    {
        var sandbox = await running.Get();

        var document = await sandbox.Json(sandbox.ApiPort, "/openapi/v1.json");

        Assert.StartsWith("3.", (string?)document["openapi"], StringComparison.Ordinal);
        Assert.Equal(7, document["paths"]!.AsObject().Count);
    }

    [Theory]
    [InlineData("live")]
    [InlineData("ready")]
    [InlineData("startup")]
    public async Task Is_healthy(string question)
    {
        var sandbox = await running.Get();

        Assert.Equal("Healthy", await sandbox.Http.GetStringAsync(Loopback.Url(sandbox.ApiPort, "/health/" + question), Stop));
    }

    [Fact]
    public async Task Listens_on_loopback_only()
    {
        var sandbox = await running.Get();

        var listeners = Loopback.ListenersOf(sandbox.Child.Id);

        // The three it prints, the two of the silo, and the silo's health.
        Assert.Subset(
            listeners.Select(listener => listener.Port).ToHashSet(),
            new HashSet<int> { sandbox.ApiPort, sandbox.FranceConnectPort, sandbox.RegimeSiPort });
        Assert.Equal(6, listeners.Count);
        Assert.All(listeners, listener => Assert.Equal(IPAddress.Loopback, listener.Address));
    }

    [Fact]
    public async Task Opens_the_port_of_the_api_when_a_call_succeeds_and_leaves_nothing_behind()
    {
        await using var sandbox = SandboxProcess.Launch();
        await Eventually.Holds(
            async () => sandbox.Child.HasExited || await Loopback.Accepts(sandbox.ApiPort),
            ChildProcess.StartLimit,
            () => $"The port did not open.\n{sandbox.Child.Output}\n{sandbox.Child.Errors}");

        using (var answer = await SandboxProcess.Me(sandbox.Http, sandbox.ApiPort, "cle-chu-bac-a-sable", await sandbox.Token("alice-martin", "fs-chu")))
            Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        await sandbox.Welcomes();
        Assert.Single(sandbox.Folders);

        var elapsed = Stopwatch.StartNew();
        Assert.Equal(0, await sandbox.Child.Terminate(StopLimit));
        Assert.True(elapsed.Elapsed < StopLimit, $"It took {elapsed.Elapsed}.");
        Assert.Empty(sandbox.Folders);
        Assert.Empty(sandbox.Child.Errors);
        Assert.EndsWith(sandbox.Curl, sandbox.Child.Output, StringComparison.Ordinal);
        Assert.False(await Loopback.Accepts(sandbox.ApiPort));
    }

    [Fact]
    public async Task Stops_in_time_while_a_caller_waits_and_keeps_its_connection()
    {
        await using var sandbox = await SandboxProcess.Start();
        using var slow = new HttpClient { BaseAddress = new Uri(Loopback.Url(sandbox.RegimeSiPort)) };
        using var feed = slow.GetAsync("/si/v1/evenements?attente=60", Stop);
        using var idle = new TcpClient();
        await idle.ConnectAsync(IPAddress.Loopback, sandbox.ApiPort, Stop);

        Assert.Equal(0, await sandbox.Child.Terminate(StopLimit));
        Assert.Empty(sandbox.Folders);
        try
        {
            using var answer = await feed;
        }
        catch (HttpRequestException)
        {
            // The simulator may end the connection instead of the wait.
        }
    }

    [Fact]
    public async Task Stops_at_once_when_it_is_told_to_while_it_starts()
    {
        await using var sandbox = SandboxProcess.Launch();
        await Eventually.Holds(() => sandbox.Folders.Length > 0, ChildProcess.StartLimit, () => "It did not begin to start.");

        Assert.Equal(0, await sandbox.Child.Terminate(StopLimit));
        Assert.Empty(sandbox.Folders);
        Assert.Empty(sandbox.Child.Errors);
    }

    [Theory]
    [InlineData("ApiPort")]
    [InlineData("FranceConnectPort")]
    [InlineData("RegimeSiPort")]
    public async Task Says_which_port_is_in_use_and_how_to_choose_another(string setting)
    {
        using var other = new TcpListener(IPAddress.Loopback, 0);
        other.Start();
        var port = ((IPEndPoint)other.LocalEndpoint).Port;

        await using var sandbox = SandboxProcess.Launch($"--Sandbox:{setting}={port}");

        Assert.Equal(1, await sandbox.Child.Exited(ChildProcess.StartLimit));
        Assert.Equal($"Port {port} of 127.0.0.1 is in use. Stop what listens there, or choose another one: --Sandbox:{setting}=<port>.", sandbox.Child.Errors);
        Assert.Empty(sandbox.Child.Output);
        Assert.Empty(sandbox.Folders);
    }

    [Fact]
    public async Task Names_all_wrong_settings_in_a_few_lines()
    {
        await using var sandbox = SandboxProcess.Launch("--RegimeSi:Maintenance:0=nuit", "--FranceConnect:SignedResponseAlg=HS256");

        Assert.Equal(1, await sandbox.Child.Exited(ChildProcess.StartLimit));
        Assert.Contains("RegimeSi:Maintenance", sandbox.Child.Errors, StringComparison.Ordinal);
        Assert.Contains("FranceConnect:SignedResponseAlg", sandbox.Child.Errors, StringComparison.Ordinal);
        Readable.Check(sandbox.Child);
        Assert.Empty(sandbox.Folders);
    }

    [Theory]
    [InlineData("DOTNET_ENVIRONMENT")]
    [InlineData("ASPNETCORE_ENVIRONMENT")]
    public async Task Refuses_an_explicit_production(string variable)
    {
        await using var child = ChildProcess.Start("Sandbox", ["--Sandbox:ApiPort=0", "--Sandbox:FranceConnectPort=0", "--Sandbox:RegimeSiPort=0"], (variable, "Production"));

        Assert.Equal(1, await child.Exited(ChildProcess.StartLimit));
        Assert.Contains("Production", child.Errors, StringComparison.Ordinal);
        Readable.Check(child);
    }

    [Theory]
    [InlineData("regime-si")]
    [InlineData("franceconnect")]
    public async Task A_simulator_of_its_own_refuses_an_explicit_production(string role)
    {
        await using var child = ChildProcess.Start("Simulators", [role, "--port", "0", "--environment", "Production"], ("DOTNET_ENVIRONMENT", "Sandbox"));

        Assert.Equal(1, await child.Exited(ChildProcess.StartLimit));
        Assert.Contains("Production", child.Errors, StringComparison.Ordinal);
        Readable.Check(child);
    }
}
