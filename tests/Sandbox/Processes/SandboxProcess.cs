using System.Net.Http.Json;
using System.Text.Json.Nodes;

namespace DroitsAmeli.Tests.Sandbox.Processes;

/// <summary>The whole sandbox as a process, on free ports, with a folder for temporary files of its own.</summary>
internal sealed class SandboxProcess : IAsyncDisposable
{
    private const string LastLine = "curl -s ";

    private readonly DirectoryInfo temporary = Directory.CreateTempSubdirectory("droits-test-");

    private SandboxProcess(params IEnumerable<string> settings)
    {
        var ports = Loopback.FreePorts(3);
        (ApiPort, FranceConnectPort, RegimeSiPort) = (ports[0], ports[1], ports[2]);
        Child = ChildProcess.Start(
            "Sandbox",
            [
                $"--Sandbox:ApiPort={ApiPort}",
                $"--Sandbox:FranceConnectPort={FranceConnectPort}",
                $"--Sandbox:RegimeSiPort={RegimeSiPort}",
                .. settings,
            ],
            ("TMPDIR", temporary.FullName));
    }

    public ChildProcess Child { get; }

    public int ApiPort { get; }

    public int FranceConnectPort { get; }

    public int RegimeSiPort { get; }

    public HttpClient Http { get; } = new() { Timeout = TimeSpan.FromSeconds(20) };

    /// <summary>The command that the welcome offers.</summary>
    public string Curl => Child.Output.Split('\n').Single(line => line.StartsWith(LastLine, StringComparison.Ordinal));

    /// <summary>Folders that the sandbox holds among the temporary files.</summary>
    public string[] Folders => Directory.GetDirectories(temporary.FullName, "droits-sandbox-*");

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    /// <summary>Begins to start one; nothing is waited for.</summary>
    public static SandboxProcess Launch(params IEnumerable<string> settings) => new(settings);

    /// <summary>Starts one and waits for its welcome.</summary>
    public static async Task<SandboxProcess> Start()
    {
        var sandbox = new SandboxProcess();
        try
        {
            await sandbox.Welcomes();
            return sandbox;
        }
        catch
        {
            await sandbox.DisposeAsync();
            throw;
        }
    }

    /// <summary>Waits for the last line of the welcome.</summary>
    public Task Welcomes() => Child.Line(line => line.StartsWith(LastLine, StringComparison.Ordinal));

    /// <summary>Mints a token.</summary>
    public Task<string> Token(string persona, string client) => Token(Http, FranceConnectPort, persona, client);

    /// <inheritdoc cref="Token(string, string)"/>
    public static async Task<string> Token(HttpClient http, int franceConnectPort, string persona, string client)
    {
        using var answer = await http.PostAsJsonAsync(
            Loopback.Url(franceConnectPort, "/sandbox/jetons"), new { persona, client_id = client, scope = "droits_assurance_maladie" }, Stop);
        answer.EnsureSuccessStatusCode();
        return (string)(await answer.Content.ReadFromJsonAsync<JsonObject>(Stop))!["access_token"]!;
    }

    /// <summary>Asks <c>/me</c>, or what stands behind it.</summary>
    public static async Task<HttpResponseMessage> Me(HttpClient http, int apiPort, string key, string token)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, Loopback.Url(apiPort, "/v1/droits/beneficiaires/me"));
        request.Headers.Add("X-API-Key", key);
        request.Headers.Authorization = new("Bearer", token);
        return await http.SendAsync(request, Stop);
    }

    public async Task<JsonNode> Json(int port, string path) =>
        JsonNode.Parse(await Http.GetStringAsync(Loopback.Url(port, path), Stop))!;

    public async ValueTask DisposeAsync()
    {
        Http.Dispose();
        await Child.DisposeAsync();
        temporary.Delete(recursive: true);
    }
}
