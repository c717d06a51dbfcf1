using DroitsAmeli.Grains.Configuration;
using DroitsAmeli.Grains.Familles;
using DroitsAmeli.Grains.Storage.Schema;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using Orleans.Configuration;
using Orleans.Serialization.Serializers;
using Orleans.Storage;

namespace DroitsAmeli.Grains.Storage;

/// <summary>Registers the store of snapshots.</summary>
public static class StorageRegistration
{
    /// <summary>
    /// Binds and validates <c>Storage:*</c>. With a connection string, a keys file that is missing or refused stops the process at start; a
    /// database that does not answer does not.
    /// </summary>
    public static IServiceCollection AddSnapshots(this IServiceCollection services, IConfiguration configuration)
    {
        services.TryAddSingleton(TimeProvider.System);
        services.TryAddSingleton<Ordres>();
        services.AddSingleton<IValidateOptions<StorageOptions>, KeysFileValidator>();
        services.AddSettings<StorageOptions>(configuration, StorageOptions.Section)
            .Validate(
                storage => !storage.IsConfigured || PostgresConnectionString.IsAcceptable(storage.ConnectionString),
                "Storage:ConnectionString must be the connection string of a PostgreSQL database.");
        services.AddSingleton(KeysOf);
        services.AddKeyedSingleton<IGrainStorage>(SnapshotStore.Provider, (provider, _) => new LateGrainStorage(() => CreateProvider(provider)));
        services.AddSingleton(CreateStore);
        services.AddSingleton<SchemaAtStart>();
        services.AddSingleton<ILifecycleParticipant<ISiloLifecycle>, SnapshotLifecycle>();
        services.AddHostedService<SnapshotPurge>();
        return services;
    }

    private static ReloadedFile<StorageKeys> KeysOf(IServiceProvider provider) => new(
        provider.GetRequiredService<IOptions<StorageOptions>>().Value.KeysFile!,
        StorageKeys.Parse,
        provider.GetRequiredService<TimeProvider>(),
        provider.GetRequiredService<ILogger<StorageKeys>>());

    // The provider's own logs and exceptions name grains.
    private static AdoNetGrainStorage CreateProvider(IServiceProvider provider) => new(
        provider.GetRequiredService<IActivatorProvider>(),
        NullLogger<AdoNetGrainStorage>.Instance,
        Options.Create(new AdoNetGrainStorageOptions
        {
            Invariant = nameof(Npgsql),
            ConnectionString = StorageDatabase.Of(provider.GetRequiredService<IOptions<StorageOptions>>().Value.ConnectionString!).ConnectionString,
            GrainStorageSerializer = new SnapshotRowSerializer(),
            DeleteStateOnClear = true,
        }),
        provider.GetRequiredService<IOptions<ClusterOptions>>(),
        SnapshotStore.Provider);

    private static SnapshotStore CreateStore(IServiceProvider provider)
    {
        var options = provider.GetRequiredService<IOptions<StorageOptions>>().Value;
        var time = provider.GetRequiredService<TimeProvider>();
        var logger = provider.GetRequiredService<ILogger<SnapshotStore>>();
        if (!options.IsConfigured)
            return new(null, () => throw new InvalidOperationException("Nothing is stored."), options, new(), time, logger);

        var keys = provider.GetRequiredService<ReloadedFile<StorageKeys>>();
        var limits = StorageDatabase.Of(options.ConnectionString!).Limits;
        return new(
            provider.GetRequiredKeyedService<IGrainStorage>(SnapshotStore.Provider),
            () => keys.Current,
            options,
            limits,
            time,
            logger,
            provider.GetRequiredService<Ordres>().IsForgotten);
    }

    private sealed class KeysFileValidator : IValidateOptions<StorageOptions>
    {
        public ValidateOptionsResult Validate(string? name, StorageOptions options)
        {
            if (!options.IsConfigured)
                return ValidateOptionsResult.Skip;
            if (string.IsNullOrWhiteSpace(options.KeysFile))
                return ValidateOptionsResult.Fail("Storage:KeysFile is required with Storage:ConnectionString: what is stored is encrypted.");
            try
            {
                StorageKeys.Parse(File.ReadAllBytes(options.KeysFile));
                return ValidateOptionsResult.Success;
            }
            catch (Exception exception) when (exception is FormatException or IOException or UnauthorizedAccessException or ArgumentException)
            {
                return ValidateOptionsResult.Fail($"Storage:KeysFile: {options.KeysFile} cannot be used: {exception.Message}");
            }
        }
    }
}
