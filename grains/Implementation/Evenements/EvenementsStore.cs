using DroitsAmeli.Grains.Exploitation;
using DroitsAmeli.Grains.Familles;
using DroitsAmeli.Grains.Storage;
using Microsoft.Extensions.Options;
using Npgsql;
using NpgsqlTypes;
using Orleans.Configuration;

namespace DroitsAmeli.Grains.Evenements;

/// <summary>What a follower finds when it takes the cursor over.</summary>
/// <param name="Curseur">Where the last one got to; null when none ever stored it.</param>
/// <param name="Epoch">This follower's: greater than that of any before.</param>
/// <param name="StoresFamilies">True when snapshots of families are stored.</param>
public sealed record CurseurClaim(string? Curseur, long Epoch, bool StoresFamilies);

/// <summary>The feed's part of PostgreSQL: the cursor, the least acceptable version of each stored family, and the order after a lost cursor.</summary>
/// <remarks>Every method throws <see cref="NpgsqlException"/> or <see cref="TimeoutException"/> when the database cannot do it.</remarks>
public sealed class EvenementsStore(IOptions<StorageOptions> options, IOptions<ClusterOptions> cluster) : IAsyncDisposable
{
    /// <summary>The state name under which families are stored.</summary>
    public const string StateName = RestingFamille.State;

    /// <summary>Raises the least acceptable version of stored families; <c>$1</c> service, <c>$2</c> state name, <c>$3</c> keys, <c>$4</c> versions.</summary>
    public const string SupersedeSql = """
        UPDATE orleansstorage AS stored
        SET least_version = told.version
        FROM unnest($3, $4) AS told (key, version)
        WHERE stored.serviceid = $1
          AND stored.graintypestring = $2
          AND stored.grainidextensionstring = told.key
          AND stored.least_version < told.version
        """;

    /// <summary>
    /// Has the rows of the next statement of the transaction found one by one, by index. For some thousands of rows among a hundred thousand the
    /// planner would rather read the whole table, as if it were on a disk.
    /// </summary>
    public const string ByIndexSql = "SELECT set_config('enable_hashjoin', 'off', true), set_config('enable_mergejoin', 'off', true)";

    private const string ClaimSql = """
        INSERT INTO evenements_curseur AS held (service_id, curseur, epoch, modifie_le)
        VALUES ($1, NULL, 1, now())
        ON CONFLICT (service_id) DO UPDATE SET epoch = held.epoch + 1, modifie_le = now()
        RETURNING held.curseur, held.epoch,
            EXISTS (SELECT 1 FROM orleansstorage WHERE serviceid = $1 AND graintypestring = $2)
        """;

    private const string SaveSql = "UPDATE evenements_curseur SET curseur = $2, modifie_le = now() WHERE service_id = $1 AND epoch = $3";

    private readonly string service = cluster.Value.ServiceId;
    private readonly Lazy<NpgsqlDataSource> database = new(() => NpgsqlDataSource.Create(new NpgsqlConnectionStringBuilder(options.Value.ConnectionString)
    {
        ApplicationName = "evenements",
        MinPoolSize = 0,
        MaxPoolSize = 4,
        Timeout = 3,
        CommandTimeout = 15,
        IncludeErrorDetail = false,
    }));

    /// <summary>False when nothing is stored, the cursor included.</summary>
    public bool IsConfigured => options.Value.IsConfigured;

    /// <summary>Takes the cursor over: whoever had it before can store it no more.</summary>
    public async Task<CurseurClaim> Claim(CancellationToken cancellationToken)
    {
        await using var command = database.Value.CreateCommand(ClaimSql);
        command.Parameters.Add(new() { Value = service });
        command.Parameters.Add(new() { Value = StateName });
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        await reader.ReadAsync(cancellationToken);
        return new CurseurClaim(reader.IsDBNull(0) ? null : reader.GetString(0), reader.GetInt64(1), reader.GetBoolean(2));
    }

    /// <summary>Stores the cursor.</summary>
    /// <returns>False when another follower has taken it over.</returns>
    public async Task<bool> Save(string? curseur, long epoch, CancellationToken cancellationToken)
    {
        await using var command = database.Value.CreateCommand(SaveSql);
        command.Parameters.Add(new() { Value = service });
        command.Parameters.Add(new() { Value = (object?)curseur ?? DBNull.Value, NpgsqlDbType = NpgsqlDbType.Text });
        command.Parameters.Add(new() { Value = epoch });
        return await command.ExecuteNonQueryAsync(cancellationToken) > 0;
    }

    /// <summary>Raises the least version that may be read of the families that are stored; the others are left alone.</summary>
    /// <param name="evenements">Each family once.</param>
    /// <param name="cancellationToken">Ends the statement.</param>
    /// <returns>How many rows were raised.</returns>
    public async Task<int> Supersede(IReadOnlyList<Evenement> evenements, CancellationToken cancellationToken)
    {
        // In one order everywhere, or two statements at once could wait for each other.
        var rows = evenements.Select(evenement => (Key: FamilleKey.Of(evenement.Famille), evenement.Version)).OrderBy(row => row.Key, StringComparer.Ordinal).ToArray();
        var command = new NpgsqlBatchCommand(SupersedeSql);
        command.Parameters.Add(new() { Value = service });
        command.Parameters.Add(new() { Value = StateName });
        command.Parameters.Add(new() { Value = Array.ConvertAll(rows, row => row.Key) });
        command.Parameters.Add(new() { Value = Array.ConvertAll(rows, row => row.Version) });
        await using var batch = database.Value.CreateBatch();
        batch.BatchCommands.Add(new NpgsqlBatchCommand(ByIndexSql));
        batch.BatchCommands.Add(command);
        await batch.ExecuteNonQueryAsync(cancellationToken);
        return (int)command.RecordsAffected;
    }

    /// <summary>Keeps an order, so that families that are read from the store later obey it too.</summary>
    public async Task Keep(Ordre ordre, CancellationToken cancellationToken)
    {
        await using var command = database.Value.CreateCommand();
        command.Parameters.AddWithValue("service", service);
        await OrdresTable.Insert(ordre, command, cancellationToken);
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        if (database.IsValueCreated)
            await database.Value.DisposeAsync();
    }
}
