using DroitsAmeli.Grains.Configuration;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Xunit;

namespace DroitsAmeli.Tests.Rules.Configuration;

public sealed class HealthCommandTests
{
    [Theory]
    [InlineData(200, 0)]
    [InlineData(503, 1)]
    public async Task Tells_by_its_exit_code_what_the_process_says(int status, int code)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.Configuration["urls"] = "http://127.0.0.1:0";
        await using var app = builder.Build();
        app.MapGet("/health/live", () => Results.StatusCode(status));
        await app.StartAsync(TestContext.Current.CancellationToken);
        var port = new Uri(app.Urls.Single()).Port;

        foreach (var address in new[] { $"http://127.0.0.1:{port}", $"http://*:{port}", $"http://0.0.0.0:{port};http://127.0.0.1:1" })
            Assert.Equal(code, await HealthCommand.Run([$"--Admin:Urls={address}"], "Admin:Urls", "http://127.0.0.1:1"));
        Assert.Equal(code, await HealthCommand.Run([], "Admin:Urls", app.Urls.Single()));
    }

    [Theory]
    [InlineData("http://127.0.0.1:1")]
    [InlineData("nonsense")]
    public async Task Where_nobody_answers_nothing_is_well(string address) =>
        Assert.Equal(1, await HealthCommand.Run([$"--Admin:Urls={address}"], "Admin:Urls", "http://127.0.0.1:1"));
}
