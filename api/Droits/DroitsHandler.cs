using DroitsAmeli.Api.Callers;
using DroitsAmeli.Grains;
using DroitsAmeli.Grains.Droits;
using DroitsAmeli.Grains.Familles;
using DroitsAmeli.Grains.FranceConnect;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Options;
using Microsoft.Extensions.Primitives;

namespace DroitsAmeli.Api.Droits;

/// <summary>
/// One call of one resource: the checks of the contract in its order, the first failure answers; then the read, the view, and the mask.
/// </summary>
public sealed class DroitsHandler(
    IClusterClient cluster,
    GrainCalls grains,
    Admission admission,
    Problems problems,
    FranceConnectChecks franceConnect,
    IOptions<ApiOptions> options,
    TimeProvider time)
{
    private static readonly TimeSpan AnswerMargin = TimeSpan.FromMilliseconds(250);

    private readonly TimeSpan budget = TimeSpan.FromSeconds(options.Value.DeadlineSeconds) - AnswerMargin;

    /// <summary>Answers a call, within the deadline, with the whole resource or with one problem.</summary>
    public async Task Answer(HttpContext context, Ressource ressource)
    {
        var left = budget - time.GetElapsedTime(context.Caller().ReceivedAt);
        using var deadline = new CancellationTokenSource(left > TimeSpan.Zero ? left : TimeSpan.Zero, time);
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(deadline.Token, context.RequestAborted);
        try
        {
            var answer = await Resolve(context, ressource, ending.Token);
            if (answer.Problem is { } problem)
                await Problems.Write(context, problem);
            else
                await Write(context, answer);
        }
        catch (OperationCanceledException) when (context.RequestAborted.IsCancellationRequested)
        {
            context.Abort();
        }
        catch (OperationCanceledException) when (deadline.IsCancellationRequested)
        {
            await Problems.Write(context, Problems.DelaiDepasse);
        }
    }

    private async Task<Answered> Resolve(HttpContext context, Ressource ressource, CancellationToken ending)
    {
        if (context.Features.Get<IHttpRequestBodyDetectionFeature>()?.CanHaveBody is true)
        {
            context.Response.Headers.Connection = "close";
            return Problems.CorpsRefuse;
        }

        var caller = context.Caller();
        if (caller.Refusal is { } refusedCaller)
            return refusedCaller;
        var convention = caller.Convention!;

        var bearer = BearerToken.Read(context.Request.Headers);
        if (bearer.State is not CredentialState.Given)
            return bearer.State is CredentialState.Absent ? Problems.JetonAbsent : Problems.JetonInvalide;
        if (caller.Quota is { Allowed: false, RetryAfter: var retryAfter })
            return Problems.QuotaDepasse(retryAfter ?? TimeSpan.FromSeconds(1));
        if (MaskingPolicy.IsReserved(convention, ressource))
            return Problems.DonneeReservee;

        if (!TryReadPlage(context.Request.Query, out var plage, out var blamed))
            return Problems.DateInvalide(blamed);
        Nir? nir = null;
        if (ressource is not (Ressource.Me or Ressource.MeBeneficiaires) && ReadNir(context.Request.Headers["nir"], out nir) is { } refusedNir)
            return refusedNir;

        using var entry = admission.TryEnter(convention.Id);
        if (entry is null)
            return Problems.ServiceSature;

        var token = bearer.Value!;
        var jeton = cluster.GetGrain<IJetonGrain>(JetonKey.Of(token));
        var reply = await grains.Call(static (call, cancellation) => call.jeton.Introspect(call.token, cancellation), (jeton, token), ending);
        if (franceConnect.Refuse(reply, convention, ressource, out var scopes) is { } refusedToken)
            return refusedToken;

        var call = new Call(convention, ressource, scopes, plage!, nir, jeton, token, reply.Introspection!.ExpiresAt);
        return await ReadAsUser(call, rejectedFamille: null, ending);
    }

    private async Task<Answered> ReadAsUser(Call call, string? rejectedFamille, CancellationToken ending)
    {
        var identite = await grains.Call(
            static (state, cancellation) => state.call.Jeton.Identify(
                state.call.Token, state.rejectedFamille, state.call.Convention.Id, cancellation),
            (call, rejectedFamille),
            ending);
        if (problems.Of(identite) is { } refused)
            return refused;

        if (call.Nir is not null && call.Nir != identite.Nir && !call.Scopes.MayAskForOthers)
            return Problems.ScopeInsuffisant;

        var reply = await Read(call, identite, ending);

        // The family is no longer the user's: identify again before answering, once.
        if (reply.Outcome is FamilleOutcome.FamilleGone or FamilleOutcome.UtilisateurAbsent && rejectedFamille is null)
            return await ReadAsUser(call, identite.Famille, ending);

        return problems.Of(reply) is { } problem ? problem : Render(call, reply);
    }

    private async Task<FamilleReply> Read(Call call, IdentiteReply identite, CancellationToken ending)
    {
        var famille = cluster.GetGrain<IFamilleGrain>(FamilleKey.Of(identite.Famille!));
        var request = new FamilleRequest
        {
            Utilisateur = identite.Nir!,
            Beneficiaire = call.Nir,
            MaximumAge = call.Convention.AgeMaximal,
            Convention = call.Convention.Id,
            JetonExpiresAt = call.JetonExpiresAt,
            IsFirst = !identite.Asked,
        };
        return await grains.Call(
            static (state, cancellation) => state.ressource switch
            {
                Ressource.MeBeneficiaires => state.famille.GetBeneficiaires(state.request, cancellation),
                Ressource.Me or Ressource.Beneficiaire => state.famille.GetBeneficiaire(state.request, cancellation),
                _ => state.famille.GetDroits(state.request, cancellation),
            },
            (famille, request, ressource: call.Ressource),
            ending);
    }

    private static Answered Render(Call call, FamilleReply reply)
    {
        var view = View.Of(call.Convention, call.Scopes, reply.Ouverture);
        var (plage, payload) = (call.Plage, reply.Payload);
        switch (call.Ressource)
        {
            case Ressource.MeBeneficiaires:
                return Ok(MaskingPolicy.Render(view, [.. PartJson.ReadMembres(payload).Select(membre => PlageFilter.Beneficiaire(membre, plage))]));
            case Ressource.Me or Ressource.Beneficiaire:
                return Ok(MaskingPolicy.Render(view, PlageFilter.Beneficiaire(PartJson.ReadMembres(payload)[0], plage)));
            case Ressource.Caisse:
                return Ok(MaskingPolicy.Render(view, PlageFilter.Caisse(PartJson.ReadDroits(payload)) ?? new Caisse()));
            case Ressource.Contrats:
                return Ok(MaskingPolicy.Render(view, PlageFilter.Contrats(PartJson.ReadDroits(payload), plage)));
            case Ressource.Exonerations:
                return Ok(MaskingPolicy.Render(view, PlageFilter.Exonerations(PartJson.ReadDroits(payload), plage)));
            default:
                return PlageFilter.MedecinTraitant(PartJson.ReadDroits(payload), plage) is { } medecin
                    ? Ok(MaskingPolicy.Render(view, medecin))
                    : Problems.MedecinTraitantAbsent;
        }

        Answered Ok(byte[] body) => new(null, body, reply.Cache!, call.Convention.Type);
    }

    private bool TryReadPlage(IQueryCollection query, out PlageRecherche? plage, out string blamed)
    {
        plage = null;
        foreach (var name in (ReadOnlySpan<string>)["dateDebut", "dateFin"])
        {
            if (query[name].Count > 1)
            {
                blamed = name;
                return false;
            }
        }

        var valid = PlageRecherche.TryCreate(query["dateDebut"], query["dateFin"], time.GetUtcNow(), out plage, out var parametre);
        blamed = parametre ?? "";
        return valid;
    }

    private static Problem? ReadNir(StringValues header, out Nir? nir)
    {
        nir = null;
        if (header.All(string.IsNullOrWhiteSpace))
            return Problems.NirAbsent;
        return header.Count == 1 && Nir.TryParse(header[0], out nir) ? null : Problems.NirInvalide;
    }

    private static async Task Write(HttpContext context, Answered answer)
    {
        var response = context.Response;
        response.ContentType = "application/json";
        response.ContentLength = answer.Body!.Length;
        response.Headers.CacheControl = "no-store";
        AnswerHeaders.Declare(response.Headers, answer.Cache!, answer.CallerType);
        Telemetry.Answers.Add(1, new("status", 200), new("code", "ok"));
        await response.Body.WriteAsync(answer.Body, context.RequestAborted);
    }

    private sealed record Call(
        Convention Convention,
        Ressource Ressource,
        Scopes Scopes,
        PlageRecherche Plage,
        Nir? Nir,
        IJetonGrain Jeton,
        string Token,
        DateTimeOffset JetonExpiresAt);

    private sealed record Answered(Problem? Problem, byte[]? Body = null, CacheState? Cache = null, CallerType CallerType = default)
    {
        public static implicit operator Answered(Problem problem) => new(problem);
    }
}
