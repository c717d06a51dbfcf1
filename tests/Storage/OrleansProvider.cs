using DroitsAmeli.Grains.Storage.Schema;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using Npgsql;
using Orleans.Configuration;
using Orleans.Runtime;
using Orleans.Serialization;
using Orleans.Serialization.Serializers;
using Orleans.Storage;

namespace DroitsAmeli.Tests.Storage;

/// <summary>Orleans' own ADO.NET storage provider on a database with our schema, without a silo; states are plain bytes.</summary>
internal sealed class OrleansProvider : IAsyncDisposable
{
    public const string ServiceId = "droits-test";

    private readonly ServiceProvider services = new ServiceCollection().AddSerializer().BuildServiceProvider();

    private readonly string connectionString;

    private OrleansProvider(string connectionString)
    {
        this.connectionString = connectionString;
        var options = new AdoNetGrainStorageOptions { Invariant = "Npgsql", ConnectionString = connectionString, GrainStorageSerializer = new Bytes() };
        Storage = new(
            services.GetRequiredService<IActivatorProvider>(),
            NullLogger<AdoNetGrainStorage>.Instance,
            Options.Create(options),
            Options.Create(new ClusterOptions { ServiceId = ServiceId, ClusterId = "c" }),
            "snapshots");
    }

    public AdoNetGrainStorage Storage { get; }

    /// <summary>Applies the schema, and starts the provider as a silo would.</summary>
    public static async Task<OrleansProvider> Start(string connectionString, string? asSilo = null)
    {
        await SchemaMigrations.OfThisBuild.Apply(connectionString, TestContext.Current.CancellationToken);
        var provider = new OrleansProvider(asSilo ?? connectionString);
        var lifecycle = new Lifecycle();
        provider.Storage.Participate(lifecycle);
        await lifecycle.Start();
        return provider;
    }

    public static GrainId Famille(string key) => GrainId.Create("famille", key);

    /// <summary>What a new activation reads.</summary>
    public async Task<(byte[] Payload, string? ETag, bool Exists)> Read(GrainId grain)
    {
        var state = new GrainState<State>(new());
        await Storage.ReadStateAsync("state", grain, state);
        return (state.State!.Payload, state.ETag, state.RecordExists);
    }

    /// <summary>Writes as an activation that has read the version <paramref name="etag"/>.</summary>
    public async Task<GrainState<State>> Write(GrainId grain, byte[] payload, string? etag = null)
    {
        var state = new GrainState<State>(new() { Payload = payload }, etag);
        await Storage.WriteStateAsync("state", grain, state);
        return state;
    }

    public ValueTask DisposeAsync()
    {
        using (var connection = new NpgsqlConnection(connectionString))
            NpgsqlConnection.ClearPool(connection);
        return services.DisposeAsync();
    }

    /// <summary>What is stored: the provider wants a class that it can make itself.</summary>
    internal sealed class State
    {
        public byte[] Payload { get; set; } = [];
    }

    private sealed class Bytes : IGrainStorageSerializer
    {
        public BinaryData Serialize<T>(T? input) => new(((State)(object)input!).Payload);

        public T Deserialize<T>(BinaryData input) => (T)(object)new State { Payload = input.ToArray() };
    }

    private sealed class Lifecycle : ISiloLifecycle
    {
        private readonly List<ILifecycleObserver> observers = [];

        public int HighestCompletedStage => 0;

        public int LowestStoppedStage => int.MaxValue;

        public IDisposable Subscribe(string observerName, int stage, ILifecycleObserver observer)
        {
            observers.Add(observer);
            return new MemoryStream();
        }

        public Task Start() => Task.WhenAll(observers.Select(observer => observer.OnStart(CancellationToken.None)));
    }
}
