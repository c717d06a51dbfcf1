namespace DroitsAmeli.Simulators;

/// <summary>What keeps a simulator from starting.</summary>
public sealed class SimulatorException(string message) : InvalidOperationException(message);

/// <summary>Where a simulator may run: nowhere that calls itself production.</summary>
public static class SimulatorEnvironment
{
    private const string Production = nameof(Production);

    private static readonly string[] Settings = ["environment", "ASPNETCORE_ENVIRONMENT", "DOTNET_ENVIRONMENT"];

    /// <summary>The environment's name if the variables of the process say one; null when they do not.</summary>
    public static string? Explicit => Of(new ConfigurationBuilder().AddEnvironmentVariables().Build());

    /// <summary>
    /// The environment's name if <c>--environment</c>, <c>ASPNETCORE_ENVIRONMENT</c> or <c>DOTNET_ENVIRONMENT</c> says one: Production if any of them
    /// does, else the first; null when none does.
    /// </summary>
    public static string? Of(IConfiguration configuration)
    {
        var said = Settings.Select(setting => configuration[setting]).Where(name => !string.IsNullOrEmpty(name)).ToList();
        return said.Find(IsProduction) ?? said.FirstOrDefault();
    }

    /// <summary>Refuses an explicit Production.</summary>
    /// <exception cref="SimulatorException">The environment is Production.</exception>
    public static void Refuse(string? environmentName, string simulator)
    {
        if (IsProduction(environmentName))
            throw new SimulatorException($"The {simulator} simulator answers with made-up people and does not start when the environment is Production.");
    }

    private static bool IsProduction(string? name) => string.Equals(name, Production, StringComparison.OrdinalIgnoreCase);
}
