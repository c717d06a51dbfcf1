using System.Text.Json;
using DroitsAmeli.Grains.Droits;
using static DroitsAmeli.Grains.RegimeSi.SiJson;

namespace DroitsAmeli.Grains.RegimeSi;

/// <summary>
/// The SI's answers, read strictly: the one translation between its JSON and the records. A wrong answer throws
/// <see cref="RefusedAnswerException"/>; properties that nobody knows are ignored and counted.
/// </summary>
public static partial class SiPayload
{
    /// <summary>The longest family id, in UTF-8 bytes: a grain key made of a longer one could not be stored.</summary>
    public const int MaxFamilleBytes = 380;

    /// <summary>The answer to an identification: both parts are mandatory.</summary>
    public static Identification ReadIdentification(ReadOnlyMemory<byte> body) => Read(body, root =>
    {
        string? famille = null;
        Nir? nir = null;
        foreach (var property in Properties(root))
        {
            switch (property.Name)
            {
                case "famille": famille = FamilleId(property.Value); break;
                case "nir": nir = SiJson.Nir(property.Value); break;
                default: Unknown(); break;
            }
        }
        // A dot segment would be taken for another path.
        if (Mandatory(famille) is "." or "..")
            throw new RefusedAnswerException(RefusalReason.WrongType);
        return new Identification(famille!, Mandatory(nir));
    });

    /// <summary>True when the answer to an identification names the régime that is not hosted (422).</summary>
    public static bool NamesRegime(ReadOnlyMemory<byte> body)
    {
        try
        {
            using var document = JsonDocument.Parse(body);
            return document.RootElement.ValueKind is JsonValueKind.Object
                && document.RootElement.TryGetProperty("regime", out var regime)
                && regime.ValueKind is JsonValueKind.String;
        }
        catch (JsonException)
        {
            return false;
        }
    }

    /// <summary>The answer on a family.</summary>
    /// <param name="body">UTF-8 JSON.</param>
    /// <param name="famille">The family asked about, which the answer must echo.</param>
    /// <param name="leastVersion">An older version is refused.</param>
    public static Composition ReadComposition(ReadOnlyMemory<byte> body, string famille, long leastVersion) => Read(body, root =>
    {
        string? echo = null;
        long? version = null;
        List<Membre>? membres = null;
        foreach (var property in Properties(root))
        {
            switch (property.Name)
            {
                case "famille": echo = Text(property.Value); break;
                case "version": version = Version(property.Value); break;
                case "beneficiaires": membres = List(property.Value, ReadMembre); break;
                default: Unknown(); break;
            }
        }

        CheckFamille(echo, famille);
        var composition = new Composition
        {
            Famille = famille,
            Version = CheckVersion(version, leastVersion),
            Membres = Mandatory(membres),
        };
        var nirs = new HashSet<Nir>();
        if (composition.Membres.Any(membre => membre.Beneficiaire.Nir is { } nir && !nirs.Add(nir)))
            throw new RefusedAnswerException(RefusalReason.DuplicateNir);
        return composition;
    });

    private static void CheckFamille(string? echo, string famille)
    {
        if (!string.Equals(Mandatory(echo), famille, StringComparison.Ordinal))
            throw new RefusedAnswerException(RefusalReason.WrongFamille);
    }

    private static long CheckVersion(long? version, long least) =>
        Mandatory(version) is var given && given >= least ? given : throw new RefusedAnswerException(RefusalReason.OlderVersion);

    private static Membre ReadMembre(JsonElement element)
    {
        var beneficiaire = new Beneficiaire();
        var membre = new Membre { Beneficiaire = beneficiaire };
        foreach (var property in Properties(element))
        {
            var value = property.Value;
            switch (property.Name)
            {
                case "date_naissance": beneficiaire = beneficiaire with { DateNaissance = Date(value) }; break;
                case "nir": beneficiaire = beneficiaire with { Nir = SiJson.Nir(value) }; break;
                case "nom_famille": beneficiaire = beneficiaire with { NomFamille = Text(value) }; break;
                case "nom_usage": beneficiaire = beneficiaire with { NomUsage = Text(value) }; break;
                case "prenom": beneficiaire = beneficiaire with { Prenom = Text(value) }; break;
                case "qualite": beneficiaire = beneficiaire with { Qualite = Named<Qualite>(value) }; break;
                case "rang_naissance": beneficiaire = beneficiaire with { RangNaissance = Int32(value) }; break;
                case "presences": membre = membre with { Presences = Optional(value, ReadPresences) }; break;
                case "date_deces": membre = membre with { DateDeces = Date(value) }; break;
                case "rattachement": membre = membre with { Rattachement = Optional(value, ReadPeriode) }; break;
                case "restrictions": membre = membre with { Restrictions = List(value, String) }; break;
                default: Unknown(); break;
            }
        }
        return membre with { Beneficiaire = beneficiaire };
    }

    // Half of the presences would make the other boolean false where it is unknown: then none is known.
    private static Presences? ReadPresences(JsonElement element)
    {
        List<PeriodeDroits>? amc = null, medecin = null;
        foreach (var property in Properties(element))
        {
            switch (property.Name)
            {
                case "amc": amc = List(property.Value, ReadPeriode); break;
                case "medecin_traitant": medecin = List(property.Value, ReadPeriode); break;
                default: Unknown(); break;
            }
        }
        return amc is null || medecin is null ? null : new Presences { Amc = amc, MedecinTraitant = medecin };
    }

    private static PeriodeDroits ReadPeriode(JsonElement element)
    {
        DateOnly? debut = null, fin = null;
        foreach (var property in Properties(element))
        {
            switch (property.Name)
            {
                case "date_debut": debut = Date(property.Value); break;
                case "date_fin": fin = Date(property.Value); break;
                default: Unknown(); break;
            }
        }
        CheckPeriod(debut, fin);
        return new PeriodeDroits { DateDebut = debut, DateFin = fin };
    }
}
