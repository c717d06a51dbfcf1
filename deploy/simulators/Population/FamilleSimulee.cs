namespace DroitsAmeli.Simulators;

/// <summary>A family of the simulated population.</summary>
/// <param name="Numero">Its number; <see cref="Id"/> is what leaves the simulator.</param>
/// <param name="Id">The opaque family id.</param>
/// <param name="Membres">The assuré first.</param>
public sealed record FamilleSimulee(long Numero, string Id, IReadOnlyList<MembreSimule> Membres)
{
    /// <summary>The member with that NIR; null when there is none.</summary>
    public MembreSimule? Find(string? nir) => nir is null ? null : Membres.FirstOrDefault(membre => membre.Beneficiaire.Nir == nir);
}

/// <summary>A member of a simulated family.</summary>
/// <param name="EtatCivil">What the SI knows of the person's birth, against which identities are matched.</param>
/// <param name="Beneficiaire">What the SI says of the person in the family's composition.</param>
/// <param name="Droits">The person's rights in this family.</param>
public sealed record MembreSimule(EtatCivil EtatCivil, BeneficiaireSi Beneficiaire, DroitsSi Droits);

/// <summary>A person's civil status.</summary>
/// <param name="Male">Sex.</param>
/// <param name="Nom">Name at birth.</param>
/// <param name="Prenoms">First names, at least one.</param>
/// <param name="Naissance">Birth date, perhaps partly known.</param>
/// <param name="Lieu">Present INSEE code of the commune, or 99 and the country's number for a birth abroad.</param>
public sealed record EtatCivil(bool Male, string Nom, IReadOnlyList<string> Prenoms, DateNaissance Naissance, string Lieu)
{
    /// <summary>What FranceConnect says of this person.</summary>
    public IdentiteFranceConnect ToFranceConnect() => new()
    {
        Gender = Male ? "male" : "female",
        FamilyName = Nom,
        GivenName = string.Join(' ', Prenoms),
        GivenNameArray = Prenoms,
        Birthdate = Naissance.ToFranceConnect(),
        Birthplace = Lieux.IsAbroad(Lieu) ? "" : Lieux.AtBirth(Lieu, Naissance.Annee),
        Birthcountry = Lieux.IsAbroad(Lieu) ? Lieu : Lieux.France,
    };
}
