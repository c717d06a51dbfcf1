using System.Net;
using System.Net.Sockets;
using DroitsAmeli.Simulators;

namespace DroitsAmeli.Sandbox;

/// <summary>What keeps the sandbox from starting; the message says what to do.</summary>
public sealed class SandboxException(string message) : Exception(message);

/// <summary>The sandbox's own settings, <c>Sandbox:*</c>, and what of the product's settings the user has set.</summary>
internal sealed class SandboxSettings
{
    private readonly IConfiguration configuration;

    public SandboxSettings(IConfiguration configuration)
    {
        this.configuration = configuration;
        Environment = SimulatorEnvironment.Of(configuration) ?? "Sandbox";
        ApiPort = Port("ApiPort", 8080);
        FranceConnectPort = SimulatesFranceConnect ? Port("FranceConnectPort", 8081) : 0;
        RegimeSiPort = SimulatesRegimeSi ? Port("RegimeSiPort", 8082) : 0;
        RegimeSiAdminPort = SimulatesRegimeSi && configuration["Sandbox:RegimeSiAdminPort"] is not null ? Port("RegimeSiAdminPort", 0) : null;
    }

    public string Environment { get; }

    public int ApiPort { get; }

    public int FranceConnectPort { get; }

    public int RegimeSiPort { get; }

    public bool SimulatesFranceConnect =>
        configuration["FranceConnect:Issuer"] is null && configuration["FranceConnect:ChecktokenEndpoint"] is null;

    public bool SimulatesRegimeSi => configuration["RegimeSi:BaseUrl"] is null;

    /// <summary>The data provider's registration with the simulated FranceConnect: that of the settings, where they say one.</summary>
    public string ClientId => configuration["FranceConnect:ClientId"] ?? "droits-ameli-bac-a-sable";

    public string ClientSecret => configuration["FranceConnect:ClientSecret"] ?? "secret-du-bac-a-sable";

    public string SignedResponseAlg => configuration["FranceConnect:SignedResponseAlg"] ?? "ES256";

    public string EncryptedResponseAlg => configuration["FranceConnect:EncryptedResponseAlg"] ?? "ECDH-ES";

    /// <summary>Where the SI's faults are switched; null: on its own port.</summary>
    public int? RegimeSiAdminPort { get; }

    public string? ConventionsFile => configuration["Conventions:File"];

    public string PathPrefix => configuration["Api:PathPrefix"] ?? "";

    public bool Verbose => configuration.GetValue<bool>("Sandbox:Verbose");

    /// <summary>Two TCP ports of loopback that are free now.</summary>
    public static (int First, int Second) FreePorts()
    {
        using var first = Bound(0);
        using var second = Bound(0);
        return (((IPEndPoint)first.LocalEndPoint!).Port, ((IPEndPoint)second.LocalEndPoint!).Port);
    }

    // Bound and never listening: nobody must take the question whether a port is free for its opening.
    private static Socket Bound(int port)
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            socket.Bind(new IPEndPoint(IPAddress.Loopback, port));
            return socket;
        }
        catch (SocketException)
        {
            socket.Dispose();
            throw;
        }
    }

    private int Port(string name, int byDefault)
    {
        var text = configuration["Sandbox:" + name];
        if (!int.TryParse(text ?? byDefault.ToString(System.Globalization.CultureInfo.InvariantCulture), out var port) || port is < 0 or > 65535)
            throw new SandboxException($"Sandbox:{name} must be a port from 1 to 65535, or 0 for a free one; it is '{text}'.");
        if (port == 0)
            return FreePorts().First;

        try
        {
            using var probe = Bound(port);
            return port;
        }
        catch (SocketException)
        {
            throw new SandboxException($"Port {port} of 127.0.0.1 is in use. Stop what listens there, or choose another one: --Sandbox:{name}=<port>.");
        }
    }
}
