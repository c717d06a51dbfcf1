using System.Globalization;

namespace DroitsAmeli.Api.Callers;

/// <summary>Who calls, as far as the API key tells.</summary>
/// <param name="Refusal">Why the call ends here; null for a convention that is eligible.</param>
/// <param name="Convention">The convention, when it is eligible.</param>
/// <param name="Quota">What is left of the convention's quota; null when the key is unknown.</param>
public sealed record Caller(Problem? Refusal, Convention? Convention, QuotaDecision? Quota)
{
    /// <summary>When the call came in, a timestamp of the <see cref="TimeProvider"/>: what is left of its deadline counts from here.</summary>
    public long ReceivedAt { get; init; }
}

/// <summary>
/// Looks the API key up and counts the call against the quota, before anything else is judged: every call with a known key counts, and
/// every answer to it carries <c>RateLimit-*</c>. It refuses nothing itself: the contract has checks that come first.
/// </summary>
public static class CallerMiddleware
{
    /// <summary>Knows the caller of every path; one without a key costs nothing.</summary>
    public static IApplicationBuilder UseCallers(this IApplicationBuilder app) => app.Use(static async (context, next) =>
    {
        var services = context.RequestServices;
        var receivedAt = services.GetRequiredService<TimeProvider>().GetTimestamp();
        var caller = await Read(context, services.GetRequiredService<ConventionDirectory>(), services.GetRequiredService<QuotaCounter>());
        context.Features.Set(caller with { ReceivedAt = receivedAt });
        await next(context);
    });

    /// <summary>The caller that the middleware has read.</summary>
    public static Caller Caller(this HttpContext context) =>
        context.Features.Get<Caller>() ?? throw new InvalidOperationException("UseCallers is missing from the pipeline.");

    private static async Task<Caller> Read(HttpContext context, ConventionDirectory conventions, QuotaCounter quota)
    {
        var key = ApiKey.Read(context.Request.Headers);
        if (key.State is not CredentialState.Given)
            return new(key.State is CredentialState.Absent ? Problems.CleApiAbsente : Problems.CleApiInvalide, null, null);

        var found = conventions.Find(key.Value!);
        if (found.Partner is not { } partner)
            return new(Problems.CleApiInvalide, null, null);

        var counted = await quota.Count(partner, context.RequestAborted);
        Declare(context.Response.Headers, counted);
        return found.Result is ConventionLookupResult.Eligible
            ? new(null, found.Convention, counted)
            : new(Problems.ConventionNonEligible, null, counted);
    }

    private static void Declare(IHeaderDictionary headers, QuotaDecision quota)
    {
        if (quota.Limit is not { } limit)
            return;
        headers["RateLimit-Limit"] = limit.ToString(CultureInfo.InvariantCulture);
        headers["RateLimit-Remaining"] = quota.Remaining.GetValueOrDefault().ToString(CultureInfo.InvariantCulture);
        headers["RateLimit-Reset"] = quota.ResetSeconds.GetValueOrDefault().ToString(CultureInfo.InvariantCulture);
    }
}
