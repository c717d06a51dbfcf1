using System.Diagnostics;
using System.Text.Json;
using DroitsAmeli.Grains.Droits;
using DroitsAmeli.Grains.Exploitation;
using DroitsAmeli.Grains.RegimeSi;

namespace DroitsAmeli.Grains.Familles;

/// <summary>A family that is being read: its decoded parts, and what is answered from them.</summary>
/// <remarks>Belongs to a grain: single-threaded, interleaved at awaits.</remarks>
internal sealed class LiveFamille
{
    private const int MostReads = 3;
    private static readonly TimeSpan JustLoaded = TimeSpan.FromSeconds(5);

    private readonly Dictionary<Nir, Part<EncodedDroits>> droits = [];
    private readonly FamilleDependencies with;
    private readonly PartContext context;
    private readonly string famille;
    private readonly Part<Composition> composition;
    private long lastRead;
    private long membersOf;

    /// <param name="grain">The grain it belongs to.</param>
    /// <param name="famille">The SI's family id.</param>
    /// <param name="with">What all families use.</param>
    public LiveFamille(GrainId grain, string famille, FamilleDependencies with)
    {
        (this.famille, this.with) = (famille, with);
        context = new(grain, with.Freshness, with.Time, with.Ordres);
        composition = new(
            new(
                "composition",
                (held, least, demand) => with.Si.GetComposition(famille, held, least, CancellationToken.None, demand),
                value => value.Version,
                Changes.Next),
            context);
        context.OnForgotten = (_, _) => ForgetVersion();
        lastRead = with.Time.GetTimestamp();
    }

    /// <summary>Versions, and what the parts share.</summary>
    public PartContext Context => context;

    /// <summary>Time since the last read.</summary>
    public TimeSpan Idle => with.Time.GetElapsedTime(lastRead);

    /// <summary>Ends, without an exception, when the loads that run have.</summary>
    public Task Loaded => Task.WhenAll(droits.Values.Select(part => part.Loaded).Append(composition.Loaded));

    /// <summary>True when a snapshot holds all that is worth keeping.</summary>
    public bool IsAtRest => composition.IsAtRest && droits.Values.All(part => part.IsAtRest);

    /// <summary>True when a copy of some part is held.</summary>
    public bool HoldsSomething => composition.Copy is not null || droits.Values.Any(part => part.Copy is not null);

    /// <summary>Takes over what a snapshot holds, but for the parts that are held already or that this build cannot read.</summary>
    /// <param name="snapshot">The snapshot.</param>
    /// <param name="sourceOf">Where a part loaded at that instant came from.</param>
    public void Restore(FamilleSnapshot snapshot, Func<DateTimeOffset, CopySource> sourceOf)
    {
        context.Advance(snapshot.Newest);
        foreach (var part in snapshot.Parts)
        {
            if (part.Nir is null)
            {
                if (part.ReadComposition() is { } family)
                    composition.Restore(CopyOf(part, family, sourceOf(part.LoadedAt)));
            }
            else if (Nir.TryParse(part.Nir, out var nir) && part.ReadDroits() is not null)
            {
                DroitsOf(nir).Restore(CopyOf(part, new EncodedDroits(part.Version, part.Payload.ToArray()), sourceOf(part.LoadedAt)));
            }
        }

        // Nobody's rights outlive the composition that leaves them out.
        membersOf = 0;
        context.IsDirty = false;
    }

    /// <summary>All that is worth keeping; null when there is nothing.</summary>
    public FamilleSnapshot? Snapshot()
    {
        Prune();
        var parts = new List<SnapshotPart>();
        if (composition.Copy is { } family)
            parts.Add(PartOf(null, family, JsonSerializer.SerializeToUtf8Bytes(family.Value, PartJson.Default.Composition)));
        foreach (var (nir, part) in droits)
        {
            if (part.Copy is { } copy)
                parts.Add(PartOf(nir.Value, copy, copy.Value.Payload));
        }

        return parts.Count > 0 ? new(context.Newest, parts) : null;
    }

    /// <summary>The cache state, for an operator.</summary>
    public FamilleState State() => new()
    {
        Newest = context.Newest,
        Parts = [.. droits.Values.Select(part => part.State()).Prepend(composition.State()).OfType<PartState>()],
    };

    /// <summary>True when the SI gave something of it, or confirmed it last, in the order's interval.</summary>
    public bool Holds(Ordre ordre)
    {
        return Concerns(composition.Copy) || droits.Values.Any(part => Concerns(part.Copy));

        bool Concerns<T>(Copy<T>? copy) => copy is not null && ordre.Concerns(copy.LoadedAt, copy.GivenAt);
    }

