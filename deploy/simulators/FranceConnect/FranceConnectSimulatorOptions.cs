namespace DroitsAmeli.Simulators.FranceConnect;

/// <summary>How the simulator is set up: the one data provider that is registered with it, and who it knows.</summary>
public sealed class FranceConnectSimulatorOptions
{
    /// <summary>The configuration section, when the simulator is its own process.</summary>
    public const string Section = "Simulators:FranceConnect";

    /// <summary>The loopback port; 0 for a free one.</summary>
    public int Port { get; init; }

    /// <summary>The data provider's <c>client_id</c>.</summary>
    public required string ClientId { get; init; }

    public required string ClientSecret { get; init; }

    /// <summary>Where the data provider publishes its keys, read on every checktoken; asked late because its port may be known late.</summary>
    public required Func<Uri> JwksUri { get; init; }

    /// <summary>ES256 or RS256.</summary>
    public string SignedResponseAlg { get; init; } = "ES256";

    /// <summary>ECDH-ES, RSA-OAEP-256 or RSA-OAEP.</summary>
    public string EncryptedResponseAlg { get; init; } = "ECDH-ES";

    /// <summary>The <c>client_id</c> of the service provider that a token is issued to when its minting names none.</summary>
    public required string DefaultServiceProvider { get; init; }

    /// <summary>The person behind a persona; null for an unknown one.</summary>
    public required Func<string, IdentiteFranceConnect?> FindPersona { get; init; }

    /// <summary>The personas to list when an unknown one is asked for.</summary>
    public required Func<IEnumerable<string>> PersonaIds { get; init; }

    /// <summary>How many live tokens are held at most; beyond it minting answers 503.</summary>
    public int MaximumTokens { get; init; } = 1_000_000;

    /// <summary>The environment that was asked for explicitly; Production is refused.</summary>
    public string? EnvironmentName { get; init; } = SimulatorEnvironment.Explicit;

    public TimeProvider Time { get; init; } = TimeProvider.System;
}
