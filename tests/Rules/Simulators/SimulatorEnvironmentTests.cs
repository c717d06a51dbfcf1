using DroitsAmeli.Simulators;
using Microsoft.Extensions.Configuration;
using Xunit;

namespace DroitsAmeli.Tests.Rules.Simulators;

public sealed class SimulatorEnvironmentTests
{
    [Theory]
    [InlineData("--environment=Production")]
    [InlineData("--environment=production", "--DOTNET_ENVIRONMENT=Sandbox", "--ASPNETCORE_ENVIRONMENT=Sandbox")]
    [InlineData("--DOTNET_ENVIRONMENT=Production", "--environment=Sandbox", "--ASPNETCORE_ENVIRONMENT=Sandbox")]
    [InlineData("--ASPNETCORE_ENVIRONMENT=Production", "--environment=Sandbox", "--DOTNET_ENVIRONMENT=Sandbox")]
    public void Is_production_when_anybody_says_so(params string[] settings)
    {
        var environment = Of(settings);

        Assert.Equal("Production", environment, ignoreCase: true);
        Assert.Contains("Production", Assert.Throws<SimulatorException>(() => SimulatorEnvironment.Refuse(environment, "FranceConnect")).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(null)]
    [InlineData(null, "--environment=")]
    [InlineData("Staging", "--environment=Staging", "--ASPNETCORE_ENVIRONMENT=Test")]
    [InlineData("Test", "--ASPNETCORE_ENVIRONMENT=Test", "--DOTNET_ENVIRONMENT=Development")]
    public void Is_else_what_is_said_first(string? expected, params string[] settings)
    {
        Assert.Equal(expected, Of(settings));
        SimulatorEnvironment.Refuse(Of(settings), "FranceConnect");
    }

    private static string? Of(string[] settings) => SimulatorEnvironment.Of(new ConfigurationBuilder().AddCommandLine(settings).Build());
}
