using DroitsAmeli.Grains.Clustering;
using DroitsAmeli.Grains.Exploitation;
using Microsoft.Extensions.Logging;
using Orleans.Placement;

namespace DroitsAmeli.Grains.Familles;

/// <summary>
/// Hosts one family. While it is read its parts are held decoded (<see cref="LiveFamille"/>); a while later, only their compact bytes
/// (<see cref="RestingFamille"/>), which are also what is stored and what moves to another silo.
/// </summary>
[AnyGateway, RandomPlacement, GrainType("famille"), CollectionAgeLimit(Hours = 24)]
internal sealed partial class FamilleGrain(FamilleDependencies with) : Grain, IFamilleGrain, IFamillePrechauffee, IGrainMigrationParticipant
{
    private const string MigratedContent = "famille";
    private const string MigratedVersion = "version";
    private const string MigratedRestored = "restored";

    private static readonly TimeSpan RestsAfter = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan LoadsEndWithin = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan SavedAfter = TimeSpan.FromMilliseconds(500);
    private static readonly TimeSpan RestoredAgainAfter = TimeSpan.FromSeconds(1);

    private TaskScheduler? scheduler;
    private Task? restoring;
    private bool restored;
    private long restoredAgainAt;
    private RestingFamille? resting;
    private LiveFamille? live;
    private ITimer? timer;
    private long announced;
    private (CopySource Source, DateTimeOffset UpTo) taken;
    private List<(DateTimeOffset LoadedAt, DateTimeOffset GivenAt)>? forgotten;

    /// <summary>True when only the compact bytes are held.</summary>
    public bool IsAtRest => Volatile.Read(ref live) is null && Volatile.Read(ref resting) is not null;

    private string Famille => FamilleKey.ToFamille(this.GetPrimaryKeyString());

    /// <inheritdoc/>
    public override Task OnActivateAsync(CancellationToken cancellationToken)
    {
        scheduler = TaskScheduler.Current;

        // First findable, then informed: what is announced meanwhile comes one way or the other.
        with.Index.Add(this);
        Learn(with.Recent.VersionOf(Famille));
        return Task.CompletedTask;
    }

    /// <inheritdoc/>
    public override async Task OnDeactivateAsync(DeactivationReason reason, CancellationToken cancellationToken)
    {
        try
        {
            // What the SI is being asked would be asked again elsewhere.
            if (live is { } awake && reason.ReasonCode is DeactivationReasonCode.ShuttingDown or DeactivationReasonCode.Migrating)
                await awake.Loaded.WaitAsync(LoadsEndWithin, TimeProvider.System, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing | ConfigureAwaitOptions.ContinueOnCapturedContext);
            if (live is { Context.IsDirty: true })
                Save(live);
        }
        catch (Exception exception)
        {
            // Thrown on, it would end the migration.
            LogNotSaved(with.Logger, exception.GetType().Name);
        }

        timer?.Dispose();
        timer = null;
        with.Index.Remove(this);
        if (reason.ReasonCode is DeactivationReasonCode.ShuttingDown && with.Silos.HasOtherActiveSilo())
            this.MigrateOnIdle();
    }

    /// <inheritdoc/>
    public void OnDehydrate(IDehydrationContext dehydrationContext)
    {
        if (live is { Context.IsDirty: true })
            Rest(live);
        if (Volatile.Read(ref resting) is not { } content)
            return;
        dehydrationContext.TryAddValue(MigratedContent, content.Content);
        dehydrationContext.TryAddValue(MigratedVersion, Volatile.Read(ref announced));
        dehydrationContext.TryAddValue(MigratedRestored, restored);
    }

    /// <inheritdoc/>
    public void OnRehydrate(IRehydrationContext rehydrationContext)
    {
        if (!rehydrationContext.TryGetValue<byte[]>(MigratedContent, out var content) || content is null)
            return;
        if (ReadShowable(content) is { } moved)
        {
            Take(moved, CopySource.Migration);
            restored = !rehydrationContext.TryGetValue<bool>(MigratedRestored, out var wasRestored) || wasRestored;
        }

        if (rehydrationContext.TryGetValue<long>(MigratedVersion, out var version))
            Learn(version);
    }

