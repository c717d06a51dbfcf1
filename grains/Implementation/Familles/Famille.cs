using System.ComponentModel.DataAnnotations;
using DroitsAmeli.Grains.Droits;

namespace DroitsAmeli.Grains.Familles;

/// <summary>What is done with adults other than the user, <c>Famille:AutresMajeurs</c>.</summary>
public enum AutresMajeurs
{
    /// <summary>They are absent: adults are insured in their own name.</summary>
    Masques,

    /// <summary>They are listed: hosted régimes that still have adult ayants droit.</summary>
    Listes,
}

/// <summary>Settings of <c>Famille:*</c>.</summary>
public sealed class FamilleOptions
{
    public const string Section = "Famille";

    [EnumDataType(typeof(AutresMajeurs))]
    public AutresMajeurs AutresMajeurs { get; set; }
}

/// <summary>Whose rights a token opens: the one rule, pure. Source: the contract.</summary>
public static class Famille
{
    private const int Majority = 18;

    /// <summary>The member with that NIR.</summary>
    public static Membre? Find(this Composition composition, Nir nir) =>
        composition.Membres.FirstOrDefault(membre => membre.Beneficiaire.Nir == nir);

    /// <summary>Everybody the user's token opens, the user first.</summary>
    public static IEnumerable<Membre> OpenedTo(this Composition composition, Membre utilisateur, DateOnly today, AutresMajeurs autresMajeurs) =>
        composition.Membres
            .Where(membre => membre.OuvertureTo(utilisateur, today, autresMajeurs) is not Ouverture.Fermee)
            .OrderBy(membre => ReferenceEquals(membre, utilisateur) ? 0 : 1);

    /// <summary>Whether, and as what, a member is opened to the user. The day is the day of the call in Paris.</summary>
    public static Ouverture OuvertureTo(this Membre membre, Membre utilisateur, DateOnly today, AutresMajeurs autresMajeurs)
    {
        if (membre.DateDeces is not null)
            return Ouverture.Fermee;
        if (ReferenceEquals(membre, utilisateur))
            return Ouverture.Utilisateur;
        if (membre.Restrictions.Count > 0 || !IsAttached(membre, today))
            return Ouverture.Fermee;

        if (utilisateur.Beneficiaire.Qualite is not Qualite.Assure)
            return Ouverture.Fermee;

        var opened = IsMinor(membre, today)
            ? membre.Beneficiaire.Qualite is Qualite.Enfant
            : autresMajeurs is AutresMajeurs.Listes;
        return opened ? Ouverture.Rattache : Ouverture.Fermee;
    }

    private static bool IsMinor(Membre membre, DateOnly today) =>
        membre.Beneficiaire.DateNaissance is { } birth && (birth >= today || birth.AddYears(Majority) > today);

    private static bool IsAttached(Membre membre, DateOnly today) =>
        membre.Rattachement is not { } period
        || (period.DateDebut is null || period.DateDebut <= today) && (period.DateFin is null || period.DateFin >= today);
}
