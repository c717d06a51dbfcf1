using DroitsAmeli.Load.Processes;

namespace DroitsAmeli.Load.Reads;

/// <summary>Which resource of the contract is read, for the user.</summary>
public enum Resource
{
    Me,
    Beneficiaires,
    Caisse,
    Contrats,
    Exonerations,
    MedecinTraitant,
    Beneficiaire,
}

/// <summary>One call: a family's insured person asks for something of their own.</summary>
/// <param name="Famille">Index in the simulated population.</param>
/// <param name="Resource">What is read.</param>
public readonly record struct Question(long Famille, Resource Resource)
{
    private const string BasePath = "/v1/droits/beneficiaires";

    /// <summary>What stands behind the base path.</summary>
    public string Path => Resource switch
    {
        Resource.Me => "/me",
        Resource.Beneficiaires => "/me/beneficiaires",
        Resource.Caisse => "/caisse",
        Resource.Contrats => "/contrats",
        Resource.Exonerations => "/exonerations",
        Resource.MedecinTraitant => "/medecin-traitant",
        Resource.Beneficiaire => "/",
        _ => throw new InvalidOperationException($"Nobody knows where {Resource} is read."),
    };

    /// <summary>The request that asks, about the person whom the population knows.</summary>
    public HttpRequestMessage To(Node entrance, Partner partner, string token, SimulatedSi si) =>
        To(entrance, partner, token, IsAboutNir ? si.Population.Get(Famille).Membres[0].Beneficiaire.Nir : null);

    /// <summary>The request that asks, about a person by their NIR.</summary>
    public HttpRequestMessage To(Node entrance, Partner partner, string token, string? nir)
    {
        var request = new HttpRequestMessage(HttpMethod.Get, new Uri(entrance.Address, BasePath + Path));
        request.Headers.Add("X-Api-Key", partner.Key);
        request.Headers.Authorization = new("Bearer", token);
        if (IsAboutNir)
            request.Headers.Add("nir", nir);
        return request;
    }

    private bool IsAboutNir => Resource is not (Resource.Me or Resource.Beneficiaires);
}
