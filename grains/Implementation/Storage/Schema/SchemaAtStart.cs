using DroitsAmeli.Grains.Configuration;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace DroitsAmeli.Grains.Storage.Schema;

/// <summary>
/// Looks at the databases before a silo starts. One that answers must have the schema. One that does not answer keeps a silo from starting
/// only if the membership of the cluster is there: without storage a silo works all the same.
/// </summary>
public sealed partial class SchemaAtStart(
    IOptions<StorageOptions> storage, IOptions<ClusterSettings> cluster, TimeProvider time, ILogger<SchemaAtStart> logger)
{
    /// <summary>How long a silo waits for the database of the membership to answer.</summary>
    public static readonly TimeSpan WaitForMembership = TimeSpan.FromSeconds(30);

    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan LookLimit = TimeSpan.FromSeconds(5);

    /// <summary>Looks at both.</summary>
    /// <exception cref="SchemaException">The silo must not start; the message names the setting and what to do.</exception>
    public async Task Check(CancellationToken cancellationToken)
    {
        if (cluster.Value is { Mode: ClusterMode.Postgres, ConnectionString: { } membership })
            await CheckMembership(membership, cancellationToken);
        if (storage.Value is { IsConfigured: true, ConnectionString: { } snapshots })
            await CheckStorage(snapshots, cancellationToken);
    }

    private async Task CheckMembership(string connectionString, CancellationToken cancellationToken)
    {
        var start = time.GetTimestamp();
        while (true)
        {
            try
            {
                await Look("Cluster:ConnectionString", connectionString, cancellationToken);
                return;
            }
            catch (SchemaException exception) when (exception.IsUnreachable && time.GetElapsedTime(start) < WaitForMembership)
            {
                LogWaiting(exception.Message);
                await Task.Delay(Pause, time, cancellationToken);
            }
        }
    }

    private async Task CheckStorage(string connectionString, CancellationToken cancellationToken)
    {
        try
        {
            await Look("Storage:ConnectionString", connectionString, cancellationToken);
        }
        catch (SchemaException exception) when (exception.IsUnreachable)
        {
            LogNotStored(exception.Message);
        }
    }

    private async Task Look(string setting, string connectionString, CancellationToken cancellationToken)
    {
        using var limit = new CancellationTokenSource(LookLimit, time);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, cancellationToken);
        try
        {
            await SchemaMigrations.OfThisBuild.Check(connectionString, both.Token);
        }
        catch (SchemaException exception)
        {
            throw new SchemaException($"{setting}: {exception.Message}", exception) { IsUnreachable = exception.IsUnreachable };
        }
        catch (OperationCanceledException exception) when (!cancellationToken.IsCancellationRequested)
        {
            throw new SchemaException($"{setting}: the database did not answer within {LookLimit.TotalSeconds:0} s.", exception) { IsUnreachable = true };
        }
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "Waiting for the database of the membership: see that the one of Cluster:ConnectionString runs, or this silo stops. {Reason}")]
    private partial void LogWaiting(string reason);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Nothing is stored or read from storage while its database is away: see that the one of Storage:ConnectionString runs. {Reason}")]
    private partial void LogNotStored(string reason);
}
