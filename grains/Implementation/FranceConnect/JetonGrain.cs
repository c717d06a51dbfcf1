using DroitsAmeli.Grains.Clustering;
using DroitsAmeli.Grains.Familles;
using DroitsAmeli.Grains.Identites;
using DroitsAmeli.Grains.RegimeSi;
using Orleans.Placement;

namespace DroitsAmeli.Grains.FranceConnect;

/// <summary>Hosts what FranceConnect said of one token, until the token ends. It moves with that, never with the token.</summary>
[AnyGateway, RandomPlacement, GrainType("jeton"), Immovable(ImmovableKind.Rebalancer)]
internal sealed class JetonGrain(
    FranceConnectClient franceConnect, IdentiteKeys identiteKeys, Ordres ordres, ISiloStatusOracle silos, TimeProvider time)
    : Grain, IJetonGrain, IGrainMigrationParticipant
{
    private const string StateName = "jeton";

    private static readonly TimeSpan InactiveKeptFor = TimeSpan.FromSeconds(5);

    private static readonly TimeSpan LongestTimer = TimeSpan.FromHours(24);

    private JetonReply? remembered;
    private DateTimeOffset rememberedUntil;
    private Task<JetonReply>? asking;
    private IdentificationRequest? identification;
    private IdentiteReply? identite;

    public override Task OnActivateAsync(CancellationToken cancellationToken)
    {
        if (remembered is not null)
            GoWhenItEnds();
        return Task.CompletedTask;
    }

    public override Task OnDeactivateAsync(DeactivationReason reason, CancellationToken cancellationToken)
    {
        if (reason.ReasonCode is DeactivationReasonCode.ShuttingDown && IsActive && silos.HasOtherActiveSilo())
            this.MigrateOnIdle();
        return Task.CompletedTask;
    }

    public void OnDehydrate(IDehydrationContext dehydrationContext)
    {
        if (IsActive)
            dehydrationContext.TryAddValue(StateName, new JetonState(remembered!, identification, identite));
    }

    public void OnRehydrate(IRehydrationContext rehydrationContext)
    {
        if (rehydrationContext.TryGetValue<JetonState>(StateName, out var state) && state is not null)
            (remembered, rememberedUntil, identification, identite) = (state.Reply, state.Reply.Introspection!.ExpiresAt, state.Identification, state.Identite);
    }

    public Task<JetonReply> Introspect(string token, CancellationToken cancellationToken) => Checktoken(token, cancellationToken);

    public async Task<IdentiteReply> Identify(
        string token, string? rejectedFamille, string? convention, CancellationToken cancellationToken)
    {
        var answer = await Checktoken(token, cancellationToken);
        if (answer.Outcome is not JetonOutcome.Active)
            return new() { Outcome = ToIdentite(answer.Outcome) };

        if (identite is { GivenAt: { } givenAt } && ordres.IsForgotten(givenAt))
            identite = null;
        if (identite is { } known && (rejectedFamille is null || known.Famille != rejectedFamille))
            return known;

        if (identification is not { } request)
            return new() { Outcome = IdentiteOutcome.NotAttached };

        var reply = await GrainFactory
            .GetGrain<IIdentiteGrain>(identiteKeys.Of(request))
            .Identify(request, rejectedFamille, convention, answer.Introspection?.ExpiresAt, cancellationToken);
        identite = reply.Outcome is IdentiteOutcome.Resolved ? reply : null;
        return reply;
    }

    private bool IsActive => remembered?.Introspection is { } introspection && time.GetUtcNow() < introspection.ExpiresAt;

    private async Task<JetonReply> Checktoken(string token, CancellationToken cancellationToken)
    {
        if (JetonKey.Of(token) != this.GetPrimaryKeyString())
            throw new ArgumentException("The token is not the one this grain is named after.", nameof(token));

        if (remembered is { } answer)
        {
            // An active token that has ended needs no second opinion.
            var now = time.GetUtcNow();
            if (answer.Introspection is { } introspection)
                return now < introspection.ExpiresAt ? Hit(answer) : new() { Outcome = JetonOutcome.Inactive };
            if (now < rememberedUntil)
                return Hit(answer);
        }

        return await (asking ??= Ask(token)).WaitAsync(cancellationToken);
    }

    private async Task<JetonReply> Ask(string token)
    {
        // The caller must find the task in `asking` before any of this runs.
        await Task.Yield();
        try
        {
            var answer = await franceConnect.Checktoken(token, CancellationToken.None);
            Telemetry.CacheReads.Add(1, new("part", "jeton"), new("outcome", nameof(CacheOutcome.Miss)));
            var reply = new JetonReply { Outcome = answer.Outcome, Introspection = answer.Introspection };
            identification = answer.Identite is { } pivot ? Normalisation.ToRequest(pivot) : null;
            remembered = answer.Outcome is JetonOutcome.Active or JetonOutcome.Inactive ? reply : null;
            rememberedUntil = answer.Introspection?.ExpiresAt ?? time.GetUtcNow() + InactiveKeptFor;
            if (remembered is not null)
                GoWhenItEnds();
            return reply;
        }
        finally
        {
            asking = null;
        }
    }

    private void GoWhenItEnds() => this.RegisterGrainTimer(
        static (grain, _) =>
        {
            grain.DeactivateOnIdle();
            return Task.CompletedTask;
        },
        this,
        TimeSpan.FromTicks(Math.Clamp((rememberedUntil - time.GetUtcNow()).Ticks, 0, LongestTimer.Ticks)),
        Timeout.InfiniteTimeSpan);

    private static JetonReply Hit(JetonReply answer)
    {
        Telemetry.CacheReads.Add(1, new("part", "jeton"), new("outcome", nameof(CacheOutcome.Hit)));
        return answer;
    }

    private static IdentiteOutcome ToIdentite(JetonOutcome outcome) => outcome switch
    {
        JetonOutcome.Inactive => IdentiteOutcome.JetonInactive,
        JetonOutcome.FranceConnectTooSlow => IdentiteOutcome.FranceConnectTooSlow,
        _ => IdentiteOutcome.FranceConnectUnusable,
    };
}

/// <summary>A token on its way to another silo: what is known of it, and not the token.</summary>
/// <param name="Reply">Of an active token.</param>
/// <param name="Identification">What the régime SI is asked about its user; null when it lacks what the SI needs.</param>
/// <param name="Identite">What the SI said, if it was asked.</param>
[GenerateSerializer, Immutable, Alias("droits.jeton-state")]
internal sealed record JetonState(
    [property: Id(0)] JetonReply Reply,
    [property: Id(1)] IdentificationRequest? Identification,
    [property: Id(2)] IdentiteReply? Identite);
