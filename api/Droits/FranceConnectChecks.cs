using DroitsAmeli.Api.Callers;
using DroitsAmeli.Api.FranceConnect;
using DroitsAmeli.Grains.FranceConnect;
using Microsoft.Extensions.Options;

namespace DroitsAmeli.Api.Droits;

/// <summary>
/// What is evaluated against this request on every call, also when the introspection is a remembered one: <c>exp</c>, <c>acr</c>,
/// <c>scope</c>, and the client the token was issued to.
/// </summary>
public sealed class FranceConnectChecks(IOptions<FranceConnectApiOptions> options, TimeProvider time)
{
    /// <summary>The first check that fails, or null; the scopes are set when none does.</summary>
    public Problem? Refuse(JetonReply reply, Convention convention, Ressource ressource, out Scopes scopes)
    {
        scopes = Scopes.Parse(reply.Introspection?.Scope ?? "");
        if (Problems.Of(reply) is { } problem)
            return problem;

        var introspection = reply.Introspection!;
        if (time.GetUtcNow() >= introspection.ExpiresAt)
            return Problems.JetonInvalide;
        if (Acr.LowestOf(introspection.Acr) is not { } level || level < options.Value.MinimumAcr)
            return Problems.NiveauInsuffisant;
        if (!MaskingPolicy.IsOpen(scopes, ressource))
            return Problems.ScopeInsuffisant;
        return convention.ClientsFranceConnect.Contains(introspection.ServiceProvider) ? null : Problems.JetonAutrePartenaire;
    }
}
