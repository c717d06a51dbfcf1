using System.Globalization;
using Npgsql;

namespace DroitsAmeli.Grains.Storage.Schema;

/// <summary>
/// Brings a PostgreSQL database to the schema of a build, and tells whether it has it. Each migration is one transaction together with its
/// row in <c>droits_schema</c>, under a lock of the database: several runners at once, or one that is killed, do no harm.
/// </summary>
/// <param name="migrations">The migrations of the build, in order.</param>
public sealed class SchemaMigrations(IReadOnlyList<Migration> migrations)
{
    /// <summary>The command that applies the schema, as messages name it.</summary>
    public const string Command = "dotnet run --project silo -- migrate";

    // Any number will do, as long as nothing else of this product locks by it.
    private const long LockKey = 0x64726f697473;
    private const int SecondsForOneMigration = 600;
    private const int SecondsForTheCheck = 10;

    private const string Ledger = """
        CREATE TABLE droits_schema
        (
            number integer PRIMARY KEY,
            name text NOT NULL,
            sha256 text NOT NULL,
            applied_at timestamptz NOT NULL DEFAULT now()
        )
        """;

    /// <summary>Those of this build.</summary>
    public static SchemaMigrations OfThisBuild { get; } = new(Migration.OfThisBuild);

    /// <summary>Applies what is missing.</summary>
    /// <returns>The migrations that this call has applied.</returns>
    /// <exception cref="SchemaException">The database does not answer or refuses, was migrated by a later build, or a migration it has is not the one of this build.</exception>
    public Task<IReadOnlyList<Migration>> Apply(string connectionString, CancellationToken cancellationToken) =>
        Translated(connectionString, async () =>
        {
            await using var connection = await Open(connectionString, SecondsForOneMigration, cancellationToken);
            var applied = new List<Migration>();
            while (await ApplyNext(connection, cancellationToken) is { } migration)
                applied.Add(migration);
            return (IReadOnlyList<Migration>)applied;
        });

    /// <summary>Checks that the database has every migration of this build; it may have later ones, while a later version takes over.</summary>
    /// <exception cref="SchemaException">It has not, or it does not answer.</exception>
    public Task Check(string connectionString, CancellationToken cancellationToken) =>
        Translated(connectionString, async () =>
        {
            await using var connection = await Open(connectionString, SecondsForTheCheck, cancellationToken);
            var applied = await Applied(connection, null, cancellationToken);
            RefuseChanged(connection, applied);
            if (migrations.FirstOrDefault(migration => !applied.ContainsKey(migration.Number)) is { } missing)
                throw new SchemaException($"{Name(connection)} lacks {missing} of the schema: apply it with \"{Command}\".");
            return true;
        });

    private async Task<Migration?> ApplyNext(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
        await Execute(connection, transaction, $"SELECT pg_advisory_xact_lock({LockKey.ToString(CultureInfo.InvariantCulture)})", cancellationToken);

        var applied = await Applied(connection, transaction, cancellationToken);
        RefuseChanged(connection, applied);
        if (applied.Keys.Where(number => number > migrations[^1].Number).OrderDescending().FirstOrDefault() is var newest and > 0)
            throw new SchemaException($"{Name(connection)} has migration {newest:0000}, of a later version; this one ends with {migrations[^1]}. Nothing was changed.");
        if (migrations.FirstOrDefault(migration => !applied.ContainsKey(migration.Number)) is not { } next)
            return null;

        if (applied.Count == 0 && !await HasLedger(connection, transaction, cancellationToken))
            await Execute(connection, transaction, Ledger, cancellationToken);
        try
        {
            await Execute(connection, transaction, next.Sql, cancellationToken);
        }
        catch (PostgresException exception)
        {
            throw new SchemaException($"{next} failed on {Name(connection)} and left nothing: {OneLine(exception)}", exception);
        }

        await using var record = new NpgsqlCommand("INSERT INTO droits_schema (number, name, sha256) VALUES ($1, $2, $3)", connection, transaction)
        {
            Parameters = { new() { Value = next.Number }, new() { Value = next.Name }, new() { Value = next.Sha256 } },
        };
        await record.ExecuteNonQueryAsync(cancellationToken);
        await transaction.CommitAsync(cancellationToken);
        return next;
    }

