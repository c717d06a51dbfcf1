using DroitsAmeli.Grains.Configuration;
using Npgsql;

namespace DroitsAmeli.Grains.Storage;

/// <summary>How the store uses its database.</summary>
/// <param name="ConnectionString">That of the settings, with statements prepared and short time-outs unless it names its own.</param>
/// <param name="Limits">How much is asked of it at once: what <c>Maximum Pool Size</c> leaves room for, 24 reads and 8 writes at most.</param>
internal sealed record StorageDatabase(string ConnectionString, StorageLimits Limits)
{
    private const int SecondsToConnect = 3;
    private const int SecondsForACommand = 5;

    /// <summary>Connections that are left to others: the purge, the operator's orders, the change feed.</summary>
    private const int Spare = 4;

    public static StorageDatabase Of(string connectionString)
    {
        var builder = new NpgsqlConnectionStringBuilder(PostgresConnectionString.Prepared(connectionString));
        var defaults = new NpgsqlConnectionStringBuilder();
        if (builder.Timeout == defaults.Timeout)
            builder.Timeout = SecondsToConnect;
        if (builder.CommandTimeout == defaults.CommandTimeout)
            builder.CommandTimeout = SecondsForACommand;
        builder.ApplicationName ??= "droits-ameli";

        var room = Math.Max(2, builder.MaxPoolSize - Spare);
        var most = new StorageLimits();
        var writes = Math.Clamp(room / 4, 1, most.Writes);
        return new(builder.ConnectionString, most with { Writes = writes, Reads = Math.Clamp(room - writes, 1, most.Reads) });
    }
}
