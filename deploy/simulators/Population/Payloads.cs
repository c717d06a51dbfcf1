using System.Text.Json.Serialization;

namespace DroitsAmeli.Simulators;

/// <summary>A period, both ends included; a missing end is unbounded.</summary>
public sealed record PeriodeSi(DateOnly? DateDebut, DateOnly? DateFin);

/// <summary>A member of a family in the SI's words; properties without a value are left out of the JSON.</summary>
public sealed record BeneficiaireSi
{
    public string? Nir { get; init; }
    public required string NomFamille { get; init; }
    public string? NomUsage { get; init; }
    public required string Prenom { get; init; }
    /// <summary>Null when the date is only partly known.</summary>
    public DateOnly? DateNaissance { get; init; }
    public int? RangNaissance { get; init; }
    public required string Qualite { get; init; }
    public PresencesSi? Presences { get; init; }
    public DateOnly? DateDeces { get; init; }
    public PeriodeSi? Rattachement { get; init; }
    public IReadOnlyList<string>? Restrictions { get; init; }
}

/// <summary>The periods behind the two booleans of the composition.</summary>
public sealed record PresencesSi(IReadOnlyList<PeriodeSi> Amc, IReadOnlyList<PeriodeSi> MedecinTraitant);

/// <summary>One beneficiary's rights: all known periods, from today to one year on.</summary>
public sealed record DroitsSi
{
    public CaisseSi? Caisse { get; init; }
    public IReadOnlyList<ContratSi> Contrats { get; init; } = [];
    public IReadOnlyList<ExonerationSi> Exonerations { get; init; } = [];
    public IReadOnlyList<MedecinTraitantSi> MedecinsTraitants { get; init; } = [];

    /// <summary>The periods that the composition carries, read off these rights.</summary>
    public PresencesSi Presences => new(
        [.. Contrats.Where(contrat => contrat.Details.CodeTypeContrat is "C2S" or "C2SP").SelectMany(contrat => contrat.PeriodesDroits)],
        [.. MedecinsTraitants.Select(medecin => new PeriodeSi(medecin.DateDebut, medecin.DateFin))]);
}

/// <summary>The caisse that manages a beneficiary.</summary>
public sealed record CaisseSi
{
    public required string Id { get; init; }
    [JsonPropertyName("grandRegime")] public required string GrandRegime { get; init; }
    [JsonPropertyName("codeCentre")] public required string CodeCentre { get; init; }
    public required string Libelle { get; init; }
    public required string Organisme { get; init; }
    public required AdresseSi Adresse { get; init; }
}

/// <summary>A postal address, AFNOR XP Z 10-011.</summary>
public sealed record AdresseSi
{
    public required string Destinataire { get; init; }
    public string? PointRemise { get; init; }
    public string? ComplementAdresse { get; init; }
    public string? NumeroVoie { get; init; }
    public string? IndiceRepetition { get; init; }
    public string? TypeVoie { get; init; }
    public string? NomVoie { get; init; }
    public string? MentionDistribution { get; init; }
    public required string CodePostal { get; init; }
    public required string Commune { get; init; }
}

/// <summary>A base or complementary contract.</summary>
public sealed record ContratSi(string NatureAssurance, DetailsContratSi Details, DateOnly? DateDebut, DateOnly? DateFin, IReadOnlyList<PeriodeSi> PeriodesDroits);

/// <summary>The type of a contract.</summary>
public sealed record DetailsContratSi(string CodeTypeContrat, string LibelleTypeContrat);

/// <summary>An exemption from the ticket modérateur.</summary>
public sealed record ExonerationSi(MotifSi Motif, DateOnly? DateDebut, DateOnly? DateFin, MaterniteSi? Maternite = null);

/// <summary>The reason of an exemption.</summary>
public sealed record MotifSi(string Code, string Libelle, string LibelleLong);

/// <summary>The dates of a maternity.</summary>
public sealed record MaterniteSi(DateOnly? DatePresumeeGrossesse, DateOnly? DateReelleAccouchement);

/// <summary>A chosen doctor.</summary>
public sealed record MedecinTraitantSi(string Nom, string Prenom, string NumeroAm, DateOnly DateDebut, DateOnly? DateFin);
