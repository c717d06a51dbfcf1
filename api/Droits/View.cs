using DroitsAmeli.Api.Callers;
using DroitsAmeli.Grains.Familles;

namespace DroitsAmeli.Api.Droits;

/// <summary>Whether a resource may be had at all.</summary>
public enum Access
{
    Open,

    /// <summary>403 <c>donnee_reservee</c>: closed to the caller's type or by its convention.</summary>
    DonneeReservee,

    /// <summary>403 <c>scope_insuffisant</c>: closed by the token.</summary>
    ScopeInsuffisant,
}

/// <summary>
/// What one caller may see of one person: caller's type ∩ convention ∩ scopes ∩ on whose behalf. Two equal views give the same bytes
/// of the same record, so a view may stand in the key of whatever is kept of an answer. The default value opens nothing.
/// </summary>
public readonly record struct View
{
    private readonly int open;

    private View(CallerType type, Scopes scopes, Ouverture ouverture, int open) =>
        (Type, Scopes, Ouverture, this.open) = (type, scopes, ouverture, open);

    public CallerType Type { get; }

    public Scopes Scopes { get; }

    public Ouverture Ouverture { get; }

    /// <summary>The effective view. A person that the token does not open, or may not ask about, has no resource open.</summary>
    /// <param name="convention">The caller's.</param>
    /// <param name="scopes">Those of the token.</param>
    /// <param name="ouverture">On whose behalf the record is read; the user's own for the list of beneficiaries.</param>
    public static View Of(Convention convention, Scopes scopes, Ouverture ouverture)
    {
        var open = 0;
        var asked = ouverture is Ouverture.Utilisateur || (ouverture is Ouverture.Rattache && scopes.MayAskForOthers);
        foreach (var ressource in asked ? Enum.GetValues<Ressource>() : [])
        {
            if (MaskingPolicy.AccessTo(convention, scopes, ressource) is Access.Open)
                open |= 1 << (int)ressource;
        }

        return new View(convention.Type, scopes, ouverture, open);
    }

    /// <summary>True when the resource is open in this view.</summary>
    public bool Opens(Ressource ressource) => (open & (1 << (int)ressource)) != 0;
}
