namespace DroitsAmeli.Api;

/// <summary>
/// The identifier that every answer carries. A caller's own is taken over when it is a UUID, and only then: it will stand in logs, where
/// nothing a caller writes freely may stand.
/// </summary>
public static class CorrelationId
{
    public const string HeaderName = "X-Correlation-Id";

    private static readonly object Key = new();

    /// <summary>The identifier of this call.</summary>
    public static string Of(HttpContext context)
    {
        if (context.Items.TryGetValue(Key, out var known))
            return (string)known!;

        var id = Guid.TryParseExact(context.Request.Headers[HeaderName], "D", out var theirs) ? theirs : Guid.NewGuid();
        var text = id.ToString("D");
        context.Items[Key] = text;
        return text;
    }

    /// <summary>Puts the identifier on every answer.</summary>
    public static IApplicationBuilder UseCorrelationId(this IApplicationBuilder app) => app.Use(static (context, next) =>
    {
        context.Response.Headers[HeaderName] = Of(context);
        return next(context);
    });
}
