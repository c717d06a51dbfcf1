using System.Text.Json;
using DroitsAmeli.Grains.Droits;
using static DroitsAmeli.Grains.RegimeSi.SiJson;

namespace DroitsAmeli.Grains.RegimeSi;

public static partial class SiPayload
{
    /// <summary>The answer on one beneficiary's rights; its three lists are mandatory, for an absent one would say "no rights".</summary>
    /// <param name="body">UTF-8 JSON.</param>
    /// <param name="famille">The family asked about, which the answer must echo.</param>
    /// <param name="nir">The beneficiary asked about, whom the answer must echo.</param>
    /// <param name="leastVersion">An older version is refused.</param>
    public static DroitsBeneficiaire ReadDroits(ReadOnlyMemory<byte> body, string famille, Nir nir, long leastVersion) => Read(body, root =>
    {
        string? familleEcho = null;
        Nir? nirEcho = null;
        long? version = null;
        Caisse? caisse = null;
        List<Contrat>? contrats = null;
        List<Exoneration>? exonerations = null;
        List<MedecinTraitant>? medecins = null;
        foreach (var property in Properties(root))
        {
            var value = property.Value;
            switch (property.Name)
            {
                case "famille": familleEcho = Text(value); break;
                case "nir": nirEcho = SiJson.Nir(value); break;
                case "version": version = Version(value); break;
                case "caisse": caisse = Optional(value, ReadCaisse); break;
                case "contrats": contrats = List(value, ReadContrat); break;
                case "exonerations": exonerations = List(value, ReadExoneration); break;
                case "medecins_traitants": medecins = List(value, ReadMedecinTraitant); break;
                default: Unknown(); break;
            }
        }

        CheckFamille(familleEcho, famille);
        if (Mandatory(nirEcho) != nir)
            throw new RefusedAnswerException(RefusalReason.WrongNir);
        return new DroitsBeneficiaire
        {
            Famille = famille,
            Nir = nir,
            Version = CheckVersion(version, leastVersion),
            Caisse = caisse,
            Contrats = Mandatory(contrats),
            Exonerations = Mandatory(exonerations),
            MedecinsTraitants = Mandatory(medecins),
        };
    });

    private static Caisse ReadCaisse(JsonElement element)
    {
        var caisse = new Caisse();
        foreach (var property in Properties(element))
        {
            var value = property.Value;
            switch (property.Name)
            {
                case "adresse": caisse = caisse with { Adresse = Optional(value, ReadAdresse) }; break;
                case "codeCentre": caisse = caisse with { CodeCentre = Text(value) }; break;
                case "grandRegime": caisse = caisse with { GrandRegime = Text(value) }; break;
                case "id": caisse = caisse with { Id = Text(value) }; break;
                case "libelle": caisse = caisse with { Libelle = Text(value) }; break;
                case "organisme": caisse = caisse with { Organisme = Text(value) }; break;
                default: Unknown(); break;
            }
        }
        return caisse;
    }

    private static Adresse ReadAdresse(JsonElement element)
    {
        var adresse = new Adresse();
        foreach (var property in Properties(element))
        {
            var value = property.Value;
            switch (property.Name)
            {
                case "code_postal": adresse = adresse with { CodePostal = Text(value) }; break;
                case "commune": adresse = adresse with { Commune = Text(value) }; break;
                case "complement_adresse": adresse = adresse with { ComplementAdresse = Text(value) }; break;
                case "destinataire": adresse = adresse with { Destinataire = Text(value) }; break;
                case "indice_repetition": adresse = adresse with { IndiceRepetition = Text(value) }; break;
                case "mention_distribution": adresse = adresse with { MentionDistribution = Text(value) }; break;
                case "nom_voie": adresse = adresse with { NomVoie = Text(value) }; break;
                case "numero_voie": adresse = adresse with { NumeroVoie = Text(value) }; break;
                case "point_remise": adresse = adresse with { PointRemise = Text(value) }; break;
                case "type_voie": adresse = adresse with { TypeVoie = Text(value) }; break;
                default: Unknown(); break;
            }
        }
        return adresse;
    }

