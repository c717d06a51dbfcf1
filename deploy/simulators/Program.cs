using System.ComponentModel.DataAnnotations;
using System.Globalization;
using DroitsAmeli.Simulators;
using DroitsAmeli.Simulators.FranceConnect;
using DroitsAmeli.Simulators.RegimeSi;

var configuration = new ConfigurationBuilder()
    .AddEnvironmentVariables()
    .AddCommandLine([.. args.Skip(1)], new Dictionary<string, string>
    {
        ["--port"] = (args.FirstOrDefault() == "franceconnect" ? "Simulators:FranceConnect" : RegimeSiSimulatorOptions.Section) + ":Port",
        ["--admin-port"] = $"{RegimeSiSimulatorOptions.Section}:AdminPort",
        ["--families"] = $"{RegimeSiSimulatorOptions.Section}:Families",
        ["--seed"] = $"{RegimeSiSimulatorOptions.Section}:Seed",
        ["--api-key"] = $"{RegimeSiSimulatorOptions.Section}:ApiKey",
        ["--client-id"] = "Simulators:FranceConnect:ClientId",
        ["--client-secret"] = "Simulators:FranceConnect:ClientSecret",
        ["--jwks-uri"] = "Simulators:FranceConnect:JwksUri",
    })
    .Build();

WebApplication? simulator;
try
{
    simulator = args.FirstOrDefault() switch
    {
        "regime-si" => RegimeSiSimulator.Create(FromConfiguration()),
        "franceconnect" => FranceConnectSimulator.Create(FranceConnectFromConfiguration()),
        _ => null,
    };
}
catch (Exception refusal) when (refusal is InvalidOperationException or ValidationException)
{
    await Console.Error.WriteLineAsync(refusal.Message);
    return 1;
}

if (simulator is null)
{
    await Console.Error.WriteLineAsync("""
        Usage: dotnet run --project deploy/simulators -- regime-si [--port 8082] [--admin-port N] [--families N] [--seed N] [--api-key K]
               dotnet run --project deploy/simulators -- franceconnect [--port 8081] [--client-id C] [--client-secret S] [--jwks-uri U]
        """);
    return 2;
}

await using var running = simulator;
await simulator.StartAsync();
await Console.Out.WriteLineAsync(string.Create(CultureInfo.InvariantCulture, $"{args[0]} listens on {string.Join(", ", simulator.Urls)}"));
await simulator.WaitForShutdownAsync();
return 0;

RegimeSiSimulatorOptions FromConfiguration()
{
    var options = new RegimeSiSimulatorOptions { Reglages = new() { Latency = new(MedianMs: 30, P99Ms: 200) } };
    configuration.GetSection(RegimeSiSimulatorOptions.Section).Bind(options);
    options.EnvironmentName = SimulatorEnvironment.Of(configuration);
    return options;
}

FranceConnectSimulatorOptions FranceConnectFromConfiguration()
{
    var section = configuration.GetSection("Simulators:FranceConnect");
    var population = new Population(
        configuration.GetValue($"{RegimeSiSimulatorOptions.Section}:Seed", new RegimeSiSimulatorOptions().Seed),
        configuration.GetValue($"{RegimeSiSimulatorOptions.Section}:Families", new RegimeSiSimulatorOptions().Families),
        TimeProvider.System);
    var jwksUri = new Uri(section["JwksUri"] ?? "http://127.0.0.1:8080/.well-known/jwks.json");
    return new()
    {
        Port = section.GetValue("Port", 8081),
        EnvironmentName = SimulatorEnvironment.Of(configuration),
        ClientId = section["ClientId"] ?? "droits-ameli-bac-a-sable",
        ClientSecret = section["ClientSecret"] ?? "secret-du-bac-a-sable",
        SignedResponseAlg = section["SignedResponseAlg"] ?? "ES256",
        EncryptedResponseAlg = section["EncryptedResponseAlg"] ?? "ECDH-ES",
        DefaultServiceProvider = section["DefaultServiceProvider"] ?? "fs-chu",
        JwksUri = () => jwksUri,
        FindPersona = id => population.FindPersona(id)?.Identite,
        PersonaIds = () => Personas.All.Select(persona => persona.Id),
    };
}
