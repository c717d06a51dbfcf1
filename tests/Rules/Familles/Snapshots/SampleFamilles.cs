using System.Text.Json;
using DroitsAmeli.Grains.Droits;
using DroitsAmeli.Grains.Familles;
using DroitsAmeli.Grains.RegimeSi;
using DroitsAmeli.Simulators;
using DroitsAmeli.Simulators.RegimeSi;

namespace DroitsAmeli.Tests.Rules.Familles.Snapshots;

/// <summary>Snapshots as a family's grain makes them.</summary>
internal static class SampleFamilles
{
    public static readonly DateTimeOffset LoadedAt = new(2026, 3, 2, 9, 30, 15, 123, TimeSpan.Zero);

    /// <summary>A family that has every property, in the records of the first released format.</summary>
    public static FamilleSnapshot Known()
    {
        var nir = NirOf("2780275108005");
        var period = new PeriodeDroits { DateDebut = new(2025, 1, 1), DateFin = new(2025, 12, 31) };
        var composition = new Composition
        {
            Famille = "6GM91XKX",
            Version = 1795392550205,
            Membres =
            [
                new()
                {
                    Beneficiaire = new()
                    {
                        DateNaissance = new(1978, 2, 3), Nir = nir, NomFamille = "Lefèvre", NomUsage = "D'Aubigné", Prenom = "Françoise",
                        Qualite = Qualite.Assure, RangNaissance = 1,
                    },
                    Presences = new() { Amc = [period], MedecinTraitant = [new() { DateDebut = new(2019, 10, 1) }] },
                    DateDeces = new(2026, 1, 31),
                    Rattachement = period,
                    Restrictions = ["autonomie", "dossier sensible"],
                },
                new() { Beneficiaire = new() { NomFamille = "Lefèvre", Prenom = "Zoë", Qualite = Qualite.Enfant, RangNaissance = 2 } },
            ],
        };
        var droits = new DroitsBeneficiaire
        {
            Famille = "6GM91XKX",
            Nir = nir,
            Version = 1795392550201,
            Caisse = new()
            {
                Id = "01261", GrandRegime = "01", CodeCentre = "2611", Libelle = "Caisse primaire d'assurance maladie de la Drôme", Organisme = "CPAM de la Drôme",
                Adresse = new()
                {
                    CodePostal = "26024", Commune = "VALENCE CEDEX", ComplementAdresse = "BAT A", Destinataire = "CPAM DE LA DROME", IndiceRepetition = "B",
                    MentionDistribution = "CS 70001", NomVoie = "DU PRESIDENT EDOUARD HERRIOT", NumeroVoie = "6", PointRemise = "ACCUEIL", TypeVoie = "AVENUE",
                },
            },
            Contrats =
            [
                new()
                {
                    NatureAssurance = NatureAssurance.Amo, DateDebut = new(2024, 1, 1), DateFin = new(2027, 12, 31), PeriodesDroits = [period],
                    Details = new() { CodeTypeContrat = TypesContrat.Base, LibelleTypeContrat = TypesContrat.LibelleBase },
                },
                new() { NatureAssurance = NatureAssurance.Amc, Details = new() { CodeTypeContrat = "C2SP" } },
            ],
            Exonerations =
            [
                new()
                {
                    DateDebut = new(2025, 11, 1), DateFin = new(2026, 6, 1),
                    Maternite = new() { DatePresumeeGrossesse = new(2025, 8, 1), DateReelleAccouchement = new(2026, 5, 1) },
                    Motif = new() { Code = CodeMotif.Maternite, Libelle = "Maternité", LibelleLong = "Assurance maternité" },
                },
            ],
            MedecinsTraitants = [new() { DateDebut = new(2021, 2, 3), DateFin = new(2026, 2, 3), Nom = "LECLERC", NumeroAm = "751680967", Prenom = "José" }],
        };
        return new(
            1795392550207,
            [
                new(null, composition.Version, 1795392550207, LoadedAt, LoadedAt.AddMinutes(15), Json(composition)),
                new(nir.Value, droits.Version, 1795392550205, LoadedAt.AddSeconds(-90), LoadedAt.AddMinutes(12), Json(droits)),
            ]);
    }

    /// <summary>The same family, whose rights the SI gave two hours before it confirmed them.</summary>
    public static FamilleSnapshot Confirmed()
    {
        var known = Known();
        return known with { Parts = [known.Parts[0], known.Parts[1] with { GivenAt = known.Parts[1].LoadedAt.AddHours(-2) }] };
    }

    /// <summary>The bytes of a file beside the tests, which holds them as a released version wrote them.</summary>
    public static byte[] Released(string name) =>
        Convert.FromHexString(File.ReadAllText(Path.Combine(AppContext.BaseDirectory, name + ".hex")).ReplaceLineEndings(""));

    /// <summary>A family of the simulated population with its user's rights, read as the SI's answers are.</summary>
    public static FamilleSnapshot Of(FamilleSimulee famille, long version)
    {
        var user = famille.Membres[0];
        var nir = NirOf(user.Beneficiaire.Nir!);
        var composition = SiPayload.ReadComposition(
            JsonSerializer.SerializeToUtf8Bytes(new CompositionSi(famille.Id, version, [.. famille.Membres.Select(membre => membre.Beneficiaire)]), SiReply.Json),
            famille.Id,
            0);
        var droits = SiPayload.ReadDroits(
            JsonSerializer.SerializeToUtf8Bytes(
                new DroitsBeneficiaireSi(
                    famille.Id, nir.Value, version, user.Droits.Caisse, user.Droits.Contrats, user.Droits.Exonerations, user.Droits.MedecinsTraitants),
                SiReply.Json),
            famille.Id,
            nir,
            0);
        return new(
            version,
            [
                new(null, version, version, LoadedAt, LoadedAt.AddMinutes(15), Json(composition)),
                new(nir.Value, version, version, LoadedAt.AddMilliseconds(313), LoadedAt.AddMinutes(14), Json(droits)),
            ]);
    }

    private static Nir NirOf(string text) => Nir.TryParse(text, out var nir) ? nir : throw new ArgumentException("Not a NIR.", nameof(text));

    private static byte[] Json(Composition composition) => JsonSerializer.SerializeToUtf8Bytes(composition, PartJson.Default.Composition);

    private static byte[] Json(DroitsBeneficiaire droits) => JsonSerializer.SerializeToUtf8Bytes(droits, PartJson.Default.DroitsBeneficiaire);
}
