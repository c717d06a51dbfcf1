using System.Data.Common;

namespace DroitsAmeli.Grains.Configuration;

/// <summary>What is common to the connection strings of this product, which are Npgsql's.</summary>
public static class PostgresConnectionString
{
    private const string MaxAutoPrepare = "Max Auto Prepare";
    private const int StatementsOfOrleans = 20;

    // Npgsql takes both spellings.
    private static readonly string[] Spellings = [MaxAutoPrepare, "MaxAutoPrepare"];

    /// <summary>True when the text can be one: <c>key=value</c> pairs that name a host.</summary>
    public static bool IsAcceptable(string? text)
    {
        try
        {
            var settings = new DbConnectionStringBuilder { ConnectionString = text };
            return settings.ContainsKey("Host") || settings.ContainsKey("Server");
        }
        catch (ArgumentException)
        {
            return false;
        }
    }

    /// <summary>
    /// The connection string with statements prepared after a few uses, unless it says how many itself: Orleans runs the same few texts again
    /// and again, and reads are about twice as fast prepared.
    /// </summary>
    public static string Prepared(string connectionString)
    {
        var settings = new DbConnectionStringBuilder { ConnectionString = connectionString };
        if (!Spellings.Any(settings.ContainsKey))
            settings[MaxAutoPrepare] = StatementsOfOrleans;
        return settings.ConnectionString;
    }
}