    /// <summary>Forgets what nobody may be shown any more.</summary>
    public void Prune()
    {
        composition.Prune();
        foreach (var part in droits.Values)
            part.Prune();
    }

    /// <inheritdoc cref="IFamillePrechauffee.WarmUp"/>
    public async Task<WarmUpOutcome> WarmUp()
    {
        var outcome = await composition.WarmUp();
        foreach (var part in droits.Values.ToList())
        {
            if (outcome is WarmUpOutcome.Failed)
                break;
            var rights = await part.WarmUp();
            outcome = rights > outcome ? rights : outcome;
        }

        return outcome;
    }

    /// <summary>Takes note of a version that the SI has announced, and asks for it at once unless many families do.</summary>
    public void Announce(long version)
    {
        context.Announce(version);
        if (!(composition.IsDueByAnnouncement || droits.Values.Any(part => part.IsDueByAnnouncement)) || !with.AnnouncedRefreshes.TryBegin())
            return;
        composition.RefreshAnnounced();
        foreach (var part in droits.Values)
            part.RefreshAnnounced();
    }

    /// <inheritdoc cref="IFamilleGrain.GetBeneficiaires"/>
    public async Task<FamilleReply> GetBeneficiaires(FamilleRequest request, CancellationToken cancellationToken)
    {
        var reader = ReaderOf(request);
        var (read, utilisateur, refusal) = await ReadFor(request, reader, cancellationToken);
        if (refusal is not null)
            return refusal;

        var cache = read.Cache;
        var membres = new List<Membre>();
        foreach (var membre in read.Copy!.Value.OpenedTo(utilisateur!, with.Time.Today(), with.Options.AutresMajeurs))
        {
            var known = membre;
            if (membre.Presences is null && membre.Beneficiaire.Nir is { } nir && droits.TryGetValue(nir, out var part)
                && part.ReadHeld(reader.MaximumAge) is { } held)
            {
                known = membre with { Presences = Presences.Of(held.Value.Decode()) };
                cache = part.StateOf(held).And(cache);
            }

            membres.Add(known);
        }

        return ReplyWith(membres, Ouverture.Utilisateur, cache);
    }

    /// <inheritdoc cref="IFamilleGrain.GetBeneficiaire"/>
    public Task<FamilleReply> GetBeneficiaire(FamilleRequest request, CancellationToken cancellationToken)
    {
        var reader = ReaderOf(request);
        var beside = ReadBeside(request, reader, onlyPresences: true, cancellationToken);
        return UnderOneVersion(() => ReadBeneficiaire(request, reader, Interlocked.Exchange(ref beside, null), cancellationToken));
    }

    /// <inheritdoc cref="IFamilleGrain.GetDroits"/>
    public Task<FamilleReply> GetDroits(FamilleRequest request, CancellationToken cancellationToken)
    {
        var reader = ReaderOf(request);
        var beside = ReadBeside(request, reader, onlyPresences: false, cancellationToken);
        return UnderOneVersion(() => ReadDroits(request, reader, Interlocked.Exchange(ref beside, null), cancellationToken));
    }

    /// <summary>
    /// Reads again when the rights that were read have shown a newer version than the composition that opened them (somebody may have left
    /// the family, or been hidden, in between), and when they are themselves of the past.
    /// </summary>
    private async Task<FamilleReply> UnderOneVersion(Func<Task<(FamilleReply Reply, Copy<EncodedDroits>? Rights)>> read)
    {
        for (var attempt = 0; attempt < MostReads; attempt++)
        {
            var (reply, rights) = await read();
            if (reply.Outcome is not FamilleOutcome.Ok || !composition.IsSuperseded && (rights is null || rights.CurrentAt >= context.Newest))
                return reply;
        }

        return Failure(SiStatus.Unavailable, null);
    }

    private async Task<(FamilleReply Reply, Copy<EncodedDroits>? Rights)> ReadBeneficiaire(
        FamilleRequest request,
        Reader reader,
        Task<PartRead<EncodedDroits>>? beside,
        CancellationToken cancellationToken)
    {
        var (read, utilisateur, refusal) = await ReadFor(request, reader, cancellationToken);
        if (refusal is not null)
            return (refusal, null);
        if (FindOpened(request, read.Copy!.Value, utilisateur!) is not ({ } membre, var ouverture))
            return (new() { Outcome = FamilleOutcome.BeneficiaireInconnu }, null);

        var cache = read.Cache;
        Copy<EncodedDroits>? used = null;
        if (membre.Presences is null)
        {
            var rights = await ReadRights(membre, reader, beside, cancellationToken);
            if (rights.Copy is { } copy)
            {
                used = copy;
                membre = membre with { Presences = Presences.Of(copy.Value.Decode()) };
                cache = rights.Cache!.And(cache);
            }
        }

        return (ReplyWith([membre], ouverture, cache), used);
    }

