using System.Diagnostics;
using DroitsAmeli.Grains.Droits;
using DroitsAmeli.Grains.Exploitation;
using DroitsAmeli.Grains.RegimeSi;

namespace DroitsAmeli.Grains.Familles;

/// <summary>What a read of a part gave: a copy with its cache state, or the SI's status and when to ask again.</summary>
internal sealed record PartRead<T>(SiStatus Status, Copy<T>? Copy = null, CacheState? Cache = null, TimeSpan? RetryAfter = null)
    where T : class
{
    /// <summary>The instant the SI said that there is no such part; set with NotFound and Gone.</summary>
    public DateTimeOffset? RefusedAt { get; init; }
}

/// <summary>On whose behalf a part is read.</summary>
/// <param name="MaximumAge">The oldest copy the convention accepts.</param>
/// <param name="Demand">Who waits for the SI, should it be asked.</param>
/// <param name="AskedAt">When the call began that reads it, and maybe other parts before, as a timestamp of the family's clock.</param>
internal readonly record struct Reader(TimeSpan MaximumAge, SiDemand Demand, long AskedAt);

/// <summary>What is particular to one part.</summary>
/// <param name="Name">composition, droits.</param>
/// <param name="Load">Asks the SI: the version held (If-None-Match), the least acceptable version, on whose behalf.</param>
/// <param name="VersionOf">The SI's version of a part.</param>
/// <param name="ChangesAfter">The next instant at which something in it begins or ends.</param>
internal sealed record PartKind<T>(
    string Name,
    Func<long?, long, SharedDemand, Task<SiAnswer<T>>> Load,
    Func<T, long> VersionOf,
    Func<T, DateTimeOffset, DateTimeOffset?> ChangesAfter)
    where T : class;

