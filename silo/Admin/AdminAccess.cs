using System.Globalization;

namespace DroitsAmeli.Silo.Admin;

/// <summary>Who may act. Everything below <c>/admin</c> passes here, paths that do not exist included.</summary>
internal static class AdminAccess
{
    private sealed record Caller(string Operator);

    /// <summary>The operator whom the middleware has let in.</summary>
    public static string Operator(this HttpContext context) =>
        context.Features.Get<Caller>()?.Operator ?? throw new InvalidOperationException("UseOperators is missing from the pipeline.");

    /// <summary>Lets operators in, and turns what they cannot be answered into problems.</summary>
    public static void UseOperators(this IApplicationBuilder app) => app.Use(static async (context, next) =>
    {
        context.Response.Headers.CacheControl = "no-store";
        var services = context.RequestServices;
        var log = services.GetRequiredService<ActionLog>();
        if (Enter(context, services.GetRequiredService<AdminKeys>(), services.GetRequiredService<AdminAttempts>(), log) is { } refusal)
        {
            await refusal.ExecuteAsync(context);
            return;
        }

        await Answer(context, next, log);
    });

    private static IResult? Enter(HttpContext context, AdminKeys keys, AdminAttempts attempts, ActionLog log)
    {
        var address = context.Connection.RemoteIpAddress;
        if (attempts.Wait(address) is { } wait)
        {
            context.Response.Headers.RetryAfter = Math.Ceiling(wait.TotalSeconds).ToString(CultureInfo.InvariantCulture);
            return AdminAnswers.Problem(429, "Trop d'essais", "Trop de clés refusées depuis cette adresse : attendez le délai de Retry-After.");
        }

        if (!keys.AreConfigured)
        {
            Refuse("no operator's key is configured");
            return AdminAnswers.Problem(403, "Aucun opérateur", "Admin:KeysSha256 n'est pas configuré : aucune action n'est permise.");
        }

        if (keys.Find(context.Request.Headers) is not { } name)
        {
            Refuse(context.Request.Headers.ContainsKey(AdminKeys.Header) ? "wrong key" : "no key");
            return AdminAnswers.Problem(401, "Clé d'opérateur refusée", $"L'en-tête {AdminKeys.Header} doit porter la clé d'un opérateur.");
        }

        context.Features.Set(new Caller(name));
        return null;

        void Refuse(string reason)
        {
            var last = attempts.Failed(address);
            log.Refused(address?.ToString(), last ? reason + "; the address has to wait" : reason);
        }
    }

    private static async Task Answer(HttpContext context, RequestDelegate next, ActionLog log)
    {
        // A path that does not exist is written as it was asked, and may hold anything.
        var path = context.GetEndpoint() is RouteEndpoint route ? route.RoutePattern.RawText ?? "" : "an unknown path";
        try
        {
            await next(context);
            if (!context.Response.HasStarted && context.Response.StatusCode is 404 or 405 && context.Response.ContentLength is null or 0)
                await Unknown(context.Response.StatusCode).ExecuteAsync(context);
        }
        catch (BodyRefused refused)
        {
            log.Unusable(context.Operator(), path, refused.Status);
            await AdminAnswers.Problem(refused.Status, "Demande inutilisable", refused.Message).ExecuteAsync(context);
        }
        catch (BadHttpRequestException refused)
        {
            log.Unusable(context.Operator(), path, refused.StatusCode);
            await AdminAnswers.Problem(refused.StatusCode, "Demande inutilisable", "La requête HTTP n'a pas pu être lue.").ExecuteAsync(context);
        }
        catch (Exception exception) when (!context.RequestAborted.IsCancellationRequested && !context.Response.HasStarted)
        {
            // The texts of Orleans' exceptions hold grain keys.
            log.Failed(context.Operator(), path, exception.GetType().Name);
            await AdminAnswers.Problem(500, "Action interrompue", "L'action n'a pas abouti ; elle peut être répétée telle quelle.").ExecuteAsync(context);
        }
    }

    private static IResult Unknown(int status) => status == 404
        ? AdminAnswers.Problem(404, "Chemin inconnu", "Aucune action d'exploitation ne porte ce chemin.")
        : AdminAnswers.Problem(405, "Méthode refusée", "Cette action ne se fait pas avec cette méthode.");
}
