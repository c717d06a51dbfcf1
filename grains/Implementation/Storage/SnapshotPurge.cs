using System.Diagnostics;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Npgsql;
using Orleans.Configuration;

namespace DroitsAmeli.Grains.Storage;

/// <summary>What a purge did.</summary>
/// <param name="Rows">Rows deleted.</param>
/// <param name="Batches">In how many statements.</param>
/// <param name="LongestBatch">How long the longest of them took.</param>
/// <param name="Elapsed">How long all took, with the pauses.</param>
internal readonly record struct PurgeRun(long Rows, int Batches, TimeSpan LongestBatch, TimeSpan Elapsed);

/// <summary>
/// Deletes the rows that may not be served any more: every ten minutes, in small batches that wait for nobody and hold up nobody, on
/// one silo at a time. The table is the store's alone: a row whose header cannot be read goes a day after it was written.
/// </summary>
internal sealed partial class SnapshotPurge(
    IOptions<StorageOptions> options, IOptions<ClusterOptions> cluster, TimeProvider time, ILogger<SnapshotPurge> logger) : BackgroundService
{
    public const int BatchSize = 500;
    public static readonly TimeSpan Period = TimeSpan.FromMinutes(10);
    private static readonly TimeSpan UnreadableAge = TimeSpan.FromHours(24);
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(20);

    // With the service's name, the key of the lock that makes it one silo at a time.
    private const int LockClass = 0x70757267;

    private const string Lock = "SELECT pg_try_advisory_lock(@class, hashtext(@service))";
    private const string Unlock = "SELECT pg_advisory_unlock(@class, hashtext(@service))";

    private const string DeleteExpired = """
        DELETE FROM orleansstorage
        WHERE ctid = ANY (ARRAY(
            SELECT ctid FROM orleansstorage
            WHERE serviceid = @service AND expires_at <= @instant
            LIMIT @batch
            FOR UPDATE SKIP LOCKED))
        """;

    private const string DeleteUnreadable = """
        DELETE FROM orleansstorage
        WHERE ctid = ANY (ARRAY(
            SELECT ctid FROM orleansstorage
            WHERE serviceid = @service AND expires_at IS NULL AND modifiedon <= @instant
            LIMIT @batch
            FOR UPDATE SKIP LOCKED))
        """;

    /// <summary>Purges once; null when another silo does just now.</summary>
    /// <exception cref="NpgsqlException">The database does not answer, or refuses.</exception>
    public async Task<PurgeRun?> Run(CancellationToken cancellationToken)
    {
        await using var connection = new NpgsqlConnection(StorageDatabase.Of(options.Value.ConnectionString!).ConnectionString);
        await connection.OpenAsync(cancellationToken);
        if (await Execute(connection, Lock, cancellationToken) is not true)
            return null;
        try
        {
            var begun = time.GetTimestamp();
            var now = time.GetUtcNow();
            var expired = await DeleteAll(connection, DeleteExpired, now, cancellationToken);
            var unreadable = await DeleteAll(connection, DeleteUnreadable, now - UnreadableAge, cancellationToken);
            return new(
                expired.Rows + unreadable.Rows,
                expired.Batches + unreadable.Batches,
                expired.LongestBatch > unreadable.LongestBatch ? expired.LongestBatch : unreadable.LongestBatch,
                time.GetElapsedTime(begun));
        }
        finally
        {
            // A connection that goes back to the pool would keep the lock for the silo.
            if (connection.State is System.Data.ConnectionState.Open)
                await Execute(connection, Unlock, CancellationToken.None);
        }
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        if (!options.Value.IsConfigured)
            return;

        using var timer = new PeriodicTimer(Period, time);
        while (await timer.WaitForNextTickAsync(stoppingToken))
        {
            try
            {
                if (await Run(stoppingToken) is { Rows: > 0 } run)
                    LogPurged(run.Rows, run.Batches, run.LongestBatch.TotalMilliseconds);
            }
            catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
            {
                return;
            }
            catch (Exception exception)
            {
                LogFailed(StorageFailure.Describe(exception));
            }
        }
    }

    private async Task<PurgeRun> DeleteAll(NpgsqlConnection connection, string sql, DateTimeOffset instant, CancellationToken cancellationToken)
    {
        var (rows, batches, longest) = (0L, 0, TimeSpan.Zero);
        while (true)
        {
            await using var command = Command(connection, sql);
            command.Parameters.AddWithValue("instant", instant.UtcDateTime);
            command.Parameters.AddWithValue("batch", BatchSize);
            var begun = Stopwatch.GetTimestamp();
            var deleted = await command.ExecuteNonQueryAsync(cancellationToken);
            var took = Stopwatch.GetElapsedTime(begun);

            longest = took > longest ? took : longest;
            rows += deleted;
            batches++;
            Telemetry.StoragePurged.Add(deleted);
            if (deleted < BatchSize)
                return new(rows, batches, longest, default);
            await Task.Delay(Pause, time, cancellationToken);
        }
    }

    private async Task<object?> Execute(NpgsqlConnection connection, string sql, CancellationToken cancellationToken)
    {
        await using var command = Command(connection, sql);
        command.Parameters.AddWithValue("class", LockClass);
        return await command.ExecuteScalarAsync(cancellationToken);
    }

    private NpgsqlCommand Command(NpgsqlConnection connection, string sql)
    {
        var command = new NpgsqlCommand(sql, connection);
        command.Parameters.AddWithValue("service", cluster.Value.ServiceId);
        return command;
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "{Rows} snapshots that may no longer be served were deleted in {Batches} batches, the longest {Milliseconds} ms.")]
    private partial void LogPurged(long rows, int batches, double milliseconds);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Snapshots that may no longer be served were not deleted, it is tried again: {Reason}. See that the database of Storage:ConnectionString runs and takes writes: they must be gone within 24 h.")]
    private partial void LogFailed(string reason);
}
