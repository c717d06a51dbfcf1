using System.ComponentModel.DataAnnotations;

namespace DroitsAmeli.Grains.Storage;

/// <summary>Where snapshots are stored, <c>Storage:*</c>. Without a connection string nothing is stored.</summary>
public sealed class StorageOptions
{
    public const string Section = "Storage";

    /// <summary>Npgsql connection string; null: nothing is stored.</summary>
    public string? ConnectionString { get; set; }

    /// <summary>JSON file with the AES-256 keys that encrypt the snapshots; required with a connection string.</summary>
    public string? KeysFile { get; set; }

    /// <summary>
    /// The longest that a read waits for the database, in seconds; after that the snapshot counts as not stored. While the database answers
    /// others within it, up to four times that, but no longer than 5 s.
    /// </summary>
    [Range(0.05, 10)]
    public double ReadTimeoutSeconds { get; set; } = 1;

    /// <summary>
    /// How long a change waits in memory so that several become one write, in seconds. A family gathers its own for half a second before that: a
    /// kill can lose the sum.
    /// </summary>
    [Range(0.1, 60)]
    public double WriteDelaySeconds { get; set; } = 2;

    public bool IsConfigured => !string.IsNullOrWhiteSpace(ConnectionString);
}
