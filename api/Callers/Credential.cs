namespace DroitsAmeli.Api.Callers;

/// <summary>What became of reading a credential from its header.</summary>
public enum CredentialState
{
    Absent,

    /// <summary>Several headers, or a value that cannot be one.</summary>
    Invalid,

    Given,
}

/// <summary>A credential as its header gave it. The text form shows no secret.</summary>
public readonly struct Credential
{
    private Credential(CredentialState state, string? value) => (State, Value) = (state, value);

    /// <summary>No header.</summary>
    public static Credential Absent { get; } = new(CredentialState.Absent, null);

    /// <summary>A header that cannot be used.</summary>
    public static Credential Invalid { get; } = new(CredentialState.Invalid, null);

    public CredentialState State { get; }

    /// <summary>The secret; set when given.</summary>
    public string? Value { get; }

    /// <summary>A credential to be looked up.</summary>
    public static Credential Given(string value) => new(CredentialState.Given, value);

    /// <inheritdoc/>
    public override string ToString() => $"Credential({State})";
}
