using Microsoft.Extensions.Options;

namespace DroitsAmeli.Api.Droits;

/// <summary>The seven resources of the contract, by path.</summary>
public static class DroitsEndpoints
{
    /// <summary>The path below the configured prefix.</summary>
    public const string BasePath = "/v1/droits/beneficiaires";

    private static readonly (string Path, Ressource Ressource)[] Resources =
    [
        ("/me", Ressource.Me),
        ("/me/beneficiaires", Ressource.MeBeneficiaires),
        ("", Ressource.Beneficiaire),
        ("/caisse", Ressource.Caisse),
        ("/contrats", Ressource.Contrats),
        ("/exonerations", Ressource.Exonerations),
        ("/medecin-traitant", Ressource.MedecinTraitant),
    ];

    /// <summary>The paths of the seven resources; the base path answers with and without a slash at its end.</summary>
    internal static IEnumerable<string> Paths(string prefix) => Resources.Select(resource => resource.Path).Append("/").Select(path => prefix + BasePath + path);

    /// <summary>Maps the seven resources.</summary>
    public static void MapDroits(this WebApplication app)
    {
        var prefix = app.Services.GetRequiredService<IOptions<ApiOptions>>().Value.PathPrefix;
        var droits = app.MapGroup(prefix + BasePath);
        foreach (var (path, ressource) in Resources)
            droits.MapGet(path, (HttpContext context, DroitsHandler handler) => handler.Answer(context, ressource));
    }
}