    private void RefuseChanged(NpgsqlConnection connection, Dictionary<int, string> applied)
    {
        foreach (var migration in migrations)
        {
            if (applied.TryGetValue(migration.Number, out var sha256) && sha256 != migration.Sha256)
            {
                throw new SchemaException(
                    $"{Name(connection)} was migrated with another {migration} than the one of this build (SHA-256 {sha256}, here {migration.Sha256}): a released migration never changes.");
            }
        }
    }

    private static async Task<Dictionary<int, string>> Applied(NpgsqlConnection connection, NpgsqlTransaction? transaction, CancellationToken cancellationToken)
    {
        var applied = new Dictionary<int, string>();
        if (!await HasLedger(connection, transaction, cancellationToken))
            return applied;
        await using var command = new NpgsqlCommand("SELECT number, sha256 FROM droits_schema", connection, transaction);
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        while (await reader.ReadAsync(cancellationToken))
            applied.Add(reader.GetInt32(0), reader.GetString(1));
        return applied;
    }

    private static async Task<bool> HasLedger(NpgsqlConnection connection, NpgsqlTransaction? transaction, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand("SELECT to_regclass('droits_schema') IS NOT NULL", connection, transaction);
        return await command.ExecuteScalarAsync(cancellationToken) is true;
    }

    private static async Task Execute(NpgsqlConnection connection, NpgsqlTransaction transaction, string sql, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(sql, connection, transaction);
        await command.ExecuteNonQueryAsync(cancellationToken);
    }

    private static async Task<NpgsqlConnection> Open(string connectionString, int commandTimeoutSeconds, CancellationToken cancellationToken)
    {
        // No pool: what is prepared or locked here must not outlive the call.
        var settings = new NpgsqlConnectionStringBuilder(connectionString) { Pooling = false, MaxAutoPrepare = 0, CommandTimeout = commandTimeoutSeconds };
        var connection = new NpgsqlConnection(settings.ConnectionString);
        try
        {
            await connection.OpenAsync(cancellationToken);
            return connection;
        }
        catch
        {
            await connection.DisposeAsync();
            throw;
        }
    }

    private static async Task<T> Translated<T>(string connectionString, Func<Task<T>> work)
    {
        try
        {
            return await work();
        }
        catch (ArgumentException exception)
        {
            // Its message may quote a value.
            throw new SchemaException("The connection string is not one that Npgsql takes.", exception);
        }
        catch (PostgresException exception) when (exception.SqlState is PostgresErrorCodes.CannotConnectNow or PostgresErrorCodes.TooManyConnections)
        {
            throw new SchemaException($"{Name(connectionString)} does not answer: {OneLine(exception)}", exception) { IsUnreachable = true };
        }
        catch (PostgresException exception)
        {
            throw new SchemaException($"{Name(connectionString)} refuses: {OneLine(exception)}", exception);
        }
        catch (Exception exception) when (exception is NpgsqlException or TimeoutException)
        {
            throw new SchemaException($"{Name(connectionString)} does not answer: {OneLine(exception.GetBaseException())}", exception) { IsUnreachable = true };
        }
    }

    private static string OneLine(Exception exception) =>
        (exception is PostgresException refusal ? $"{refusal.MessageText} ({refusal.SqlState})" : exception.Message).ReplaceLineEndings(" ");

    private static string Name(NpgsqlConnection connection) => Name(connection.ConnectionString);

    private static string Name(string connectionString)
    {
        var settings = new NpgsqlConnectionStringBuilder(connectionString);
        return $"The database {settings.Database ?? settings.Username} at {settings.Host}:{settings.Port.ToString(CultureInfo.InvariantCulture)}";
    }
}
