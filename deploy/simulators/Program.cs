using System.ComponentModel.DataAnnotations;
using System.Globalization;
using System.Net.Sockets;
using DroitsAmeli.Simulators;
using DroitsAmeli.Simulators.FranceConnect;
using DroitsAmeli.Simulators.RegimeSi;
using Microsoft.AspNetCore.Connections;

var configuration = new ConfigurationBuilder()
    .AddEnvironmentVariables()
    .AddCommandLine([.. args.Skip(1)], new Dictionary<string, string>
    {
        ["--port"] = (args.FirstOrDefault() == "franceconnect" ? FranceConnectSimulatorOptions.Section : RegimeSiSimulatorOptions.Section) + ":Port",
        ["--admin-port"] = $"{RegimeSiSimulatorOptions.Section}:AdminPort",
        ["--families"] = $"{RegimeSiSimulatorOptions.Section}:Families",
        ["--seed"] = $"{RegimeSiSimulatorOptions.Section}:Seed",
        ["--api-key"] = $"{RegimeSiSimulatorOptions.Section}:ApiKey",
        ["--client-id"] = $"{FranceConnectSimulatorOptions.Section}:ClientId",
        ["--client-secret"] = $"{FranceConnectSimulatorOptions.Section}:ClientSecret",
        ["--jwks-uri"] = $"{FranceConnectSimulatorOptions.Section}:JwksUri",
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
try
{
    await simulator.StartAsync();
}
catch (Exception refusal) when (refusal is IOException or SocketException)
{
    await Console.Error.WriteLineAsync(PortRefused(refusal));
    return 1;
}

await Console.Out.WriteLineAsync(string.Create(CultureInfo.InvariantCulture, $"{args[0]} listens on {string.Join(", ", simulator.Urls)}"));
await simulator.WaitForShutdownAsync();
return 0;

// Kestrel says which address; the operator has to know by which setting it came.
string PortRefused(Exception refusal)
{
    var section = args[0] == "franceconnect" ? FranceConnectSimulatorOptions.Section : RegimeSiSimulatorOptions.Section;
    var (name, option) = configuration[$"{section}:AdminPort"] is { Length: > 0 } adminPort && refusal.Message.Contains($":{adminPort}:", StringComparison.Ordinal)
        ? ("AdminPort", "--admin-port")
        : ("Port", "--port");
    var port = configuration[$"{section}:{name}"] ?? (args[0] == "franceconnect" ? "8081" : "8082");
    return refusal.InnerException is AddressInUseException
        ? $"Port {port} of 127.0.0.1 is in use. Stop what listens there, or set {section}:{name} ({option}) to another one."
        : $"Port {port} of 127.0.0.1 cannot be listened at: {refusal.Message} Set {section}:{name} ({option}) to another one.";
}

RegimeSiSimulatorOptions FromConfiguration()
{
    var options = new RegimeSiSimulatorOptions { Reglages = new() { Latency = new(MedianMs: 30, P99Ms: 200) } };
    configuration.GetSection(RegimeSiSimulatorOptions.Section).Bind(options);
    options.EnvironmentName = SimulatorEnvironment.Of(configuration);
    return options;
}

FranceConnectSimulatorOptions FranceConnectFromConfiguration()
{
    var section = configuration.GetSection(FranceConnectSimulatorOptions.Section);
    var population = new Population(
        configuration.GetValue($"{RegimeSiSimulatorOptions.Section}:Seed", new RegimeSiSimulatorOptions().Seed),
        configuration.GetValue($"{RegimeSiSimulatorOptions.Section}:Families", new RegimeSiSimulatorOptions().Families),
        TimeProvider.System);
    if (!Uri.TryCreate(section["JwksUri"] ?? "http://127.0.0.1:8080/.well-known/jwks.json", UriKind.Absolute, out var jwksUri))
        throw new SimulatorException($"{FranceConnectSimulatorOptions.Section}:JwksUri (--jwks-uri) must be an absolute URL.");
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