    private async Task<(FamilleReply Reply, Copy<EncodedDroits>? Rights)> ReadDroits(
        FamilleRequest request,
        Reader reader,
        Task<PartRead<EncodedDroits>>? beside,
        CancellationToken cancellationToken)
    {
        var (read, utilisateur, refusal) = await ReadFor(request, reader, cancellationToken);
        if (refusal is not null)
            return (refusal, null);
        if (FindOpened(request, read.Copy!.Value, utilisateur!) is not ({ } membre, var ouverture))
            return (new() { Outcome = FamilleOutcome.BeneficiaireInconnu }, null);

        var rights = await ReadRights(membre, reader, beside, cancellationToken);
        if (rights.Status is SiStatus.NotFound or SiStatus.Gone)
        {
            // The SI no longer knows this member here: so the composition we hold may be of the past as well.
            var again = await ReadFor(request, reader, cancellationToken, newerThan: rights.RefusedAt);
            return (again.Refusal ?? new() { Outcome = FamilleOutcome.BeneficiaireInconnu }, null);
        }

        if (rights.Copy is not { } copy)
            return (Failure(rights.Status, rights.RetryAfter), null);
        var reply = new FamilleReply
        {
            Outcome = FamilleOutcome.Ok,
            Payload = copy.Value.Payload,
            Ouverture = ouverture,
            Cache = rights.Cache!,
        };
        return (reply, copy);
    }

    /// <summary>
    /// Begins to read rights beside a composition that has to be waited for: those that the held one opens, and without one that may be shown the
    /// user's own. Whether they are shown, the composition decides.
    /// </summary>
    private Task<PartRead<EncodedDroits>>? ReadBeside(FamilleRequest request, Reader reader, bool onlyPresences, CancellationToken cancellationToken)
    {
        composition.Prune();
        if (!composition.WaitsForSi(reader.MaximumAge))
            return null;

        var nir = request.Beneficiaire ?? request.Utilisateur;
        var isNeeded = composition.Held(reader.MaximumAge) is { Value: var family }
            ? family.Find(request.Utilisateur) is { } utilisateur
                && FindOpened(request, family, utilisateur) is ({ } membre, _) && (!onlyPresences || membre.Presences is null)
            : !onlyPresences && nir == request.Utilisateur;
        if (!isNeeded)
            return null;

        var reading = DroitsOf(nir).Read(reader, null, cancellationToken);
        reading.Ignore();
        return reading;
    }

    private async Task<PartRead<EncodedDroits>> ReadRights(
        Membre membre,
        Reader reader,
        Task<PartRead<EncodedDroits>>? beside,
        CancellationToken cancellationToken)
    {
        // What was refused beside the composition is asked once more: a newer composition may have ended that refusal.
        if (beside is not null && await beside is { Copy: not null } read)
            return read;
        return await DroitsOf(membre.Beneficiaire.Nir!).Read(reader, null, cancellationToken);
    }

    private async Task<(PartRead<Composition> Read, Membre? Utilisateur, FamilleReply? Refusal)> ReadFor(
        FamilleRequest request,
        Reader reader,
        CancellationToken cancellationToken,
        DateTimeOffset? newerThan = null)
    {
        lastRead = with.Time.GetTimestamp();
        var askedAt = with.Time.GetUtcNow();

        var cold = composition.IsCold;
        var reading = composition.Read(reader, newerThan, cancellationToken);

        // A partner that asks who the user is will ask for the user's rights within seconds.
        if (cold)
            DroitsOf(request.Utilisateur).LoadAhead(reader.Demand);

        var read = await reading;
        if (read.Copy is { } copy && copy.Value.Find(request.Utilisateur) is null && copy.LoadedAt < askedAt - JustLoaded)
            read = await composition.Read(reader, askedAt, cancellationToken);

        if (read.Copy is not { Value: var family })
        {
            if (read.Status is SiStatus.NotFound or SiStatus.Gone)
                ForgetRights(_ => false);
            return (read, null, Failure(read.Status, read.RetryAfter));
        }

        if (read.Copy.Version > membersOf && !composition.IsSuperseded)
        {
            ForgetRights(nir => family.Find(nir) is not null);
            membersOf = read.Copy.Version;
        }

        if (family.Find(request.Utilisateur) is not { } utilisateur)
            return (read, null, new() { Outcome = FamilleOutcome.UtilisateurAbsent });
        return utilisateur.DateDeces is null
            ? (read, utilisateur, null)
            : (read, null, new() { Outcome = FamilleOutcome.UtilisateurDecede });
    }

