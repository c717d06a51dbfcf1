using DroitsAmeli.Load.Processes;

namespace DroitsAmeli.Load.Reads;

/// <summary>Which resource of the user's own is read.</summary>
public enum Resource
{
    Me,
    Caisse,
    Contrats,
    Exonerations,
}

/// <summary>One call: a family's insured person asks for something of their own.</summary>
/// <param name="Famille">Index in the simulated population.</param>
/// <param name="Resource">What is read.</param>
public readonly record struct Question(long Famille, Resource Resource)
{
    private const string BasePath = "/v1/droits/beneficiaires";

    /// <summary>The request that asks a front end.</summary>
    public HttpRequestMessage To(Node frontEnd, Partner partner, string token, SimulatedSi si)
    {
        var request = new HttpRequestMessage(HttpMethod.Get, new Uri(frontEnd.Address, BasePath + Path));
        request.Headers.Add("X-API-Key", partner.Key);
        request.Headers.Authorization = new("Bearer", token);
        if (Resource != Resource.Me)
            request.Headers.Add("nir", si.Population.Get(Famille).Membres[0].Beneficiaire.Nir);
        return request;
    }

    private string Path => Resource switch
    {
        Resource.Me => "/me",
        Resource.Caisse => "/caisse",
        Resource.Contrats => "/contrats",
        _ => "/exonerations",
    };
}
