using System.Diagnostics;
using DroitsAmeli.Grains.Familles;
using DroitsAmeli.Grains.FranceConnect;
using DroitsAmeli.Grains.RegimeSi;
using DroitsAmeli.Grains.Storage;
using Microsoft.Extensions.Options;
using Orleans.Placement;

namespace DroitsAmeli.Grains.Identites;

/// <summary>Hosts what is remembered of one identity.</summary>
[RandomPlacement, GrainType("identite"), CollectionAgeLimit(Hours = 24), Immovable(ImmovableKind.Rebalancer)]
internal sealed class IdentiteGrain(
    RegimeSiClient si,
    SnapshotStore store,
    Ordres ordres,
    IOptions<FreshnessOptions> freshness,
    IdentiteIndex index,
    TimeProvider time) : Grain, IIdentiteGrain
{
    private static readonly TimeSpan InsistenceKeptFor = TimeSpan.FromSeconds(5);

    // A call whose answer came between two of its tries is told so in the next one: what it asks next still belongs to the visit that began.
    private static readonly TimeSpan VisitLasts = TimeSpan.FromSeconds(10);

    private static readonly TimeSpan RestoredAgainAfter = TimeSpan.FromSeconds(1);

    private readonly FailurePause pause = new();
    private volatile IdentiteReply? remembered;
    private DateTimeOffset insistedUntil;
    private IdentiteOutcome lastFailure;
    private Task<IdentiteReply>? asking;
    private SharedDemand? askedFor;
    private Task? restoring;
    private bool restored;
    private DateTimeOffset restoredAgainAt;

    /// <inheritdoc/>
    public async Task<IdentiteReply> Identify(
        IdentificationRequest request,
        string? rejectedFamille,
        string? convention,
        DateTimeOffset? jetonExpiresAt,
        CancellationToken cancellationToken)
    {
        if (!restored && time.GetUtcNow() >= restoredAgainAt)
            await (restoring ??= Restore()).WaitAsync(cancellationToken);

        var now = time.GetUtcNow();
        if (rejectedFamille is not null && remembered?.Famille == rejectedFamille && now >= insistedUntil)
            Forget();
        ForgetQuarantined();

        if (remembered is { } reply && now < ExpiresAt(reply))
        {
            Telemetry.CacheReads.Add(1, new("part", "identite"), new("outcome", nameof(CacheOutcome.Hit)));
            return reply with { Asked = reply.Outcome is IdentiteOutcome.Resolved && now - reply.GivenAt < VisitLasts };
        }

        if (asking is null && pause.IsOn(now))
            return new() { Outcome = lastFailure, RetryAfter = pause.Remaining(now) };

        var demand = new SiDemand(SiPriority.Present, convention, jetonExpiresAt, First: true);
        var joined = asking is not null;
        if (joined)
            askedFor!.Join(demand);
        else
            asking = Ask(request, rejectedFamille, askedFor = demand);
        var answer = await asking!.WaitAsync(cancellationToken);

        // What was asked before the rejection cannot answer it.
        return joined && rejectedFamille is not null && answer.Famille == rejectedFamille
            ? await Identify(request, rejectedFamille, convention, jetonExpiresAt, cancellationToken)
            : answer;
    }

    /// <inheritdoc/>
    public override Task OnActivateAsync(CancellationToken cancellationToken)
    {
        index.Add(this);
        return Task.CompletedTask;
    }

    /// <inheritdoc/>
    public override Task OnDeactivateAsync(DeactivationReason reason, CancellationToken cancellationToken)
    {
        index.Remove(this);
        return Task.CompletedTask;
    }

    /// <summary>Forgets what the SI said in a quarantine. From any thread.</summary>
    /// <returns>True when something was forgotten.</returns>
    public bool ForgetQuarantined()
    {
        if (remembered is not { GivenAt: { } givenAt } reply || !ordres.IsForgotten(givenAt) || Interlocked.CompareExchange(ref remembered, null, reply) != reply)
            return false;
        if (reply.Outcome is IdentiteOutcome.Resolved)
            store.Forget(RememberedIdentite.Kind, this.GetGrainId());
        return true;
    }

    /// <summary>Forgets what is remembered no longer. From any thread.</summary>
    public void DropExpired(DateTimeOffset now)
    {
        if (remembered is { } reply && now >= ExpiresAt(reply))
            Interlocked.CompareExchange(ref remembered, null, reply);
    }

    private DateTimeOffset ExpiresAt(IdentiteReply reply) => reply.GivenAt!.Value
        + (reply.Outcome is IdentiteOutcome.Resolved ? RememberedIdentite.For : TimeSpan.FromMinutes(freshness.Value.NegativeMinutes));

    private async Task<IdentiteReply> Ask(IdentificationRequest request, string? rejectedFamille, SharedDemand demand)
    {
        // The caller must find the task in `asking` before any of this runs.
        await Task.Yield();
        try
        {
            // What is asked from now on is given after the orders in force were, also where the clock is behind that of their giver.
            var keptFrom = ordres.KeptFrom(time.GetUtcNow(), this.GetGrainId());
            var answer = await si.Identify(request, CancellationToken.None, demand);
            var reply = answer.Status switch
            {
                SiStatus.Ok => new IdentiteReply { Outcome = IdentiteOutcome.Resolved, Famille = answer.Value!.Famille, Nir = answer.Value.Nir },
                SiStatus.NotFound or SiStatus.NotHosted => new() { Outcome = IdentiteOutcome.NotAttached },
                SiStatus.Ambiguous => new() { Outcome = IdentiteOutcome.Ambiguous },
                SiStatus.TooSlow => new() { Outcome = IdentiteOutcome.SiTooSlow },
                SiStatus.Unavailable => new() { Outcome = IdentiteOutcome.SiUnavailable },
                _ => throw new UnreachableException(answer.Status.ToString()),
            };
            if (rejectedFamille is not null && reply.Famille == rejectedFamille)
                insistedUntil = time.GetUtcNow() + InsistenceKeptFor;
            return Remember(reply, answer.RetryAfter, answer.Asked, keptFrom);
        }
        catch (Exception)
        {
            Remember(new() { Outcome = IdentiteOutcome.SiUnavailable }, null, asked: true, default);
            throw;
        }
        finally
        {
            asking = null;
        }
    }

    private IdentiteReply Remember(IdentiteReply reply, TimeSpan? retryAfter, bool asked, DateTimeOffset keptFrom)
    {
        var now = time.GetUtcNow();
        switch (reply.Outcome)
        {
            case IdentiteOutcome.SiUnavailable or IdentiteOutcome.SiTooSlow:
                if (asked)
                    pause.Failed(now, retryAfter);
                else
                    pause.Deferred(now, retryAfter);
                lastFailure = reply.Outcome;
                return reply with { RetryAfter = pause.Remaining(now) };

            case IdentiteOutcome.Resolved:
                now = now > keptFrom ? now : keptFrom;
                store.Save(RememberedIdentite.Kind, this.GetGrainId(), Subject, new RememberedIdentite(reply.Famille!, reply.Nir!, now).ToStore());
                break;

            case IdentiteOutcome.NotAttached or IdentiteOutcome.Ambiguous:
                now = now > keptFrom ? now : keptFrom;

                // A row that could not be read yet must not contradict it later.
                if (!restored)
                    store.Forget(RememberedIdentite.Kind, this.GetGrainId());
                break;

            default:
                throw new UnreachableException(reply.Outcome.ToString());
        }

        pause.Succeeded();
        restored = true;
        reply = reply with { GivenAt = now };
        remembered = reply;
        Telemetry.CacheReads.Add(1, new("part", "identite"), new("outcome", nameof(CacheOutcome.Miss)));
        return reply with { Asked = true };
    }

    private string Subject => this.GetPrimaryKeyString();

    private void Forget()
    {
        if (remembered?.Outcome is IdentiteOutcome.Resolved)
            store.Forget(RememberedIdentite.Kind, this.GetGrainId());
        remembered = null;
    }

    // What the store could not say is asked again: the régime SI may be away when the database is back.
    private async Task Restore()
    {
        // The caller must find the task in `restoring` before any of this runs.
        await Task.Yield();
        var isKnown = false;
        try
        {
            if (!ordres.AreKnown)
                return;
            var read = await store.Read(RememberedIdentite.Kind, this.GetGrainId(), Subject, CancellationToken.None);
            isKnown = read.IsKnown;
            if (!restored && read.Found is { } stored && RememberedIdentite.Read(stored.Snapshot) is { } known)
                remembered = new() { Outcome = IdentiteOutcome.Resolved, Famille = known.Famille, Nir = known.Nir, GivenAt = known.AskedAt };
        }
        finally
        {
            restored |= isKnown;
            restoredAgainAt = time.GetUtcNow() + RestoredAgainAfter;
            restoring = null;
        }
    }
}
