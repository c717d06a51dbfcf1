using Orleans.Storage;

namespace DroitsAmeli.Grains.Storage;

/// <summary>
/// The storage provider, started at its first use instead of with the silo, and again at the next use when that failed: a database that is
/// away keeps no silo from starting.
/// </summary>
internal sealed class LateGrainStorage(Func<AdoNetGrainStorage> create) : IGrainStorage
{
    private readonly Lock starting = new();
    private Task<IGrainStorage>? started;

    public async Task ReadStateAsync<T>(string stateName, GrainId grainId, IGrainState<T> grainState) =>
        await (await Started()).ReadStateAsync(stateName, grainId, grainState);

    public async Task WriteStateAsync<T>(string stateName, GrainId grainId, IGrainState<T> grainState) =>
        await (await Started()).WriteStateAsync(stateName, grainId, grainState);

    public async Task ClearStateAsync<T>(string stateName, GrainId grainId, IGrainState<T> grainState) =>
        await (await Started()).ClearStateAsync(stateName, grainId, grainState);

    private Task<IGrainStorage> Started()
    {
        lock (starting)
        {
            if (started is null or { IsFaulted: true } or { IsCanceled: true })
                started = Task.Run(Start);
            return started;
        }
    }

    private async Task<IGrainStorage> Start()
    {
        var storage = create();
        var stages = new StartStages();
        storage.Participate(stages);
        await stages.Start();
        return storage;
    }

    /// <summary>Stands in for the silo's life cycle, in which the provider would ask to be started.</summary>
    private sealed class StartStages : ISiloLifecycle
    {
        private readonly List<(int Stage, ILifecycleObserver Observer)> observers = [];

        public int HighestCompletedStage => ServiceLifecycleStage.First;

        public int LowestStoppedStage => ServiceLifecycleStage.Last;

        public IDisposable Subscribe(string observerName, int stage, ILifecycleObserver observer)
        {
            observers.Add((stage, observer));
            return new Subscription();
        }

        public async Task Start()
        {
            foreach (var (_, observer) in observers.OrderBy(entry => entry.Stage))
                await observer.OnStart(CancellationToken.None);
        }

        private sealed class Subscription : IDisposable
        {
            public void Dispose()
            {
            }
        }
    }
}
