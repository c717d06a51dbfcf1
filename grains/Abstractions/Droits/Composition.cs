using System.Text.Json;
using System.Text.Json.Serialization;

namespace DroitsAmeli.Grains.Droits;

/// <summary>Who is in a family, as the régime SI gave it; the first of the two parts that are cached.</summary>
public sealed record Composition
{
    public required string Famille { get; init; }

    /// <summary>The SI's counter for the family; it grows with each change.</summary>
    public required long Version { get; init; }

    public required IReadOnlyList<Membre> Membres { get; init; }
}

/// <summary>A member of a family: what may be shown of the person, and the SI's marks, which are never emitted.</summary>
public sealed record Membre
{
    public required Beneficiaire Beneficiaire { get; init; }

    /// <summary>The periods from which the two booleans are computed; null when they are not known.</summary>
    public Presences? Presences { get; init; }

    public DateOnly? DateDeces { get; init; }

    /// <summary>When the person is attached to this family; null: always.</summary>
    public PeriodeDroits? Rattachement { get; init; }

    /// <summary>Anything in it hides the person from everybody but themselves.</summary>
    public IReadOnlyList<string> Restrictions { get; init; } = [];
}

/// <summary>Periods in which a beneficiary has a complémentaire santé solidaire, and a médecin traitant.</summary>
public sealed record Presences
{
    public IReadOnlyList<PeriodeDroits> Amc { get; init; } = [];

    public IReadOnlyList<PeriodeDroits> MedecinTraitant { get; init; } = [];

    /// <summary>The same periods, read off the rights themselves.</summary>
    public static Presences Of(DroitsBeneficiaire droits) => new()
    {
        Amc =
        [
            .. droits.Contrats
                .Where(contrat => contrat.Details?.CodeTypeContrat is { } code && TypesContrat.ComplementaireSolidaire.Contains(code))
                .SelectMany(RightsWithin),
        ],
        MedecinTraitant =
        [
            .. droits.MedecinsTraitants.Select(medecin => new PeriodeDroits { DateDebut = medecin.DateDebut, DateFin = medecin.DateFin }),
        ],
    };

    private static IEnumerable<PeriodeDroits> RightsWithin(Contrat contrat) =>
        contrat.PeriodesDroits.Count > 0
            ? contrat.PeriodesDroits
            : [new PeriodeDroits { DateDebut = contrat.DateDebut, DateFin = contrat.DateFin }];
}

/// <summary>One beneficiary's rights, all known periods; the second of the two parts that are cached.</summary>
public sealed record DroitsBeneficiaire
{
    public required string Famille { get; init; }

    public required Nir Nir { get; init; }

    /// <summary>The SI's counter for the family; it grows with each change.</summary>
    public required long Version { get; init; }

    public Caisse? Caisse { get; init; }

    public IReadOnlyList<Contrat> Contrats { get; init; } = [];

    public IReadOnlyList<Exoneration> Exonerations { get; init; } = [];

    public IReadOnlyList<MedecinTraitant> MedecinsTraitants { get; init; } = [];
}

/// <summary>How the two parts travel between processes: UTF-8 JSON, properties without a value left out.</summary>
[JsonSourceGenerationOptions(DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(Composition))]
[JsonSerializable(typeof(Membre[]))]
[JsonSerializable(typeof(DroitsBeneficiaire))]
public sealed partial class PartJson : JsonSerializerContext
{
    /// <summary>The members that a reply carries.</summary>
    public static Membre[] ReadMembres(ReadOnlySpan<byte> payload) =>
        JsonSerializer.Deserialize(payload, Default.MembreArray) ?? throw new JsonException("No members in the payload.");

    /// <summary>A composition at rest.</summary>
    public static Composition ReadComposition(ReadOnlySpan<byte> payload) =>
        JsonSerializer.Deserialize(payload, Default.Composition) ?? throw new JsonException("No composition in the payload.");

    /// <summary>The rights that a reply carries.</summary>
    public static DroitsBeneficiaire ReadDroits(ReadOnlySpan<byte> payload) =>
        JsonSerializer.Deserialize(payload, Default.DroitsBeneficiaire) ?? throw new JsonException("No rights in the payload.");
}