    /// <inheritdoc/>
    public async Task<FamilleReply> GetBeneficiaires(FamilleRequest request, CancellationToken cancellationToken) =>
        await (await Wake(cancellationToken)).GetBeneficiaires(request, cancellationToken);

    /// <inheritdoc/>
    public async Task<FamilleReply> GetBeneficiaire(FamilleRequest request, CancellationToken cancellationToken) =>
        await (await Wake(cancellationToken)).GetBeneficiaire(request, cancellationToken);

    /// <inheritdoc/>
    public async Task<FamilleReply> GetDroits(FamilleRequest request, CancellationToken cancellationToken) =>
        await (await Wake(cancellationToken)).GetDroits(request, cancellationToken);

    /// <inheritdoc/>
    public async Task<WarmUpOutcome> WarmUp()
    {
        var awake = await Wake(CancellationToken.None);
        return restored ? await awake.WarmUp() : WarmUpOutcome.Failed;
    }

    /// <summary>The SI has announced a version. From any thread.</summary>
    /// <returns>Ends once what the grain was saving without it has been given to the store.</returns>
    public Task Announce(long version)
    {
        Learn(version);
        return Post(() => live?.Announce(version));
    }

    /// <summary>Saves what is held once more, soon. From any thread.</summary>
    public void SaveAgain() => _ = Post(() =>
    {
        if (live is null && resting is null)
            return;
        (live ?? GoLive(Thaw())).Context.IsDirty = true;
    });

    /// <summary>Obeys an order that is in force. From any thread.</summary>
    /// <returns>True when it concerns what is held here, or was until it was in force.</returns>
    public Task<bool> Obey(Ordre ordre)
    {
        // Nothing has to be done in the grain's turn for those at rest: they are many.
        var isAwake = Volatile.Read(ref live) is not null || Volatile.Read(ref forgotten) is not null;
        return ordre.Kind switch
        {
            OrdreKind.Quarantine => isAwake ? Post(() => ForgetGiven(ordre)) : Task.FromResult(ForgetAtRest(ordre)),
            OrdreKind.Forget => Post(() =>
            {
                var concerned = Holds(ordre) | TakeForgotten(ordre);
                Volatile.Write(ref announced, 0);
                Forget();
                return concerned;
            }),

            // Judged by each read.
            _ => isAwake ? Post(() => Holds(ordre)) : Task.FromResult(Volatile.Read(ref resting)?.Holds(ordre) ?? false),
        };
    }

    /// <summary>The cache state, for an operator. From any thread.</summary>
    public Task<FamilleState> Look() => Post(() => (live ?? Thaw()).State());

    /// <summary>Lets go of the parts at rest that nobody may be shown any more. From any thread.</summary>
    public void DropExpired(DateTimeOffset now)
    {
        if (Volatile.Read(ref resting) is { } rest && rest.ExpiresAt <= now)
            _ = Post(() => DropExpiredAtRest(now));
    }

    private void DropExpiredAtRest(DateTimeOffset now)
    {
        if (Volatile.Read(ref resting) is not { } rest || rest.Without(expiredAt: now, Volatile.Read(ref announced)) is var left && ReferenceEquals(left, rest))
            return;

        // Whoever is awake saves by itself, and a row that has expired is removed.
        if (Interlocked.CompareExchange(ref resting, left, rest) == rest && left is not null && live is null && IsTold)
            with.Store.Save(RestingFamille.Kind, this.GetGrainId(), Famille, left.ToStore());
    }

    // Who has left the index is not told of versions any more, and may not write what it holds.
    private bool IsTold => with.Index.Find(this.GetGrainId()) == this;

    private bool Holds(Ordre ordre) => live?.Holds(ordre) ?? Volatile.Read(ref resting)?.Holds(ordre) ?? false;

    private bool ForgetGiven(Ordre quarantine)
    {
        var wasAtRest = ForgetAtRest(quarantine);
        if (live is null)
            return TakeForgotten(quarantine) | wasAtRest;
        live.Prune();
        return TakeForgotten(quarantine);
    }

    private bool ForgetAtRest(Ordre quarantine)
    {
        while (Volatile.Read(ref resting) is { } rest)
        {
            var left = rest.Without(quarantine, Volatile.Read(ref announced));
            if (ReferenceEquals(left, rest))
                return false;
            if (Interlocked.CompareExchange(ref resting, left, rest) == rest)
                return true;
        }

        return false;
    }

