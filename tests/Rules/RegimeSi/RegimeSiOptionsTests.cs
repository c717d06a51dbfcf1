using DroitsAmeli.Grains.RegimeSi;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using Xunit;

namespace DroitsAmeli.Tests.Rules.RegimeSi;

public sealed class RegimeSiOptionsTests
{
    [Theory]
    [InlineData(null, null, null, "RegimeSi:BaseUrl")]
    [InlineData("ftp://si", null, null, "RegimeSi:BaseUrl")]
    [InlineData("/si", null, null, "RegimeSi:BaseUrl")]
    [InlineData("http://si.example", null, null, "RegimeSi:BaseUrl")]
    [InlineData("https://u:p@si.example", null, null, "RegimeSi:BaseUrl")]
    [InlineData("https://si.example?x=1", null, null, "RegimeSi:BaseUrl")]
    [InlineData("https://si.example", "a b", null, "RegimeSi:ApiKey")]
    [InlineData("https://si.example", null, "02:00", "RegimeSi:Maintenance")]
    [InlineData("https://si.example/prefix", "key", "02:00-03:00", null)]
    [InlineData("http://127.0.0.1:8082", "", null, null)]
    [InlineData("http://localhost:8082", null, null, null)]
    public void Settings_are_validated_at_start_and_named(string? url, string? key, string? maintenance, string? setting)
    {
        var settings = new Dictionary<string, string?> { ["RegimeSi:BaseUrl"] = url, ["RegimeSi:ApiKey"] = key };
        if (maintenance is not null)
            settings["RegimeSi:Maintenance:0"] = maintenance;
        AssertBlames(setting, new ConfigurationBuilder().AddInMemoryCollection(settings).Build());
    }

    [Theory]
    [InlineData("RegimeSi:TimeoutSeconds", "0")]
    [InlineData("RegimeSi:TimeoutSeconds", "31")]
    [InlineData("RegimeSi:MaxConcurrentCalls", "0")]
    [InlineData("RegimeSi:MaxConcurrentCalls", "10001")]
    public void Numbers_have_their_ranges(string setting, string value)
    {
        var configuration = new ConfigurationBuilder().AddInMemoryCollection(new Dictionary<string, string?>
        {
            ["RegimeSi:BaseUrl"] = "https://si.example",
            [setting] = value,
        }).Build();
        AssertBlames(setting, configuration);
    }

    private static void AssertBlames(string? setting, IConfiguration configuration)
    {
        using var provider = new ServiceCollection().AddRegimeSi(configuration).BuildServiceProvider();
        var starting = provider.GetRequiredService<IStartupValidator>();
        if (setting is null)
        {
            starting.Validate();
            return;
        }

        var error = Assert.Throws<OptionsValidationException>(starting.Validate);
        Assert.Contains(setting, Assert.Single(error.Failures), StringComparison.Ordinal);
        Assert.DoesNotContain("a b", error.Message, StringComparison.Ordinal);
    }
}
