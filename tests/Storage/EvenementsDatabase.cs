using DroitsAmeli.Grains.Evenements;
using DroitsAmeli.Grains.Familles;
using DroitsAmeli.Grains.Storage;
using DroitsAmeli.Grains.Storage.Schema;
using DroitsAmeli.Tests.Postgres;
using Microsoft.Extensions.Options;
using Orleans.Configuration;

namespace DroitsAmeli.Tests.Storage;

/// <summary>A database with the product's schema, seen as the change feed sees it.</summary>
internal sealed class EvenementsDatabase(string connectionString) : IAsyncDisposable
{
    private readonly List<EvenementsStore> stores = [];
    private readonly string keysFile = Path.GetTempFileName();

    public string ConnectionString => connectionString;

    public Dictionary<string, string?> Settings => new()
    {
        ["Storage:ConnectionString"] = connectionString,
        ["Storage:KeysFile"] = keysFile,
    };

    public static async Task<EvenementsDatabase> Create(string connectionString)
    {
        await SchemaMigrations.OfThisBuild.Apply(connectionString, TestContext.Current.CancellationToken);
        var database = new EvenementsDatabase(connectionString);
        await File.WriteAllTextAsync(database.keysFile, $$"""{ "active": "k1", "keys": { "k1": "{{Convert.ToBase64String(new byte[32])}}" } }""");
        return database;
    }

    public EvenementsStore Store(string service)
    {
        var store = new EvenementsStore(
            Options.Create(new StorageOptions { ConnectionString = connectionString }),
            Options.Create(new ClusterOptions { ServiceId = service }));
        stores.Add(store);
        return store;
    }

    /// <summary>Puts rows there as the provider writes them: the hashes are of no account to the feed.</summary>
    public Task Hold(string service, IEnumerable<string> familles, string state = EvenementsStore.StateName) => PostgresServer.Execute(connectionString, $"""
        INSERT INTO orleansstorage
            (serviceid, graintypehash, grainidhash, grainidn0, grainidn1, graintypestring, grainidextensionstring, version, payloadbinary)
        SELECT '{service}', 1, hashtext(key), 0, 0, '{state}', key, 1, decode(repeat('ab', 900), 'hex')
        FROM unnest(ARRAY[{string.Join(',', familles.Select(famille => $"'{FamilleKey.Of(famille)}'"))}]) AS key
        """);

    /// <summary>The same for very many, as a table that has been in use.</summary>
    public async Task HoldMany(string service, IEnumerable<string> familles)
    {
        foreach (var some in familles.Chunk(10_000))
            await Hold(service, some);
        await PostgresServer.Execute(connectionString, "VACUUM ANALYZE orleansstorage");
    }

    public Task<long> LeastVersion(string service, string famille, string state = EvenementsStore.StateName) => PostgresServer.Scalar<long>(
        connectionString,
        $"SELECT least_version FROM orleansstorage WHERE serviceid = '{service}' AND graintypestring = '{state}' AND grainidextensionstring = '{FamilleKey.Of(famille)}'");

    public Task<string?> Curseur(string service) =>
        PostgresServer.Scalar<string>(connectionString, $"SELECT curseur FROM evenements_curseur WHERE service_id = '{service}'");

    public Task<long> Ordres(string service) =>
        PostgresServer.Scalar<long>(connectionString, $"SELECT count(*) FROM ordres WHERE service_id = '{service}'");

    public async ValueTask DisposeAsync()
    {
        File.Delete(keysFile);
        foreach (var store in stores)
            await store.DisposeAsync();
    }
}