/// <summary>
/// One cached part of a family. All concurrent readers share one load, which no reader's cancellation can cancel; the copy's age is
/// judged by <see cref="Freshness"/>, and a failing SI is left alone for a while.
/// </summary>
/// <remarks>Belongs to a grain: single-threaded, interleaved at awaits.</remarks>
internal sealed class Part<T>(PartKind<T> kind, PartContext family)
    where T : class
{
    private const int MostLoadsPerRead = 3;

    private readonly FailurePause pause = new();
    private Copy<T>? copy;
    private SharedLoad? loading;
    private SiStatus negative;
    private DateTimeOffset negativeAt;
    private DateTimeOffset negativeUntil;
    private long negativeAsOf;
    private SiStatus lastFailure;

    /// <summary>The copy as it is, fit to be shown or not.</summary>
    public Copy<T>? Copy => copy;

    /// <summary>True when neither a copy nor a load is there, and one may be started.</summary>
    public bool IsCold => copy is null && loading is null && !pause.IsOn(Now) && !IsNegative;

    /// <summary>True when another part, or the SI's feed, has shown a newer version of the family than this copy's.</summary>
    public bool IsSuperseded => copy is not null && copy.CurrentAt < family.Newest;

    /// <summary>Ends, without an exception, when the load that runs has; completed when none does.</summary>
    public Task Loaded => loading?.Answer.ContinueWith(static _ => { }, TaskScheduler.Default) ?? Task.CompletedTask;

    /// <summary>True when nothing but the copy is worth keeping.</summary>
    public bool IsAtRest => loading is null && !pause.IsOn(Now) && !IsNegative;

    // A newer version of the family may hold what an older one did not.
    private bool IsNegative => Now < negativeUntil && family.Newest <= negativeAsOf;

    private DateTimeOffset Now => family.Now;

    private bool IsForgotten(Copy<T> held) => family.IsForgotten(held.LoadedAt) || family.IsForgotten(held.GivenAt);

    /// <summary>True when a copy that no order forgets is of that version or a newer one.</summary>
    public bool HasShown(long version) => copy is not null && copy.Version >= version && !IsForgotten(copy);

    /// <summary>The copy, if it may still be shown to that convention.</summary>
    public Copy<T>? Held(TimeSpan maximumAge) =>
        Judge(maximumAge) is FreshnessVerdict.Fresh or FreshnessVerdict.RefreshBehind or FreshnessVerdict.RefreshFirst ? copy : null;

    /// <summary>True when a read on behalf of that convention would wait for the SI.</summary>
    public bool WaitsForSi(TimeSpan maximumAge) => Judge(maximumAge) switch
    {
        FreshnessVerdict.Fresh or FreshnessVerdict.RefreshBehind => false,
        FreshnessVerdict.RefreshFirst => !pause.IsOn(Now),
        _ => !IsNegative && (loading is not null || !pause.IsOn(Now)),
    };

    /// <summary>Age and origin of a copy, as an answer declares them.</summary>
    public CacheState StateOf(Copy<T> served, CacheOutcome outcome = CacheOutcome.Hit)
    {
        var ttl = (int)Math.Floor((served.FreshUntil - Now).TotalSeconds);
        return new()
        {
            Situation = served.LoadedAt,
            Outcome = outcome,
            TtlSeconds = family.IsStale(served.LoadedAt) ? Math.Min(ttl, 0) : ttl,
        };
    }

    /// <summary>The cache state, for an operator.</summary>
    public PartState? State() => copy is null ? null : new()
    {
        Part = kind.Name,
        Version = copy.Version,
        LoadedAt = copy.LoadedAt,
        FreshUntil = copy.FreshUntil,
        Superseded = IsSuperseded,
        Source = copy.Source switch
        {
            CopySource.Si => "si",
            CopySource.Stockage => "stockage",
            CopySource.Migration => "migration",
            _ => throw new UnreachableException(copy.Source.ToString()),
        },
    };

    /// <summary>Takes over a copy from a snapshot, unless one is held or the SI has said that there is none.</summary>
    public void Restore(Copy<T> restored)
    {
        if (negativeUntil == default)
            copy ??= restored;
    }

    /// <summary>Forgets the copy if it was given in a forgotten interval, or is too old to be shown to anybody.</summary>
    public void Prune()
    {
        if (negativeUntil != default && family.IsForgotten(negativeAt))
            negativeUntil = default;
        if (copy is not { } held)
            return;
        var forgotten = IsForgotten(held);
        if (!forgotten && Now < Freshness.ExpiresAt(held.LoadedAt))
            return;
        copy = null;
        family.IsDirty = true;
        if (forgotten)
            family.OnForgotten?.Invoke(held.LoadedAt, held.GivenAt);
    }

    /// <summary>Begins anew: without a copy, a refusal or a pause. What the SI is being asked is no longer waited for.</summary>
    public void Forget()
    {
        (copy, loading, negativeUntil) = (null, null, default);
        pause.Succeeded();
    }

    /// <summary>
    /// Starts the shared load if none is running, behind those who wait for an answer, until one of them joins it. Its failure is nobody's:
    /// whoever needs the part next may try at once.
    /// </summary>
    /// <param name="visit">The visit that will read it.</param>
    public void LoadAhead(SiDemand visit)
    {
        if (IsCold)
            _ = Load(visit with { Priority = SiPriority.Ahead }, pauses: false);
    }

    /// <summary>True for a copy that the SI has announced to be old, and that it may be asked for again.</summary>
    public bool IsDueByAnnouncement => IsSuperseded && loading is null && !pause.IsOn(Now);

    /// <summary>Asks the SI again for a copy that it has announced to be old.</summary>
    public void RefreshAnnounced()
    {
        if (IsDueByAnnouncement)
            _ = Load(SiPriority.Evenement, pauses: false);
    }

    /// <summary>Asks the SI again, after everybody else, for a copy that is held and not fresh.</summary>
    public async Task<WarmUpOutcome> WarmUp()
    {
        Prune();
        if (copy is null || Judge(LongestAge.Span) is FreshnessVerdict.Fresh)
            return WarmUpOutcome.Fresh;
        if (loading is null && pause.IsOn(Now))
            return WarmUpOutcome.Failed;
        return (await Load(SiPriority.WarmUp, pauses: false).Answer).Status is SiStatus.Unavailable or SiStatus.TooSlow
            ? WarmUpOutcome.Failed
            : WarmUpOutcome.Refreshed;
    }

    /// <summary>Reads the part, loading or refreshing it as its age demands.</summary>
    /// <param name="reader">Who reads.</param>
    /// <param name="newerThan">When set, a copy given before that instant is not good enough for this read.</param>
    /// <param name="cancellationToken">Ends the wait, never the load.</param>
    public async Task<PartRead<T>> Read(Reader reader, DateTimeOffset? newerThan, CancellationToken cancellationToken)
    {
        Prune();
        switch (Judge(reader.MaximumAge, newerThan))
        {
            case FreshnessVerdict.Fresh:
                return Serve(CacheOutcome.Hit);

            case FreshnessVerdict.RefreshBehind:
                if (!pause.IsOn(Now))
                    _ = Load(SiPriority.Refresh);
                return Serve(CacheOutcome.Hit);

            case FreshnessVerdict.RefreshFirst:
                return await RefreshThenServe(reader, cancellationToken);

            default:
                return await LoadThenServe(reader, cancellationToken);
        }
    }

    /// <summary>
    /// The copy, if it may be shown to that convention and the SI need not be waited for; what is old is asked again behind the answer. One that
    /// has to be refreshed first is shown only while that fails.
    /// </summary>
    public Copy<T>? ReadHeld(TimeSpan maximumAge)
    {
        Prune();
        var verdict = Judge(maximumAge);
        if (verdict is FreshnessVerdict.RefreshBehind or FreshnessVerdict.RefreshFirst or FreshnessVerdict.Superseded && !pause.IsOn(Now))
            _ = Load(SiPriority.Refresh);
        return verdict is FreshnessVerdict.Fresh or FreshnessVerdict.RefreshBehind || verdict is FreshnessVerdict.RefreshFirst && pause.HasFailed(Now)
            ? copy
            : null;
    }

    private FreshnessVerdict Judge(TimeSpan maximumAge, DateTimeOffset? newerThan = null) => Freshness.Evaluate(
        family.Freshness,
        copy?.LoadedAt,
        copy?.FreshUntil ?? default,
        Now,
        maximumAge,
        IsSuperseded || copy?.LoadedAt < newerThan,
        copy is not null && family.IsStale(copy.LoadedAt));

    private async Task<PartRead<T>> RefreshThenServe(Reader reader, CancellationToken cancellationToken)
    {
        if (pause.IsOn(Now))
            return Serve(CacheOutcome.Hit);

        // Counted from the start of the load or of the call, whichever was first: neither a call that is made again, or comes later, nor one that
        // has waited for another part begins to wait anew.
        var refresh = Load(reader.Demand);
        var rest = TimeSpan.FromSeconds(family.Freshness.RefreshWaitSeconds)
            - family.Time.GetElapsedTime(Math.Min(refresh.StartedAt, reader.AskedAt));
        try
        {
            var answer = await refresh.Answer.WaitAsync(rest > TimeSpan.Zero ? rest : TimeSpan.Zero, family.Time, cancellationToken);
            return answer.Status switch
            {
                _ when !IsShowable(reader) => await LoadThenServe(reader, cancellationToken),
                SiStatus.Ok => Serve(CacheOutcome.Refreshed),
                SiStatus.Unchanged => Serve(CacheOutcome.Confirmed),
                _ => Serve(answer.Asked ? CacheOutcome.OldCopy : CacheOutcome.Hit),
            };
        }
        catch (TimeoutException)
        {
            return IsShowable(reader) ? Serve(CacheOutcome.Hit) : await LoadThenServe(reader, cancellationToken);
        }
    }

    private bool IsShowable(Reader reader) => Held(reader.MaximumAge) is not null;

    private async Task<PartRead<T>> LoadThenServe(Reader reader, CancellationToken cancellationToken)
    {
        if (IsNegative)
            return Refuse();
        if (loading is null && pause.IsOn(Now))
            return new(lastFailure, RetryAfter: pause.Remaining(Now));

        var heldNothing = copy is null;
        var outcome = heldNothing ? CacheOutcome.Miss : CacheOutcome.Refreshed;
        for (var attempt = 0; attempt < MostLoadsPerRead; attempt++)
        {
            var load = Load(reader.Demand);
            var answer = await load.Answer.WaitAsync(cancellationToken);
            switch (answer.Status)
            {
                // What it was asked by is forgotten.
                case var _ when load.IsForgotten:
                    continue;

                // A load that began before a newer version was known, or was forgotten meanwhile, cannot answer.
                case SiStatus.Ok or SiStatus.Unchanged when copy is null || IsSuperseded || IsForgotten(copy):
                    continue;
                case SiStatus.Ok:
                    return Serve(outcome);
                case SiStatus.Unchanged:
                    return Serve(CacheOutcome.Confirmed);
                case SiStatus.NotFound or SiStatus.Gone when family.Newest > negativeAsOf:
                    continue;
                case SiStatus.NotFound or SiStatus.Gone:
                    return Refuse();

                // The store has given it meanwhile.
                case var _ when heldNothing && IsShowable(reader):
                    return Serve(answer.Asked ? CacheOutcome.OldCopy : CacheOutcome.Hit);
                default:
                    return new(answer.Status, RetryAfter: pause.Remaining(Now));
            }
        }

        return new(SiStatus.Unavailable);
    }

    private PartRead<T> Serve(CacheOutcome outcome)
    {
        Telemetry.CacheReads.Add(1, new("part", kind.Name), new("outcome", outcome.ToString()));
        return new(SiStatus.Ok, copy, StateOf(copy!, outcome));
    }

    private PartRead<T> Refuse() => new(negative) { RefusedAt = negativeAt };

    private SharedLoad Load(SiDemand demand, bool pauses = true)
    {
        if (loading is { } running)
        {
            running.Join(demand, pauses);
            return running;
        }

        var started = loading = new(demand, pauses, family.Time.GetTimestamp());
        started.Answer = Run(started);

        // Nobody may be left to see it fail.
        started.Answer.Ignore();
        return started;
    }

    private async Task<SiAnswer<T>> Run(SharedLoad load)
    {
        // The caller must find it in `loading` before any of this runs.
        await Task.Yield();
        try
        {
            var least = Math.Max(family.Newest, copy?.Version ?? 0);

            // What is asked from now on is given after the orders in force were, also where the clock is behind that of their giver.
            var keptFrom = family.KeptFrom();
            var answer = await kind.Load(copy?.Version, least, load.Demand);
            if (loading == load)
                Accept(answer.ReceivedAt < keptFrom ? answer with { ReceivedAt = keptFrom } : answer, least, load.Pauses);
            else
                load.IsForgotten = true;
            return answer;
        }
        catch (Exception) when (loading == load)
        {
            Fail(SiStatus.Unavailable, null, asked: true);
            throw;
        }
        finally
        {
            if (loading == load)
                loading = null;
        }
    }

    private void Accept(SiAnswer<T> answer, long least, bool pauses)
    {
        switch (answer.Status)
        {
            case SiStatus.Ok:
                var version = kind.VersionOf(answer.Value!);
                if (copy is null || version >= copy.Version)
                    Keep(answer.Value!, version, version, answer.ReceivedAt, answer.ReceivedAt);
                family.Advance(version);
                break;

            case SiStatus.Unchanged when copy is not null:
                Keep(copy.Value, copy.Version, Math.Max(copy.CurrentAt, least), answer.ReceivedAt, copy.GivenAt);
                break;

            // What the SI has confirmed was forgotten meanwhile.
            case SiStatus.Unchanged:
                break;

            case SiStatus.NotFound or SiStatus.Gone:
                copy = null;
                (family.IsRefused, family.IsDirty) = (true, true);
                (negative, negativeAt, negativeAsOf) = (answer.Status, answer.ReceivedAt, least);
                negativeUntil = Now + TimeSpan.FromMinutes(family.Freshness.NegativeMinutes);
                pause.Succeeded();
                break;

            default:
                if (pauses)
                    Fail(answer.Status, answer.RetryAfter, answer.Asked);
                break;
        }
    }

    private void Keep(T value, long version, long currentAt, DateTimeOffset loadedAt, DateTimeOffset givenAt)
    {
        var freshUntil = Freshness.FreshUntil(family.Freshness, loadedAt, Random.Shared.NextDouble(), kind.ChangesAfter(value, loadedAt));
        copy = new(value, version, currentAt, loadedAt, freshUntil, CopySource.Si) { GivenAt = givenAt };
        family.IsDirty = true;
        negativeUntil = default;
        pause.Succeeded();
    }

    private void Fail(SiStatus status, TimeSpan? retryAfter, bool asked)
    {
        lastFailure = status;
        if (asked)
            pause.Failed(Now, retryAfter);
        else
            pause.Deferred(Now, retryAfter);
    }

    /// <summary>One question to the SI, on behalf of all who have joined.</summary>
    private sealed class SharedLoad(SiDemand first, bool pauses, long startedAt)
    {
        /// <summary>When it began, as a timestamp of the family's clock.</summary>
        public long StartedAt => startedAt;

        public SharedDemand Demand { get; } = first;

        /// <summary>True once somebody waits for whom a failure is followed by a pause.</summary>
        public bool Pauses { get; private set; } = pauses;

        /// <summary>True when the part has begun anew before the answer came.</summary>
        public bool IsForgotten { get; set; }

        public Task<SiAnswer<T>> Answer { get; set; } = null!;

        public void Join(SiDemand demand, bool pauses)
        {
            Demand.Join(demand);
            Pauses |= pauses;
        }
    }
}
