using DroitsAmeli.Grains.Exploitation;
using DroitsAmeli.Grains.RegimeSi;
using Microsoft.Extensions.Options;

namespace DroitsAmeli.Silo.Admin;

/// <summary>
/// The operator's hands on the cache, on the admin port. Ids stand in bodies, never in a URL; each action is logged with who asked, what, and
/// how much it concerned. An action that has begun goes on when its caller hangs up.
/// </summary>
public static class AdminEndpoints
{
    private const string Root = "/admin";

    /// <summary>Validates <c>Admin:*</c> at start, and registers what the endpoints need.</summary>
    public static IServiceCollection AddAdmin(this IServiceCollection services, IConfiguration configuration)
    {
        services.AddOptions<AdminOptions>()
            .Configure(options => options.KeysSha256 = AdminOptions.Read(configuration))
            .ValidateOnStart();
        services.AddSingleton<IValidateOptions<AdminOptions>, Validator>();
        services.AddSingleton<AdminKeys>();
        services.AddSingleton<AdminAttempts>();
        services.AddSingleton<ActionLog>();
        services.AddSingleton<SiloLoads>();
        return services;
    }

    /// <summary>Maps <c>/admin/*</c>, all of it behind the operator's key.</summary>
    public static void MapAdmin(this WebApplication app)
    {
        app.UseWhen(context => context.Request.Path.StartsWithSegments(Root), branch => branch.UseOperators());
        var admin = app.MapGroup(Root);
        admin.MapGet("/silos", GetSilos);
        admin.MapPost("/familles/etat", Look);
        admin.MapPost("/familles/perimer", MakeStale);
        admin.MapPost("/familles/oublier", Forget);
        admin.MapPost("/perimer-tout", MakeEverythingStale);
        admin.MapPost("/quarantaine", Quarantine);
        admin.MapPost("/prechauffage", StartWarmUp);
        admin.MapGet("/prechauffage", GetWarmUp);
        admin.MapDelete("/prechauffage", StopWarmUp);
    }

    private static async Task<IResult> GetSilos(HttpContext context, SiloLoads loads) =>
        AdminAnswers.Ok(GrappeAnswer.Of(await loads.Read(context.RequestAborted)));

    private static async Task<IResult> Look(HttpContext context, Operations operations, ActionLog log, TimeProvider time)
    {
        var famille = await ReadFamille(context);
        var look = await operations.Look(famille, context.RequestAborted);
        log.Looked(context.Operator(), famille, look);
        return AdminAnswers.Ok(EtatAnswer.Of(look, time.GetUtcNow()));
    }

    private static async Task<IResult> MakeStale(HttpContext context, Operations operations, ActionLog log)
    {
        var famille = await ReadFamille(context);
        var report = await operations.MakeStale(famille, CancellationToken.None);
        log.Done(context.Operator(), "perimer", log.Reference(famille), report);
        return AdminAnswers.Ok(OrdreAnswer.Of(report));
    }

    private static async Task<IResult> Forget(HttpContext context, Operations operations, ActionLog log)
    {
        var famille = await ReadFamille(context);
        var report = await operations.Forget(famille, CancellationToken.None);
        log.Done(context.Operator(), "oublier", log.Reference(famille), report);
        return AdminAnswers.Ok(OubliAnswer.Of(report));
    }

    private static async Task<IResult> MakeEverythingStale(HttpContext context, Operations operations, ActionLog log)
    {
        var body = await AdminBodies.Read<EtalementBody>(context.Request, """{ "etalement_minutes": 15 }""");
        var spread = body.Valid(OperatorOrdres.LongestSpread);
        var report = await operations.MakeEverythingStale(spread, CancellationToken.None);
        log.Done(context.Operator(), "perimer-tout", $"over {spread.TotalMinutes:0.##} min", report);
        return AdminAnswers.Ok(OrdreAnswer.Of(report));
    }

    private static async Task<IResult> Quarantine(HttpContext context, Operations operations, ActionLog log, TimeProvider time)
    {
        var body = await AdminBodies.Read<IntervalleBody>(
            context.Request, """{ "de": "2026-11-23T08:00:00+01:00", "a": "2026-11-23T09:30:00+01:00" }""");
        var (from, to) = body.Valid();
        if (OperatorOrdres.Refuse(from, to, time.GetUtcNow()) is { } refusal)
            throw new BodyRefused(StatusCodes.Status400BadRequest, refusal);
        var report = await operations.Quarantine(from, to, CancellationToken.None);
        log.Done(context.Operator(), "quarantaine", $"{from.UtcDateTime:O} to {to.UtcDateTime:O}", report);
        return AdminAnswers.Ok(OubliAnswer.Of(report));
    }

    private static async Task<IResult> StartWarmUp(
        HttpContext context, Operations operations, ActionLog log, IGrainFactory grains, IOptions<RegimeSiOptions> si)
    {
        var body = await AdminBodies.Read<RythmeBody>(context.Request, """{ "par_seconde": 5 }""");
        var rate = body.Valid(Prechauffage.HighestRate(si.Value));
        if (!operations.StoresFamilles)
        {
            return AdminAnswers.Problem(
                StatusCodes.Status409Conflict, "Rien n'est stocké", "Sans Storage:ConnectionString aucune famille n'est stockée : il n'y a rien à préchauffer.");
        }

        var state = await Grain(grains).Start(rate);
        log.WarmedUp(context.Operator(), "start", state);
        return AdminAnswers.Ok(PrechauffageAnswer.Of(state));
    }

    private static async Task<IResult> GetWarmUp(HttpContext context, ActionLog log, IGrainFactory grains)
    {
        var state = await Grain(grains).GetState();
        log.WarmedUp(context.Operator(), "look", state);
        return AdminAnswers.Ok(PrechauffageAnswer.Of(state));
    }

    private static async Task<IResult> StopWarmUp(HttpContext context, ActionLog log, IGrainFactory grains)
    {
        var state = await Grain(grains).Stop();
        log.WarmedUp(context.Operator(), "stop", state);
        return AdminAnswers.Ok(PrechauffageAnswer.Of(state));
    }

    private static IPrechauffageGrain Grain(IGrainFactory grains) => grains.GetGrain<IPrechauffageGrain>(IPrechauffageGrain.Key);

    private static async Task<string> ReadFamille(HttpContext context) =>
        (await AdminBodies.Read<FamilleBody>(context.Request, """{ "famille": "<identifiant chez le régime SI>" }""")).Valid();

    private sealed class Validator : IValidateOptions<AdminOptions>
    {
        public ValidateOptionsResult Validate(string? name, AdminOptions options) =>
            options.Faults().ToList() is { Count: > 0 } faults ? ValidateOptionsResult.Fail(faults) : ValidateOptionsResult.Success;
    }
}