    // A version that only what is forgotten has shown may be as wrong, and so may all that was judged by it.
    private void ForgetVersion()
    {
        if (context.Announced >= context.Newest || composition.HasShown(context.Newest) || droits.Values.Any(part => part.HasShown(context.Newest)))
            return;

        composition.Forget();
        foreach (var part in droits.Values)
            part.Forget();
        membersOf = 0;
        context.ForgetShown();
    }

    // Health data of somebody who is not of this family is not kept.
    private void ForgetRights(Func<Nir, bool> unless)
    {
        foreach (var (nir, part) in droits)
        {
            if (unless(nir))
                continue;
            droits.Remove(nir);
            context.IsDirty |= part.Copy is not null;
        }
    }

    private (Membre Membre, Ouverture Ouverture)? FindOpened(FamilleRequest request, Composition family, Membre utilisateur)
    {
        var membre = request.Beneficiaire is { } nir ? family.Find(nir) : utilisateur;
        return membre?.OuvertureTo(utilisateur, with.Time.Today(), with.Options.AutresMajeurs) is { } ouverture and not Ouverture.Fermee
            ? (membre, ouverture)
            : null;
    }

    private Part<EncodedDroits> DroitsOf(Nir nir)
    {
        if (!droits.TryGetValue(nir, out var part))
        {
            part = new(
                new(
                    "droits",
                    async (held, least, demand) => EncodedDroits.Of(
                        await with.Si.GetDroits(famille, nir, held, least, CancellationToken.None, demand)),
                    value => value.Version,
                    (value, after) => Changes.Next(value.Decode(), after)),
                context);
            droits.Add(nir, part);
        }

        return part;
    }

    private Reader ReaderOf(FamilleRequest request) => new(
        with.Freshness.MaximumAge(request.MaximumAge),
        new(SiPriority.Present, request.Convention, request.JetonExpiresAt, request.IsFirst),
        with.Time.GetTimestamp());

    private static Copy<T> CopyOf<T>(SnapshotPart part, T value, CopySource source) =>
        new(value, part.Version, part.CurrentAt, part.LoadedAt, part.FreshUntil, source) { GivenAt = part.GivenAt };

    private static SnapshotPart PartOf<T>(string? nir, Copy<T> copy, ReadOnlyMemory<byte> payload) =>
        new(nir, copy.Version, copy.CurrentAt, copy.LoadedAt, copy.FreshUntil, payload) { GivenAt = copy.GivenAt };

    private static FamilleReply ReplyWith(IReadOnlyList<Membre> membres, Ouverture ouverture, CacheState? cache) => new()
    {
        Outcome = FamilleOutcome.Ok,
        Payload = JsonSerializer.SerializeToUtf8Bytes([.. membres.Select(WithoutMarks)], PartJson.Default.MembreArray),
        Ouverture = ouverture,
        Cache = cache,
    };

    private static Membre WithoutMarks(Membre membre) => new() { Beneficiaire = membre.Beneficiaire, Presences = membre.Presences };

    private static FamilleReply Failure(SiStatus status, TimeSpan? retryAfter) => new()
    {
        Outcome = status switch
        {
            SiStatus.NotFound or SiStatus.Gone => FamilleOutcome.FamilleGone,
            SiStatus.TooSlow => FamilleOutcome.SiTooSlow,
            SiStatus.Unavailable => FamilleOutcome.SiUnavailable,
            _ => throw new UnreachableException(status.ToString()),
        },
        RetryAfter = retryAfter,
    };
}

/// <summary>One beneficiary's rights as the bytes that travel.</summary>
internal sealed record EncodedDroits(long Version, byte[] Payload)
{
    public static SiAnswer<EncodedDroits> Of(SiAnswer<DroitsBeneficiaire> answer) => new(
        answer.Status,
        answer.Value is { } value
            ? new(value.Version, JsonSerializer.SerializeToUtf8Bytes(value, PartJson.Default.DroitsBeneficiaire))
            : null,
        answer.ReceivedAt,
        answer.RetryAfter,
        answer.Asked);

    public DroitsBeneficiaire Decode() => PartJson.ReadDroits(Payload);
}
