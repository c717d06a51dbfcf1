using Npgsql;

namespace DroitsAmeli.Grains.Storage;

/// <summary>What may be said of a failure in a log: the provider's messages name grains, PostgreSQL's may quote rows.</summary>
internal static class StorageFailure
{
    public static string Describe(Exception exception) => exception switch
    {
        PostgresException postgres => $"PostgreSQL {postgres.SqlState}",
        NpgsqlException { InnerException: { } inner } npgsql => $"{npgsql.GetType().Name}, {inner.GetType().Name}",
        _ => exception.GetType().Name,
    };
}
