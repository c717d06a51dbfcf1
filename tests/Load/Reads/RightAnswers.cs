using System.Text.Json.Nodes;
using DroitsAmeli.Simulators;

namespace DroitsAmeli.Load.Reads;

/// <summary>
/// What a partner must be told about the user, read off the simulated population by the contract's words and without any of the
/// product's code. For calls without dates: the window is the day of the call and one year.
/// </summary>
internal static class RightAnswers
{
    private const string Never = "9999-12-31";
    private static readonly string[] TypesForOrganismes = ["BASE", "C2S", "C2SP", "CMUC", "ACS_A", "ACS_B", "ACS_C"];
    private static readonly string[] MotifsKeptFromOrganismes = ["MAT", "NE", "STE"];

    /// <summary>Whether an answer is the right one, whatever the order of its properties.</summary>
    /// <param name="famille">The user's; the user is its first member.</param>
    /// <param name="resource">What was asked.</param>
    /// <param name="reading">The answer.</param>
    /// <param name="today">The day of the call, in Paris.</param>
    /// <param name="toOrganisme">Whether an organisme asks whose exemptions are masked, and not an établissement.</param>
    public static bool Is(FamilleSimulee famille, Resource resource, Reading reading, DateOnly today, bool toOrganisme)
    {
        if (Refusal(famille, resource, today, toOrganisme) is { } refusal)
            return reading.Outcome == refusal;
        if (reading.Status != 200 || Parse(reading.Body) is not { } given)
            return false;

        var right = JsonNode.Parse(Of(famille, resource, today, toOrganisme).ToJsonString());
        return (given, right) is not (JsonArray list, JsonArray wanted) ? JsonNode.DeepEquals(given, right)
            : resource switch
            {
                // Those with the same dates may stand in any order.
                Resource.Exonerations => IsInOrder(list) && JsonNode.DeepEquals(ByText(list), ByText(wanted)),

                // The user stands first, the others in any order.
                Resource.Beneficiaires => list.Count > 0 && JsonNode.DeepEquals(list[0], wanted[0]) && JsonNode.DeepEquals(ByText(list), ByText(wanted)),
                _ => JsonNode.DeepEquals(list, wanted),
            };
    }

    private static string? Refusal(FamilleSimulee famille, Resource resource, DateOnly today, bool toOrganisme) =>
        resource != Resource.MedecinTraitant ? null
        : toOrganisme ? "403 donnee_reservee"
        : MedecinTraitantOf(famille.Membres[0].Droits, today) is null ? "404 medecin_traitant_absent"
        : null;

    // The one of today, or else the next to come within the year.
    private static MedecinTraitantSi? MedecinTraitantOf(DroitsSi droits, DateOnly today) => droits.MedecinsTraitants
        .Where(medecin => !(medecin.DateFin < today) && medecin.DateDebut <= today.AddYears(1))
        .MinBy(medecin => medecin.DateDebut <= today ? DateOnly.MinValue : medecin.DateDebut);

    private static JsonNode Of(FamilleSimulee famille, Resource resource, DateOnly today, bool toOrganisme)
    {
        var horizon = today.AddYears(1);
        var (user, droits) = (famille.Membres[0].Beneficiaire, famille.Membres[0].Droits);
        return resource switch
        {
            Resource.Me or Resource.Beneficiaire => Person(user),
            Resource.Beneficiaires => new JsonArray([.. famille.Membres.Skip(1).Select(membre => membre.Beneficiaire)
                .Where(membre => user.Qualite == "assure" && IsOpenedMinor(membre, today)).Prepend(user).Select(Person)]),
            Resource.Caisse => droits.Caisse is { } caisse ? Caisse(caisse) : new JsonObject(),
            Resource.Contrats => new JsonArray([.. droits.Contrats.Where(contrat => Overlaps(contrat.DateDebut, contrat.DateFin)).Select(Contrat)]),
            Resource.Exonerations => new JsonArray([.. droits.Exonerations
                .Where(exoneration => Overlaps(exoneration.DateDebut, exoneration.DateFin) && !(toOrganisme && IsKeptFromOrganismes(exoneration))).Select(Exoneration)]),
            Resource.MedecinTraitant => MedecinTraitant(MedecinTraitantOf(droits, today)!),
            _ => throw new ArgumentOutOfRangeException(nameof(resource), resource, "Nobody knows the answer."),
        };

        bool Overlaps(DateOnly? debut, DateOnly? fin) => !(debut > horizon) && !(fin < today);

        bool Any(IEnumerable<PeriodeSi> periods) => periods.Any(period => Overlaps(period.DateDebut, period.DateFin));

        string? Future(DateOnly? debut) => debut > today ? Text(debut) : null;

        string? End(DateOnly? fin) => Text(fin > horizon ? horizon : fin);

        // Of a newborn without a NIR nothing is computed.
        JsonObject Person(BeneficiaireSi person) => Object(
            ("date_naissance", Text(person.DateNaissance)),
            ("medecin_traitant_choisi", person is { Nir: not null, Presences: { } doctors } ? Any(doctors.MedecinTraitant) : null),
            ("nir", person.Nir),
            ("nom_famille", person.NomFamille),
            ("nom_usage", person.NomUsage),
            ("prenom", person.Prenom),
            ("presence_CMUC_ACS", person is { Nir: not null, Presences: { } solidaires } ? Any(solidaires.Amc) : null),
            ("qualite", person.Qualite),
            ("rang_naissance", person.RangNaissance));

        JsonObject MedecinTraitant(MedecinTraitantSi medecin) => Object(
            ("date_debut", Text(medecin.DateDebut)),
            ("date_fin", End(medecin.DateFin)),
            ("nom", medecin.Nom),
            ("numero_am", medecin.NumeroAm),
            ("prenom", medecin.Prenom));

        JsonObject Contrat(ContratSi contrat) => Object(
            ("nature_assurance", IsShownAsBase(contrat) ? "AMO" : contrat.NatureAssurance),
            ("details", IsShownAsBase(contrat)
                ? Object(("code_type_contrat", "BASE"), ("libelle_type_contrat", "Droits de base (contrat sans spécificité)"))
                : Object(("code_type_contrat", contrat.Details.CodeTypeContrat), ("libelle_type_contrat", contrat.Details.LibelleTypeContrat))),
            ("date_debut", Future(contrat.DateDebut)),
            ("date_fin", End(contrat.DateFin)),
            ("periodes_droits", new JsonArray([.. contrat.PeriodesDroits
                .Where(period => Overlaps(period.DateDebut, period.DateFin))
                .Select(period => Object(("date_debut", Text(period.DateDebut)), ("date_fin", End(period.DateFin))))])));

        bool IsShownAsBase(ContratSi contrat) =>
            toOrganisme && (contrat.Details.CodeTypeContrat is "BASE" || !TypesForOrganismes.Contains(contrat.Details.CodeTypeContrat));

        JsonObject Exoneration(ExonerationSi exoneration) => Object(
            ("date_debut", Future(exoneration.DateDebut)),
            ("date_fin", End(exoneration.DateFin)),
            ("maternite", !toOrganisme && exoneration.Maternite is { } maternite
                ? Object(("date_presumee_grossesse", Text(maternite.DatePresumeeGrossesse)), ("date_reelle_accouchement", Text(maternite.DateReelleAccouchement)))
                : null),
            ("motif", toOrganisme ? null : Object(
                ("code", exoneration.Motif.Code), ("libelle", exoneration.Motif.Libelle), ("libelle_long", exoneration.Motif.LibelleLong))));
    }