    // An order is in force before it is carried out: what it concerned may have gone in between, to whoever read or looked.
    private bool TakeForgotten(Ordre ordre)
    {
        if (forgotten is null)
            return false;
        var concerned = forgotten.RemoveAll(copy => ordre.Concerns(copy.LoadedAt, copy.GivenAt)) > 0;
        if (forgotten.Count == 0)
            Volatile.Write(ref forgotten, null);
        return concerned;
    }

    private void RememberForgotten(DateTimeOffset loadedAt, DateTimeOffset givenAt)
    {
        if (forgotten is null)
            Volatile.Write(ref forgotten, []);
        forgotten!.Add((loadedAt, givenAt));
    }

    /// <summary>Runs it in the grain's turn. From any thread.</summary>
    internal Task<T> Post<T>(Func<T> action) =>
        Task.Factory.StartNew(action, CancellationToken.None, TaskCreationOptions.DenyChildAttach, scheduler!);

    private Task Post(Action action) =>
        Task.Factory.StartNew(action, CancellationToken.None, TaskCreationOptions.DenyChildAttach, scheduler!);

    private void Learn(long version)
    {
        for (var known = Volatile.Read(ref announced); known < version;)
        {
            var seen = Interlocked.CompareExchange(ref announced, version, known);
            if (seen == known)
                return;
            known = seen;
        }
    }

    private ValueTask<LiveFamille> Wake(CancellationToken cancellationToken) =>
        restored && live is { } awake ? new(awake) : new(WakeFirst(cancellationToken));

    private async Task<LiveFamille> WakeFirst(CancellationToken cancellationToken)
    {
        // What it holds itself comes before what is stored.
        if (live is null && Volatile.Read(ref resting) is not null)
            GoLive(Thaw());
        if (!restored && with.Time.GetUtcNow().UtcTicks >= restoredAgainAt)
        {
            // Whoever can be answered without the store does not wait for it.
            restoring ??= Restore();
            if (live is not { HoldsSomething: true })
                await restoring.WaitAsync(cancellationToken);
        }

        return live ?? GoLive(Thaw());
    }

    /// <summary>From here on reads are answered from it. In the grain's turn.</summary>
    internal LiveFamille GoLive(LiveFamille thawed)
    {
        thawed.Context.OnDirty = SaveSoon;
        thawed.Context.OnForgotten += RememberForgotten;
        Volatile.Write(ref live, thawed);
        timer = StartTimer();
        return thawed;
    }

    // Not a grain timer: what the runtime keeps of the first one, some 400 bytes, stays with the activation when the timer is long gone.
    private ITimer StartTimer()
    {
        using (ExecutionContext.SuppressFlow())
            return with.Time.CreateTimer(static grain => _ = ((FamilleGrain)grain!).Post(((FamilleGrain)grain).Tick), this, RestsAfter, Timeout.InfiniteTimeSpan);
    }

    // What the store could not say is asked again: the régime SI may be away when the database is back.
    private async Task Restore()
    {
        // The caller must find the task in `restoring` before any of this runs.
        await Task.Yield();
        var isKnown = false;
        try
        {
            if (!with.Ordres.AreKnown)
                return;
            var read = await with.Store.Read(RestingFamille.Kind, this.GetGrainId(), Famille, CancellationToken.None);
            isKnown = read.IsKnown;
            if (!restored && read.Found is { } stored && ReadShowable(stored.Snapshot.Content.ToArray()) is { } showable)
            {
                Learn(stored.LeastVersion);
                if (live is null && Volatile.Read(ref resting) is null)
                    Take(showable, CopySource.Stockage);
                else
                    Complete(live ?? GoLive(Thaw()), showable);
            }
        }
        finally
        {
            restored |= isKnown;
            restoredAgainAt = (with.Time.GetUtcNow() + RestoredAgainAfter).UtcTicks;
            restoring = null;
        }
    }

    // A family that went without its store has loaded parts meanwhile: what it still lacks is taken from what was stored.
    private void Complete(LiveFamille awake, RestingFamille stored)
    {
        if (SnapshotCodec.Decode(stored.Content) is not { } snapshot)
            return;
        awake.Restore(snapshot, _ => CopySource.Stockage);
        awake.Announce(Volatile.Read(ref announced));
        awake.Context.IsDirty = true;
        SaveSoon();
    }

