using System.Net;
using System.Text.RegularExpressions;
using DroitsAmeli.Api;
using DroitsAmeli.Api.Documentation;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Xunit;

namespace DroitsAmeli.Tests.Rules.Documentation;

public sealed partial class DocumentationPageTests : IAsyncLifetime
{
    private readonly WebApplication app = Build();
    private readonly HttpClient client = new();

    public async ValueTask InitializeAsync()
    {
        app.MapDocumentation();
        await app.StartAsync(TestContext.Current.CancellationToken);
        client.BaseAddress = new Uri(app.Urls.Single());
    }

    public async ValueTask DisposeAsync()
    {
        client.Dispose();
        await app.DisposeAsync();
    }

    [Fact]
    public async Task The_document_is_served_as_json_with_the_prefix()
    {
        using var response = await client.GetAsync("/openapi/v1.json", TestContext.Current.CancellationToken);
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        Assert.Equal("application/json", response.Content.Headers.ContentType!.MediaType);
        Assert.Contains("\"/test/v1/droits/beneficiaires\"", await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken), StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_page_loads_from_this_host_only_and_sets_no_cookie()
    {
        using var response = await client.GetAsync("/docs", TestContext.Current.CancellationToken);
        var html = await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        Assert.False(response.Headers.Contains("Set-Cookie"));
        Assert.DoesNotMatch(ExternalSource(), html);

        var policy = Assert.Single(response.Headers.GetValues("Content-Security-Policy"));
        Assert.StartsWith("default-src 'none';", policy, StringComparison.Ordinal);
        Assert.DoesNotContain("http", policy, StringComparison.Ordinal);
        Assert.DoesNotContain('*', policy);
        var nonce = Nonce().Match(policy).Groups[1].Value;
        Assert.NotEmpty(nonce);
        Assert.All(Script().Matches(html), script => Assert.Contains($"nonce=\"{nonce}\"", script.Value, StringComparison.Ordinal));

        using var again = await client.GetAsync("/docs", TestContext.Current.CancellationToken);
        Assert.DoesNotContain(nonce, again.Headers.GetValues("Content-Security-Policy").Single(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_scripts_of_the_page_come_with_the_process()
    {
        var html = await client.GetStringAsync("/docs/", TestContext.Current.CancellationToken);
        var sources = Source().Matches(html).Select(match => match.Groups[1].Value).ToList();
        Assert.NotEmpty(sources);
        foreach (var source in sources)
        {
            using var response = await client.GetAsync(new Uri(new Uri(client.BaseAddress!, "/docs/"), source), TestContext.Current.CancellationToken);
            Assert.Equal(HttpStatusCode.OK, response.StatusCode);
            Assert.Contains("javascript", response.Content.Headers.ContentType!.MediaType, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task Fonts_telemetry_and_assistants_are_off()
    {
        var html = await client.GetStringAsync("/docs/", TestContext.Current.CancellationToken);
        string[] off = ["\"withDefaultFonts\":false", "\"favicon\":\"data:,\"", "\"telemetry\":false", "\"hideTestRequestButton\":true", "\"agent\":{\"disabled\":true}", "\"mcp\":{\"disabled\":true}"];
        Assert.All(off, setting => Assert.Contains(setting, html, StringComparison.Ordinal));
        Assert.DoesNotContain("proxyUrl", html, StringComparison.Ordinal);
    }

    private static WebApplication Build()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        builder.Logging.ClearProviders();
        builder.Services.Configure<ApiOptions>(options => options.PathPrefix = "/test");
        return builder.Build();
    }

    [GeneratedRegex("""(?:src|href)\s*=\s*["']?(?:https?:)?//""", RegexOptions.IgnoreCase)]
    private static partial Regex ExternalSource();

    [GeneratedRegex("'nonce-([^']+)'")]
    private static partial Regex Nonce();

    [GeneratedRegex("<script[^>]*>")]
    private static partial Regex Script();

    [GeneratedRegex("<script[^>]*src=\"([^\"]+)\"")]
    private static partial Regex Source();
}