    private static bool IsOpenedMinor(BeneficiaireSi membre, DateOnly today) =>
        membre is { Qualite: "enfant", DateNaissance: { } birth, DateDeces: null, Restrictions: null or { Count: 0 } }
        && birth.AddYears(18) > today
        && !(membre.Rattachement?.DateDebut > today) && !(membre.Rattachement?.DateFin < today);

    private static bool IsInOrder(JsonArray exonerations)
    {
        var order = exonerations.Select(Dates).ToList();
        return order.SequenceEqual(order.Order(StringComparer.Ordinal));
    }

    private static bool IsKeptFromOrganismes(ExonerationSi exoneration) =>
        exoneration.Maternite is not null || MotifsKeptFromOrganismes.Contains(exoneration.Motif.Code);

    private static JsonObject Caisse(CaisseSi caisse) => Object(
        ("adresse", Object(
            ("code_postal", caisse.Adresse.CodePostal),
            ("commune", caisse.Adresse.Commune),
            ("complement_adresse", caisse.Adresse.ComplementAdresse),
            ("destinataire", caisse.Adresse.Destinataire),
            ("indice_repetition", caisse.Adresse.IndiceRepetition),
            ("mention_distribution", caisse.Adresse.MentionDistribution),
            ("nom_voie", caisse.Adresse.NomVoie),
            ("numero_voie", caisse.Adresse.NumeroVoie),
            ("point_remise", caisse.Adresse.PointRemise),
            ("type_voie", caisse.Adresse.TypeVoie))),
        ("codeCentre", caisse.CodeCentre),
        ("grandRegime", caisse.GrandRegime),
        ("id", caisse.Id),
        ("libelle", caisse.Libelle),
        ("organisme", caisse.Organisme));

    // A property without a value is left out.
    private static JsonObject Object(params (string Name, JsonNode? Value)[] properties) =>
        new(properties.Where(property => property.Value is not null).Select(property => KeyValuePair.Create(property.Name, property.Value)));

    private static JsonNode? Parse(byte[] body)
    {
        try
        {
            return JsonNode.Parse(body);
        }
        catch (System.Text.Json.JsonException)
        {
            return null;
        }
    }

    private static JsonArray ByText(JsonArray list) =>
        new([.. list.Select(entry => entry!.DeepClone()).OrderBy(entry => Canonical(entry).ToJsonString(), StringComparer.Ordinal)]);

    private static JsonNode Canonical(JsonNode node) => node is JsonObject properties
        ? new JsonObject(properties.OrderBy(property => property.Key, StringComparer.Ordinal)
            .Select(property => KeyValuePair.Create<string, JsonNode?>(property.Key, property.Value is null ? null : Canonical(property.Value))))
        : node.DeepClone();

    private static string Dates(JsonNode? exoneration) =>
        $"{(string?)exoneration!["date_debut"] ?? ""} {(string?)exoneration["date_fin"] ?? Never}";

    private static string? Text(DateOnly? date) => date?.ToString("yyyy-MM-dd", System.Globalization.CultureInfo.InvariantCulture);
}
