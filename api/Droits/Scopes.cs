namespace DroitsAmeli.Api.Droits;

/// <summary>What the scopes of a token open, one flag per CNAM scope.</summary>
[Flags]
public enum ScopePart
{
    None = 0,

    /// <summary><c>droits_assurance_maladie</c>: everything that the caller's type may see.</summary>
    Droits = 1 << 0,

    /// <summary><c>cnam_beneficiaires</c></summary>
    Beneficiaires = 1 << 1,

    /// <summary><c>cnam_caisse</c></summary>
    Caisse = 1 << 2,

    /// <summary><c>cnam_contrats</c>: base rights only.</summary>
    Contrats = 1 << 3,

    /// <summary><c>cnam_exonerations</c></summary>
    Exonerations = 1 << 4,

    /// <summary><c>cnam_medecin_traitant</c>: the doctor, and the boolean.</summary>
    MedecinTraitant = 1 << 5,

    /// <summary><c>cnam_presence_medecin_traitant</c>: the boolean only.</summary>
    PresenceMedecinTraitant = 1 << 6,
}

/// <summary>The CNAM scopes of a FranceConnect access token. Source: the contract.</summary>
public readonly record struct Scopes
{
    private Scopes(ScopePart granted) => Granted = granted;

    /// <summary>The parts that are open; <see cref="ScopePart.Droits"/> stands alone, since it opens the others as well.</summary>
    public ScopePart Granted { get; }

    /// <summary>True when the token may ask about somebody else than the user.</summary>
    public bool MayAskForOthers => Open(ScopePart.Beneficiaires);

    /// <summary>Reads a space-separated list; names are exact and case-sensitive, and those that are not the CNAM's are ignored.</summary>
    public static Scopes Parse(string? text)
    {
        var granted = ScopePart.None;
        foreach (var range in text.AsSpan().Split(' '))
            granted |= PartOf(text.AsSpan()[range]);
        return new Scopes(granted.HasFlag(ScopePart.Droits) ? ScopePart.Droits : granted);
    }

    /// <summary>True when <c>droits_assurance_maladie</c>, or one of the fine scopes behind <paramref name="parts"/>, was granted.</summary>
    public bool Open(ScopePart parts) => (Granted & (parts | ScopePart.Droits)) != ScopePart.None;

    private static ScopePart PartOf(ReadOnlySpan<char> scope) => scope switch
    {
        "droits_assurance_maladie" => ScopePart.Droits,
        "cnam_beneficiaires" => ScopePart.Beneficiaires,
        "cnam_caisse" => ScopePart.Caisse,
        "cnam_contrats" => ScopePart.Contrats,
        "cnam_exonerations" => ScopePart.Exonerations,
        "cnam_medecin_traitant" => ScopePart.MedecinTraitant,
        "cnam_presence_medecin_traitant" => ScopePart.PresenceMedecinTraitant,
        _ => ScopePart.None,
    };
}
