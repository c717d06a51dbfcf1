using DroitsAmeli.Grains.Configuration;

namespace DroitsAmeli.Grains.Storage.Schema;

/// <summary>Why a database cannot be used as it is, in one line for its operator; it holds no password.</summary>
public sealed class SchemaException : SettingException
{
    public SchemaException()
    {
    }

    public SchemaException(string message)
        : base(message)
    {
    }

    public SchemaException(string message, Exception innerException)
        : base(message, innerException)
    {
    }

    /// <summary>True when the database did not answer at all: it may later.</summary>
    public bool IsUnreachable { get; init; }
}
