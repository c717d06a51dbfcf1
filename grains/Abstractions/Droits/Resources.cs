using System.Text.Json.Serialization;

namespace DroitsAmeli.Grains.Droits;

/// <summary>A person whose rights are known; the two booleans are computed over the window of a search and absent from what is cached.</summary>
public sealed record Beneficiaire
{
    [JsonPropertyName("date_naissance")] public DateOnly? DateNaissance { get; init; }
    [JsonPropertyName("medecin_traitant_choisi")] public bool? MedecinTraitantChoisi { get; init; }
    /// <summary>Null for a newborn that has none yet.</summary>
    [JsonPropertyName("nir")] public Nir? Nir { get; init; }
    [JsonPropertyName("nom_famille")] public string? NomFamille { get; init; }
    [JsonPropertyName("nom_usage")] public string? NomUsage { get; init; }
    [JsonPropertyName("prenom")] public string? Prenom { get; init; }
    [JsonPropertyName("presence_CMUC_ACS")] public bool? PresenceCmucAcs { get; init; }
    [JsonPropertyName("qualite")] public Qualite? Qualite { get; init; }
    /// <summary>Tells twins apart.</summary>
    [JsonPropertyName("rang_naissance")] public int? RangNaissance { get; init; }
}

/// <summary>What a beneficiary is in the family.</summary>
[JsonConverter(typeof(ContractEnumConverter<Qualite>))]
public enum Qualite
{
    [JsonStringEnumMemberName("assure")] Assure,
    [JsonStringEnumMemberName("concubin")] Concubin,
    [JsonStringEnumMemberName("concubin_en_rupture")] ConcubinEnRupture,
    [JsonStringEnumMemberName("pacse")] Pacse,
    [JsonStringEnumMemberName("ex_pacse")] ExPacse,
    [JsonStringEnumMemberName("conjoint")] Conjoint,
    [JsonStringEnumMemberName("conjoint_separe")] ConjointSepare,
    [JsonStringEnumMemberName("conjoint_divorce")] ConjointDivorce,
    [JsonStringEnumMemberName("conjoint_veuf")] ConjointVeuf,
    [JsonStringEnumMemberName("parent")] Parent,
    [JsonStringEnumMemberName("enfant")] Enfant,
    [JsonStringEnumMemberName("autre")] Autre,
}

/// <summary>The caisse that manages a beneficiary.</summary>
public sealed record Caisse
{
    [JsonPropertyName("adresse")] public Adresse? Adresse { get; init; }
    [JsonPropertyName("codeCentre")] public string? CodeCentre { get; init; }
    [JsonPropertyName("grandRegime")] public string? GrandRegime { get; init; }
    /// <summary>Grand régime (2) and caisse (3), for example 01261.</summary>
    [JsonPropertyName("id")] public string? Id { get; init; }
    [JsonPropertyName("libelle")] public string? Libelle { get; init; }
    [JsonPropertyName("organisme")] public string? Organisme { get; init; }
}

/// <summary>A postal address, AFNOR XP Z 10-011.</summary>
public sealed record Adresse
{
    [JsonPropertyName("code_postal")] public string? CodePostal { get; init; }
    [JsonPropertyName("commune")] public string? Commune { get; init; }
    [JsonPropertyName("complement_adresse")] public string? ComplementAdresse { get; init; }
    [JsonPropertyName("destinataire")] public string? Destinataire { get; init; }
    [JsonPropertyName("indice_repetition")] public string? IndiceRepetition { get; init; }
    [JsonPropertyName("mention_distribution")] public string? MentionDistribution { get; init; }
    [JsonPropertyName("nom_voie")] public string? NomVoie { get; init; }
    [JsonPropertyName("numero_voie")] public string? NumeroVoie { get; init; }
    [JsonPropertyName("point_remise")] public string? PointRemise { get; init; }
    [JsonPropertyName("type_voie")] public string? TypeVoie { get; init; }
}

/// <summary>A contract: base rights (AMO) or complementary (AMC).</summary>
public sealed record Contrat
{
    [JsonPropertyName("nature_assurance")] public NatureAssurance? NatureAssurance { get; init; }
    [JsonPropertyName("details")] public DetailsContrat? Details { get; init; }
    [JsonPropertyName("date_debut")] public DateOnly? DateDebut { get; init; }
    [JsonPropertyName("date_fin")] public DateOnly? DateFin { get; init; }
    [JsonPropertyName("periodes_droits")] public IReadOnlyList<PeriodeDroits> PeriodesDroits { get; init; } = [];
}