    private void Take(RestingFamille content, CopySource source)
    {
        Volatile.Write(ref resting, content);
        taken = (source, content.NewestLoad);
    }

    /// <returns>Null for what cannot be read, or what an order forgets a part of.</returns>
    private RestingFamille? ReadShowable(byte[] content) =>
        FamilleSnapshot.Read(content) is not { Parts.Count: > 0 } snapshot
        || snapshot.Parts.Any(part => with.Ordres.IsForgotten(part.LoadedAt, this.GetGrainId()) || with.Ordres.IsForgotten(part.GivenAt, this.GetGrainId()))
            ? null
            : RestingFamille.Of(content, snapshot);

    /// <summary>What is at rest, decoded, with the versions that were announced until now. In the grain's turn.</summary>
    internal LiveFamille Thaw()
    {
        var thawed = new LiveFamille(this.GetGrainId(), Famille, with);
        if (Volatile.Read(ref resting) is { } rest && SnapshotCodec.Decode(rest.Content) is { } snapshot)
            thawed.Restore(snapshot, loadedAt => loadedAt <= taken.UpTo ? taken.Source : CopySource.Si);
        thawed.Context.Announce(Volatile.Read(ref announced));
        return thawed;
    }

    private void SaveSoon()
    {
        if (with.Store.IsConfigured)
            timer?.Change(SavedAfter, Timeout.InfiniteTimeSpan);
    }

    private void Tick()
    {
        if (live is not { } awake)
            return;

        awake.Prune();
        var rests = awake.Idle >= RestsAfter && awake.IsAtRest;
        if (awake.Context.IsDirty && (rests || with.Store.IsConfigured))
            Save(awake);
        if (rests)
        {
            Volatile.Write(ref live, null);
            timer?.Dispose();
            timer = null;
        }
        else
        {
            timer?.Change(awake.Idle < RestsAfter ? RestsAfter - awake.Idle : RestsAfter, Timeout.InfiniteTimeSpan);
        }
    }

    private void Save(LiveFamille awake)
    {
        if (!IsTold)
            return;

        // Before what is left is stored: merged with the row, the refused part would come back.
        if (awake.Context.IsRefused)
            with.Store.Forget(RestingFamille.Kind, this.GetGrainId());
        awake.Context.IsRefused = false;

        if (!Rest(awake))
            return;
        if (resting is { } rest)
            with.Store.Save(RestingFamille.Kind, this.GetGrainId(), Famille, rest.ToStore());

        // A row that nobody could read yet may hold what this family lacks.
        else if (restored)
            with.Store.Forget(RestingFamille.Kind, this.GetGrainId());
    }

    /// <returns>False when it cannot be encoded: then it is neither kept at rest, nor stored, nor migrated.</returns>
    private bool Rest(LiveFamille awake)
    {
        RestingFamille? rest = null;
        try
        {
            awake.Context.Announce(Volatile.Read(ref announced));
            rest = awake.Snapshot() is { } snapshot ? RestingFamille.Of(snapshot) : null;
            return true;
        }
        catch (Exception)
        {
            Telemetry.StorageWrites.Add(1, new KeyValuePair<string, object?>("outcome", "not_encoded"));
            return false;
        }
        finally
        {
            Volatile.Write(ref resting, rest);
            awake.Context.IsDirty = false;
        }
    }

    private void Forget()
    {
        Volatile.Write(ref resting, null);
        restored = true;
        timer?.Dispose();
        timer = null;

        // Whoever reads the old one goes on with it; nothing of it is kept.
        if (live is { } old)
        {
            old.Context.OnDirty = null;
            old.Context.OnForgotten -= RememberForgotten;
        }

        Volatile.Write(ref forgotten, null);
        Volatile.Write(ref live, null);
        with.Store.Forget(RestingFamille.Kind, this.GetGrainId());
    }

    [LoggerMessage(Level = LogLevel.Error, Message = "A family that leaves this silo could not be saved: {Error}. What it holds is moved or asked again. Report it to who maintains this program.")]
    private static partial void LogNotSaved(ILogger logger, string error);
}
