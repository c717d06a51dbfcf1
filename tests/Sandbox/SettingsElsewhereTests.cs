using System.Net;
using DroitsAmeli.Tests.Sandbox.Processes;

namespace DroitsAmeli.Tests.Sandbox;

/// <summary>Another FranceConnect and another régime SI plug into the sandbox with settings alone.</summary>
public sealed class SettingsElsewhereTests
{
    private const string ReadyLine = "bac à sable prêt";

    [Fact]
    public async Task Another_regime_si_replaces_the_simulated_one()
    {
        var port = Loopback.FreePorts(1)[0];
        await using var other = ChildProcess.Start("Simulators", ["regime-si", "--port", $"{port}", "--api-key", "cle-du-si"]);
        await other.Line(line => line.Contains("listens", StringComparison.Ordinal));

        await using var sandbox = SandboxProcess.Launch($"--RegimeSi:BaseUrl={Loopback.Url(port)}", "--RegimeSi:ApiKey=cle-du-si");
        await sandbox.Welcomes();

        Assert.False(await Loopback.Accepts(sandbox.RegimeSiPort));
        Assert.DoesNotContain(Loopback.Url(sandbox.RegimeSiPort), sandbox.Child.Output, StringComparison.Ordinal);
        Assert.Contains("RegimeSi:*", sandbox.Child.Output, StringComparison.Ordinal);
        Assert.Contains("Alice", await Shell.Run(sandbox.Curl), StringComparison.Ordinal);
        Assert.Equal(1, (long)(await sandbox.Json(port, "/sandbox/compteurs"))["identifications"]!);
    }

    [Fact]
    public async Task Another_france_connect_replaces_the_simulated_one()
    {
        var port = Loopback.FreePorts(1)[0];
        await using var sandbox = SandboxProcess.Launch(
            $"--FranceConnect:Issuer={Loopback.Url(port, "/api/v2")}",
            "--FranceConnect:ClientId=nous",
            "--FranceConnect:ClientSecret=notre-secret",
            "--FranceConnect:SignedResponseAlg=RS256");
        await sandbox.Child.Line(line => line.Contains(ReadyLine, StringComparison.Ordinal));
        await sandbox.Child.Line(line => line.Contains("cle-stricte", StringComparison.Ordinal));
        await using var other = ChildProcess.Start(
            "Simulators",
            [
                "franceconnect", "--port", $"{port}", "--client-id", "nous", "--client-secret", "notre-secret",
                "--jwks-uri", Loopback.Url(sandbox.ApiPort, "/.well-known/jwks.json"),
                "--Simulators:FranceConnect:SignedResponseAlg=RS256",
            ]);
        await other.Line(line => line.Contains("listens", StringComparison.Ordinal));

        Assert.False(await Loopback.Accepts(sandbox.FranceConnectPort));
        Assert.DoesNotContain(Loopback.Url(sandbox.FranceConnectPort), sandbox.Child.Output, StringComparison.Ordinal);
        Assert.DoesNotContain("curl", sandbox.Child.Output, StringComparison.Ordinal);
        Assert.Contains("FranceConnect:*", sandbox.Child.Output, StringComparison.Ordinal);

        var token = await SandboxProcess.Token(sandbox.Http, port, "alice-martin", "fs-chu");
        using var answer = await SandboxProcess.Me(sandbox.Http, sandbox.ApiPort, "cle-chu-bac-a-sable", token);
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        Assert.Equal(1, (long)(await sandbox.Json(port, "/sandbox/compteurs"))["checktoken"]!);
    }

    [Fact]
    public async Task A_france_connect_without_our_credentials_is_refused_with_the_names_of_the_settings()
    {
        await using var sandbox = SandboxProcess.Launch("--FranceConnect:Issuer=https://fcp.example.org/api/v2");

        Assert.Equal(1, await sandbox.Child.Exited(ChildProcess.StartLimit));
        Assert.Contains("FranceConnect:ClientId is missing", sandbox.Child.Errors, StringComparison.Ordinal);
        Assert.Contains("FranceConnect:ClientSecret is missing", sandbox.Child.Errors, StringComparison.Ordinal);
        Readable.Check(sandbox.Child);
    }

    [Fact]
    public async Task Other_conventions_replace_the_printed_partners()
    {
        var file = Path.GetTempFileName();
        try
        {
            await File.WriteAllTextAsync(file, "[]", TestContext.Current.CancellationToken);
            await using var sandbox = SandboxProcess.Launch($"--Conventions:File={file}");
            await sandbox.Child.Line(line => line.Contains(file, StringComparison.Ordinal));

            Assert.DoesNotContain("cle-chu-bac-a-sable", sandbox.Child.Output, StringComparison.Ordinal);
            using var answer = await SandboxProcess.Me(sandbox.Http, sandbox.ApiPort, "cle-chu-bac-a-sable", await sandbox.Token("alice-martin", "fs-chu"));
            Assert.Equal(HttpStatusCode.Unauthorized, answer.StatusCode);
        }
        finally
        {
            File.Delete(file);
        }
    }
}