/// <summary>Base insurance or complementary insurance.</summary>
[JsonConverter(typeof(ContractEnumConverter<NatureAssurance>))]
public enum NatureAssurance
{
    [JsonStringEnumMemberName("AMO")] Amo,
    [JsonStringEnumMemberName("AMC")] Amc,
}

/// <summary>The type of a contract; the code is open, see <see cref="TypesContrat"/> for those the contract names.</summary>
public sealed record DetailsContrat
{
    [JsonPropertyName("code_type_contrat")] public string? CodeTypeContrat { get; init; }
    [JsonPropertyName("libelle_type_contrat")] public string? LibelleTypeContrat { get; init; }
}

/// <summary>The contract types that the public contract names.</summary>
public static class TypesContrat
{
    public const string Base = "BASE";

    /// <summary>The label of <see cref="Base"/>.</summary>
    public const string LibelleBase = "Droits de base (contrat sans spécificité)";

    /// <summary>Complémentaire santé solidaire and what it replaced on 2019-11-01: the types that make <c>presence_CMUC_ACS</c> true.</summary>
    public static IReadOnlySet<string> ComplementaireSolidaire { get; } =
        new HashSet<string>(StringComparer.Ordinal) { "C2S", "C2SP", "CMUC", "ACS_A", "ACS_B", "ACS_C" };
}

/// <summary>A period, both ends included; a missing end is unbounded.</summary>
public sealed record PeriodeDroits
{
    [JsonPropertyName("date_debut")] public DateOnly? DateDebut { get; init; }
    [JsonPropertyName("date_fin")] public DateOnly? DateFin { get; init; }
}

/// <summary>An exemption from the ticket modérateur.</summary>
public sealed record Exoneration
{
    [JsonPropertyName("date_debut")] public DateOnly? DateDebut { get; init; }
    [JsonPropertyName("date_fin")] public DateOnly? DateFin { get; init; }
    [JsonPropertyName("maternite")] public Maternite? Maternite { get; init; }
    [JsonPropertyName("motif")] public Motif? Motif { get; init; }
}

/// <summary>The dates of a maternity.</summary>
public sealed record Maternite
{
    [JsonPropertyName("date_presumee_grossesse")] public DateOnly? DatePresumeeGrossesse { get; init; }
    [JsonPropertyName("date_reelle_accouchement")] public DateOnly? DateReelleAccouchement { get; init; }
}

/// <summary>The reason of an exemption.</summary>
public sealed record Motif
{
    [JsonPropertyName("code")] public CodeMotif? Code { get; init; }
    [JsonPropertyName("libelle")] public string? Libelle { get; init; }
    [JsonPropertyName("libelle_long")] public string? LibelleLong { get; init; }
}

/// <summary>The codes of the reasons of an exemption.</summary>
[JsonConverter(typeof(ContractEnumConverter<CodeMotif>))]
public enum CodeMotif
{
    /// <summary>Invalids of small régimes.</summary>
    [JsonStringEnumMemberName("INV")] Invalide,
    [JsonStringEnumMemberName("MAT")] Maternite,
    /// <summary>Affection de longue durée on the list.</summary>
    [JsonStringEnumMemberName("LIS")] AldListe,
    /// <summary>Several affections.</summary>
    [JsonStringEnumMemberName("EXP")] Polypathologie,
    /// <summary>Affection de longue durée off the list.</summary>
    [JsonStringEnumMemberName("EXC")] AldHorsListe,
    /// <summary>Article 115, detainees, military pensions.</summary>
    [JsonStringEnumMemberName("A115_DET_PML")] Article115DetenuPensionne,
    [JsonStringEnumMemberName("NE")] NouveauNe,
    [JsonStringEnumMemberName("STE")] Sterilite,
    [JsonStringEnumMemberName("EDS")] EducationSpecialisee,
}

/// <summary>The chosen doctor.</summary>
public sealed record MedecinTraitant
{
    [JsonPropertyName("date_debut")] public DateOnly? DateDebut { get; init; }
    [JsonPropertyName("date_fin")] public DateOnly? DateFin { get; init; }
    [JsonPropertyName("nom")] public string? Nom { get; init; }
    [JsonPropertyName("numero_am")] public string? NumeroAm { get; init; }
    [JsonPropertyName("prenom")] public string? Prenom { get; init; }
}

/// <summary>Reads and writes an enum by the names the contract gives; numbers and other names are refused.</summary>
public sealed class ContractEnumConverter<T>() : JsonStringEnumConverter<T>(namingPolicy: null, allowIntegerValues: false)
    where T : struct, Enum;
