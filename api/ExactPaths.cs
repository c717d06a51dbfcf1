using System.Collections.Frozen;
using DroitsAmeli.Api.Droits;
using DroitsAmeli.Api.FranceConnect;
using Microsoft.Extensions.Options;

namespace DroitsAmeli.Api;

/// <summary>Paths and verbs to the letter: the routing would take them in any case, and paths with one more slash or a document's name.</summary>
public static class ExactPaths
{
    /// <summary>Answers 404 to a path that is none of the front end's, and 405 to a verb that is none of HTTP's.</summary>
    public static IApplicationBuilder UseExactPaths(this WebApplication app)
    {
        var prefix = app.Services.GetRequiredService<IOptions<ApiOptions>>().Value.PathPrefix;
        var known = DroitsEndpoints.Paths(prefix)
            .Concat(Documentation.Documentation.Paths)
            .Concat(ApiHealth.Paths)
            .Append(PublicJwksRegistration.Path)
            .ToFrozenSet(StringComparer.Ordinal);
        return app.Use((context, next) =>
        {
            if (!known.Contains(context.Request.Path.Value ?? ""))
                return Problems.Write(context, Problems.CheminInconnu);
            if (HttpMethods.GetCanonicalizedValue(context.Request.Method) == context.Request.Method)
                return next(context);
            context.Response.Headers.Allow = HttpMethods.Get;
            return Problems.Write(context, Problems.MethodeRefusee);
        });
    }
}