    private static Contrat ReadContrat(JsonElement element)
    {
        var contrat = new Contrat();
        foreach (var property in Properties(element))
        {
            var value = property.Value;
            switch (property.Name)
            {
                case "nature_assurance": contrat = contrat with { NatureAssurance = Named<NatureAssurance>(value) }; break;
                case "details": contrat = contrat with { Details = Optional(value, ReadDetails) }; break;
                case "date_debut": contrat = contrat with { DateDebut = Date(value) }; break;
                case "date_fin": contrat = contrat with { DateFin = Date(value) }; break;
                case "periodes_droits": contrat = contrat with { PeriodesDroits = List(value, ReadPeriodeDroits) }; break;
                default: Unknown(); break;
            }
        }
        CheckPeriod(contrat.DateDebut, contrat.DateFin);
        return contrat;
    }

    // Shown with its beginning, always; a period of another list may be open.
    private static PeriodeDroits ReadPeriodeDroits(JsonElement element)
    {
        var periode = ReadPeriode(element);
        return periode with { DateDebut = Mandatory(periode.DateDebut) };
    }

    private static DetailsContrat ReadDetails(JsonElement element)
    {
        var details = new DetailsContrat();
        foreach (var property in Properties(element))
        {
            switch (property.Name)
            {
                case "code_type_contrat": details = details with { CodeTypeContrat = Text(property.Value) }; break;
                case "libelle_type_contrat": details = details with { LibelleTypeContrat = Text(property.Value) }; break;
                default: Unknown(); break;
            }
        }
        return details;
    }

    private static Exoneration ReadExoneration(JsonElement element)
    {
        var exoneration = new Exoneration();
        foreach (var property in Properties(element))
        {
            var value = property.Value;
            switch (property.Name)
            {
                case "date_debut": exoneration = exoneration with { DateDebut = Date(value) }; break;
                case "date_fin": exoneration = exoneration with { DateFin = Date(value) }; break;
                case "maternite": exoneration = exoneration with { Maternite = Optional(value, ReadMaternite) }; break;
                case "motif": exoneration = exoneration with { Motif = Optional(value, ReadMotif) }; break;
                default: Unknown(); break;
            }
        }
        CheckPeriod(exoneration.DateDebut, exoneration.DateFin);
        return exoneration;
    }

    private static Maternite ReadMaternite(JsonElement element)
    {
        var maternite = new Maternite();
        foreach (var property in Properties(element))
        {
            switch (property.Name)
            {
                case "date_presumee_grossesse": maternite = maternite with { DatePresumeeGrossesse = Date(property.Value) }; break;
                case "date_reelle_accouchement": maternite = maternite with { DateReelleAccouchement = Date(property.Value) }; break;
                default: Unknown(); break;
            }
        }
        return maternite;
    }

    // Masking decides by the code: a reason without one cannot be judged.
    private static Motif ReadMotif(JsonElement element)
    {
        var motif = new Motif();
        foreach (var property in Properties(element))
        {
            switch (property.Name)
            {
                case "code": motif = motif with { Code = Named<CodeMotif>(property.Value) }; break;
                case "libelle": motif = motif with { Libelle = Text(property.Value) }; break;
                case "libelle_long": motif = motif with { LibelleLong = Text(property.Value) }; break;
                default: Unknown(); break;
            }
        }
        return motif with { Code = Mandatory(motif.Code) };
    }

    private static MedecinTraitant ReadMedecinTraitant(JsonElement element)
    {
        var medecin = new MedecinTraitant();
        foreach (var property in Properties(element))
        {
            var value = property.Value;
            switch (property.Name)
            {
                case "date_debut": medecin = medecin with { DateDebut = Date(value) }; break;
                case "date_fin": medecin = medecin with { DateFin = Date(value) }; break;
                case "nom": medecin = medecin with { Nom = Text(value) }; break;
                case "numero_am": medecin = medecin with { NumeroAm = NumeroAm(value) }; break;
                case "prenom": medecin = medecin with { Prenom = Text(value) }; break;
                default: Unknown(); break;
            }
        }
        CheckPeriod(medecin.DateDebut, medecin.DateFin);
        return medecin with { DateDebut = Mandatory(medecin.DateDebut) };
    }
}
