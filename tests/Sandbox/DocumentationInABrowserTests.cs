using System.Collections.Concurrent;
using DroitsAmeli.Tests.Sandbox.Processes;
using Microsoft.Playwright;

namespace DroitsAmeli.Tests.Sandbox;

public sealed class DocumentationInABrowserTests(RunningSandbox running)
{
    private static readonly string[] Operations =
    [
        "getMe", "getBeneficiaires", "getBeneficiairesNir", "getBeneficiairesNirCaisse", "getBeneficiairesNirContrats",
        "getBeneficiairesNirExonerations", "getBeneficiairesNirMedecinTraitant",
    ];

    private static string? Chromium => Environment.GetEnvironmentVariable("DROITS_CHROMIUM") is { Length: > 0 } named ? named : "/usr/bin/chromium";

    [Fact]
    public async Task Shows_the_seven_operations_and_asks_nobody_else()
    {
        Assert.SkipUnless(File.Exists(Chromium), $"No Chromium at {Chromium}: install it, or name one in DROITS_CHROMIUM.");
        var sandbox = await running.Get();
        var page = Loopback.Url(sandbox.ApiPort, "/docs");
        var requests = new ConcurrentQueue<string>();
        var complaints = new ConcurrentQueue<string>();

        using var playwright = await Playwright.CreateAsync();
        await using var browser = await playwright.Chromium.LaunchAsync(new()
        {
            ExecutablePath = Chromium,
            Headless = true,
            Timeout = 60_000,
            Args =
            [
                "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--disable-background-networking", "--disable-component-update",
                "--disable-sync", "--no-first-run", "--no-proxy-server", "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1",
            ],
        });
        var tab = await browser.NewPageAsync(new() { ViewportSize = new() { Width = 1280, Height = 20_000 } });
        tab.SetDefaultTimeout(60_000);
        tab.Request += (_, request) => requests.Enqueue(request.Url);
        tab.Console += (_, message) =>
        {
            if (message.Type is "error" or "warning")
                complaints.Enqueue(message.Text);
        };
        tab.PageError += (_, error) => complaints.Enqueue(error);

        Assert.Equal(200, (await tab.GotoAsync(page))!.Status);
        foreach (var operation in Operations)
            await tab.GetByText(operation, new() { Exact = true }).First.WaitForAsync();
        await tab.WaitForLoadStateAsync(LoadState.NetworkIdle);

        Assert.Contains(Loopback.Url(sandbox.ApiPort, "/openapi/v1.json"), requests);
        Assert.All(requests, url => Assert.True(IsLocal(url, sandbox.ApiPort), url));
        Assert.Empty(complaints);
        Assert.Contains("Assurance Maladie", await tab.TitleAsync(), StringComparison.Ordinal);
        Assert.Empty(await tab.Context.CookiesAsync());
    }

    private static bool IsLocal(string url, int port) =>
        url.StartsWith("data:", StringComparison.Ordinal)
        || url.StartsWith("blob:" + Loopback.Url(port, "/"), StringComparison.Ordinal)
        || url.StartsWith(Loopback.Url(port, "/"), StringComparison.Ordinal);
}
