using System.Reflection;
using Microsoft.Extensions.Logging;
using Xunit;

namespace DroitsAmeli.Tests.Rules.Logs;

public sealed class AlarmTests
{
    private static readonly string[] Instructions = ["See ", "see ", "Look for ", "Restart ", "Report ", "Nothing has to be done", "{Remedy}"];

    [Theory]
    [InlineData("DroitsAmeli.Api")]
    [InlineData("DroitsAmeli.Grains")]
    [InlineData("DroitsAmeli.Grains.Abstractions")]
    [InlineData("DroitsAmeli.Silo")]
    public void Each_warning_says_what_to_do(string project)
    {
        var warnings = Assembly.Load(project).GetTypes()
            .SelectMany(type => type.GetMethods(BindingFlags.NonPublic | BindingFlags.Public | BindingFlags.Static | BindingFlags.Instance | BindingFlags.DeclaredOnly))
            .Select(method => method.GetCustomAttribute<LoggerMessageAttribute>())
            .Where(message => message?.Level >= LogLevel.Warning)
            .Select(message => message!.Message)
            .ToList();
        Assert.NotEmpty(warnings);
        Assert.All(warnings, message => Assert.Contains(Instructions, instruction => message.Contains(instruction, StringComparison.Ordinal)));
    }
}
