namespace DroitsAmeli.Api.Droits;

/// <summary>The seven resources of the contract.</summary>
public enum Ressource
{
    Me,
    MeBeneficiaires,
    Beneficiaire,
    Caisse,
    Contrats,
    Exonerations,
    MedecinTraitant,
}
