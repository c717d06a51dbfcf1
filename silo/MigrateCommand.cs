using DroitsAmeli.Grains.Configuration;
using DroitsAmeli.Grains.Storage;
using DroitsAmeli.Grains.Storage.Schema;

namespace DroitsAmeli.Silo;

/// <summary><c>migrate</c>: applies the schema to the database of the storage and to that of the membership, which may be one.</summary>
public static class MigrateCommand
{
    public const string Name = "migrate";

    private static readonly string[] Settings =
        [$"{StorageOptions.Section}:{nameof(StorageOptions.ConnectionString)}", $"{ClusterSettings.Section}:{nameof(ClusterSettings.ConnectionString)}"];

    /// <summary>Runs it with the settings of a silo.</summary>
    /// <returns>The exit code: 0 when every database has the schema, 1 when one has not, with the reason in one line on the error output.</returns>
    public static async Task<int> Run(string[] args)
    {
        var configuration = WebApplication.CreateBuilder(args).Configuration;
        var databases = Settings.Select(name => (Name: name, Value: configuration[name]))
            .Where(setting => !string.IsNullOrWhiteSpace(setting.Value))
            .DistinctBy(setting => setting.Value)
            .ToList();
        if (databases.Count == 0)
            return await Fail($"{string.Join(" and ", Settings)} are missing: there is no database to migrate.");

        foreach (var (name, connectionString) in databases)
        {
            if (!PostgresConnectionString.IsAcceptable(connectionString))
                return await Fail($"{name} must be the connection string of a PostgreSQL database.");
            try
            {
                var applied = await SchemaMigrations.OfThisBuild.Apply(connectionString!, CancellationToken.None);
                foreach (var migration in applied)
                    Console.WriteLine($"{name}: applied {migration}");
                if (applied.Count == 0)
                    Console.WriteLine($"{name}: up to date");
            }
            catch (SchemaException exception)
            {
                return await Fail($"{name}: {exception.Message}");
            }
        }

        return 0;
    }

    private static async Task<int> Fail(string message)
    {
        await Console.Error.WriteLineAsync(message);
        return 1;
    }
}
