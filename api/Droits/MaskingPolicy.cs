using System.Collections.Frozen;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using DroitsAmeli.Api.Callers;
using DroitsAmeli.Grains.Droits;
using DroitsAmeli.Grains.Familles;

namespace DroitsAmeli.Api.Droits;

/// <summary>
/// Which resource, which record and which property for whom: tables of data, applied by the functions below and nowhere else.
/// What no row names is hidden. Source: the contract.
/// </summary>
public static class MaskingPolicy
{
    private const bool Shown = true;
    private const bool Hidden = false;

    /// <summary>
    /// Resource × caller's type, and the fine scopes of which one opens it or a part of it
    /// (<c>droits_assurance_maladie</c> opens all).
    /// </summary>
    private static RessourceRule[] Ressources { get; } =
    [
        new(Ressource.Me, Reach.Open, Reach.Open, ScopePart.Beneficiaires | ScopePart.MedecinTraitant | ScopePart.PresenceMedecinTraitant),
        new(Ressource.MeBeneficiaires, Reach.Open, Reach.Open, ScopePart.Beneficiaires),
        new(Ressource.Beneficiaire, Reach.Open, Reach.Open, ScopePart.Beneficiaires | ScopePart.MedecinTraitant | ScopePart.PresenceMedecinTraitant),
        new(Ressource.Caisse, Reach.Open, Reach.Open, ScopePart.Caisse),
        new(Ressource.Contrats, Reach.Open, Reach.Open, ScopePart.Contrats),
        new(Ressource.Exonerations, Reach.Open, Reach.IfExonerationsMasquees, ScopePart.Exonerations),
        new(Ressource.MedecinTraitant, Reach.Open, Reach.Reserved, ScopePart.MedecinTraitant),
    ];

    /// <summary>
    /// Property × caller's type, and the fine scopes of which one opens it; None: only <c>droits_assurance_maladie</c> does.
    /// A property without a row is hidden from everybody.
    /// </summary>
    public static IReadOnlyList<PropertyRule> Properties { get; } =
    [
        new(typeof(Beneficiaire), "date_naissance", Shown, Shown, ScopePart.Beneficiaires),
        new(typeof(Beneficiaire), "medecin_traitant_choisi", Shown, Shown, ScopePart.MedecinTraitant | ScopePart.PresenceMedecinTraitant),
        new(typeof(Beneficiaire), "nir", Shown, Shown, ScopePart.Beneficiaires),
        new(typeof(Beneficiaire), "nom_famille", Shown, Shown, ScopePart.Beneficiaires),
        new(typeof(Beneficiaire), "nom_usage", Shown, Shown, ScopePart.Beneficiaires),
        new(typeof(Beneficiaire), "prenom", Shown, Shown, ScopePart.Beneficiaires),
        new(typeof(Beneficiaire), "presence_CMUC_ACS", Shown, Shown, ScopePart.None),
        new(typeof(Beneficiaire), "qualite", Shown, Shown, ScopePart.Beneficiaires),
        new(typeof(Beneficiaire), "rang_naissance", Shown, Shown, ScopePart.Beneficiaires),

        new(typeof(Caisse), "adresse", Shown, Shown, ScopePart.Caisse),
        new(typeof(Caisse), "codeCentre", Shown, Shown, ScopePart.Caisse),
        new(typeof(Caisse), "grandRegime", Shown, Shown, ScopePart.Caisse),
        new(typeof(Caisse), "id", Shown, Shown, ScopePart.Caisse),
        new(typeof(Caisse), "libelle", Shown, Shown, ScopePart.Caisse),
        new(typeof(Caisse), "organisme", Shown, Shown, ScopePart.Caisse),

        new(typeof(Adresse), "code_postal", Shown, Shown, ScopePart.Caisse),
        new(typeof(Adresse), "commune", Shown, Shown, ScopePart.Caisse),
        new(typeof(Adresse), "complement_adresse", Shown, Shown, ScopePart.Caisse),
        new(typeof(Adresse), "destinataire", Shown, Shown, ScopePart.Caisse),
        new(typeof(Adresse), "indice_repetition", Shown, Shown, ScopePart.Caisse),
        new(typeof(Adresse), "mention_distribution", Shown, Shown, ScopePart.Caisse),
        new(typeof(Adresse), "nom_voie", Shown, Shown, ScopePart.Caisse),
        new(typeof(Adresse), "numero_voie", Shown, Shown, ScopePart.Caisse),
        new(typeof(Adresse), "point_remise", Shown, Shown, ScopePart.Caisse),
        new(typeof(Adresse), "type_voie", Shown, Shown, ScopePart.Caisse),

        new(typeof(Contrat), "nature_assurance", Shown, Shown, ScopePart.Contrats),
        new(typeof(Contrat), "details", Shown, Shown, ScopePart.Contrats),
        new(typeof(Contrat), "date_debut", Shown, Shown, ScopePart.Contrats),
        new(typeof(Contrat), "date_fin", Shown, Shown, ScopePart.Contrats),
        new(typeof(Contrat), "periodes_droits", Shown, Shown, ScopePart.Contrats),

        new(typeof(DetailsContrat), "code_type_contrat", Shown, Shown, ScopePart.Contrats),
        new(typeof(DetailsContrat), "libelle_type_contrat", Shown, Shown, ScopePart.Contrats),

        new(typeof(PeriodeDroits), "date_debut", Shown, Shown, ScopePart.Contrats),
        new(typeof(PeriodeDroits), "date_fin", Shown, Shown, ScopePart.Contrats),

        new(typeof(Exoneration), "date_debut", Shown, Shown, ScopePart.Exonerations),
        new(typeof(Exoneration), "date_fin", Shown, Shown, ScopePart.Exonerations),
        new(typeof(Exoneration), "maternite", Shown, Hidden, ScopePart.Exonerations),
        new(typeof(Exoneration), "motif", Shown, Hidden, ScopePart.Exonerations),

        new(typeof(Maternite), "date_presumee_grossesse", Shown, Hidden, ScopePart.Exonerations),
        new(typeof(Maternite), "date_reelle_accouchement", Shown, Hidden, ScopePart.Exonerations),

        new(typeof(Motif), "code", Shown, Hidden, ScopePart.Exonerations),
        new(typeof(Motif), "libelle", Shown, Hidden, ScopePart.Exonerations),
        new(typeof(Motif), "libelle_long", Shown, Hidden, ScopePart.Exonerations),

        new(typeof(MedecinTraitant), "date_debut", Shown, Hidden, ScopePart.MedecinTraitant),
        new(typeof(MedecinTraitant), "date_fin", Shown, Hidden, ScopePart.MedecinTraitant),
        new(typeof(MedecinTraitant), "nom", Shown, Hidden, ScopePart.MedecinTraitant),
        new(typeof(MedecinTraitant), "numero_am", Shown, Hidden, ScopePart.MedecinTraitant),
        new(typeof(MedecinTraitant), "prenom", Shown, Hidden, ScopePart.MedecinTraitant),
    ];

    /// <summary>Exemptions that are left out altogether: their dates alone tell the reason, or they are nobody's business but the person's.</summary>
    private static ExonerationsLeftOutRule[] ExonerationsLeftOut { get; } =
    [
        new(CallerType.OrganismeComplementaire, null, [CodeMotif.Maternite, CodeMotif.NouveauNe, CodeMotif.Sterilite]),
        new(null, Ouverture.Rattache, [CodeMotif.Maternite, CodeMotif.Sterilite]),
    ];

    /// <summary>AMC contracts have no fine scope: only <c>droits_assurance_maladie</c> opens them.</summary>
    private const ScopePart ComplementaireScopes = ScopePart.None;

    private static readonly FrozenDictionary<(Type Type, string Property), PropertyRule> ByProperty =
        Properties.ToFrozenDictionary(rule => (rule.Type, rule.Property));

    private static readonly FrozenDictionary<Ressource, RessourceRule> ByRessource =
        Ressources.ToFrozenDictionary(rule => rule.Ressource);

    /// <summary>One slot for each caller's type and set of scopes, the only things that decide on properties; filled at first need.</summary>
    private static readonly JsonSerializerOptions?[] OptionsByShape = new JsonSerializerOptions?[2 * ScopeSets];

    private const int ScopeSets = 1 << 7;

    /// <summary>True when the caller's type or convention closes the resource, whatever the token: 403 <c>donnee_reservee</c> before any look-up.</summary>
    public static bool IsReserved(Convention convention, Ressource ressource)
    {
        if (!ByRessource.TryGetValue(ressource, out var rule) || convention.Ressources?.Contains(ressource) is false)
            return true;

        return convention.Type switch
        {
            CallerType.EtablissementDeSoins => rule.Etablissement is not Reach.Open,
            CallerType.OrganismeComplementaire => rule.Organisme switch
            {
                Reach.Open => false,
                Reach.IfExonerationsMasquees => convention.Exonerations is not ExonerationsRule.Masquees,
                _ => true,
            },
            _ => true,
        };
    }

    /// <summary>True when the scopes open the resource, or a part of it; else 403 <c>scope_insuffisant</c>.</summary>
    public static bool IsOpen(Scopes scopes, Ressource ressource) =>
        ByRessource.TryGetValue(ressource, out var rule) && scopes.Open(rule.Scopes);

    /// <summary>Both rules, in the order of the contract's checks.</summary>
    public static Access AccessTo(Convention convention, Scopes scopes, Ressource ressource) =>
        IsReserved(convention, ressource) ? Access.DonneeReservee
        : IsOpen(scopes, ressource) ? Access.Open
        : Access.ScopeInsuffisant;

    /// <summary>The body of <c>/me</c> and <c>/</c>, UTF-8 JSON.</summary>
    /// <exception cref="InvalidOperationException">The view does not open the resource; the same for all of these.</exception>
    public static byte[] Render(View view, Beneficiaire value) =>
        Write(view, value, view.Opens(Ressource.Me) || view.Opens(Ressource.Beneficiaire));

    /// <summary>The body of <c>/me/beneficiaires</c>.</summary>
    public static byte[] Render(View view, IReadOnlyList<Beneficiaire> value) => Write(view, value, view.Opens(Ressource.MeBeneficiaires));

    /// <summary>The body of <c>/caisse</c>.</summary>
    public static byte[] Render(View view, Caisse value) => Write(view, value, view.Opens(Ressource.Caisse));

    /// <summary>The body of <c>/contrats</c>.</summary>
    public static byte[] Render(View view, IReadOnlyList<Contrat> value) => Write(view, Rows(view, value), view.Opens(Ressource.Contrats));

    /// <summary>The body of <c>/exonerations</c>.</summary>
    public static byte[] Render(View view, IReadOnlyList<Exoneration> value) => Write(view, Rows(view, value), view.Opens(Ressource.Exonerations));

    /// <summary>The body of <c>/medecin-traitant</c>.</summary>
    public static byte[] Render(View view, MedecinTraitant value) => Write(view, value, view.Opens(Ressource.MedecinTraitant));

    /// <summary>True when the property of that JSON name is shown to the caller's type under the scopes; false for whatever has no row.</summary>
    public static bool Shows(CallerType type, Scopes scopes, Type record, string property) =>
        ByProperty.TryGetValue((record, property), out var rule)
        && scopes.Open(rule.Scopes)
        && type switch
        {
            CallerType.EtablissementDeSoins => rule.Etablissement,
            CallerType.OrganismeComplementaire => rule.Organisme,
            _ => false,
        };

    /// <summary>Takes out of a type's JSON every property that is not shown.</summary>
    public static void HideProperties(CallerType type, Scopes scopes, JsonTypeInfo info)
    {
        if (info.Kind is not JsonTypeInfoKind.Object)
            return;
        for (var i = info.Properties.Count - 1; i >= 0; i--)
        {
            if (!Shows(type, scopes, info.Type, info.Properties[i].Name))
                info.Properties.RemoveAt(i);
        }
    }

    private static IReadOnlyList<Contrat> Rows(View view, IReadOnlyList<Contrat> contrats)
    {
        var kept = view.Scopes.Open(ComplementaireScopes) ? contrats : [.. contrats.Where(IsBase)];
        return view.Type is CallerType.EtablissementDeSoins ? kept : [.. kept.Select(AsTypeInTheContract)];
    }

    private static IReadOnlyList<Exoneration> Rows(View view, IReadOnlyList<Exoneration> exonerations)
    {
        var leftOut = ExonerationsLeftOut.Where(rule => rule.AppliesTo(view)).SelectMany(rule => rule.Motifs).ToHashSet();
        return leftOut.Count == 0 ? exonerations : [.. exonerations.Where(exoneration => MotifOf(exoneration) is { } motif && !leftOut.Contains(motif))];
    }

    /// <summary>A record that carries a maternity is one, whatever its code; a record without code could be any, so it is not shown where some are left out.</summary>
    private static CodeMotif? MotifOf(Exoneration exoneration) =>
        exoneration.Maternite is not null ? CodeMotif.Maternite : exoneration.Motif?.Code;

    private static bool IsBase(Contrat contrat) =>
        contrat.NatureAssurance is NatureAssurance.Amo
        && !(contrat.Details?.CodeTypeContrat is { } code && TypesContrat.ComplementaireSolidaire.Contains(code));

    /// <summary>A solidarity contract as it is, and any other as BASE under its own label, because free codes and labels can tell too much.</summary>
    private static Contrat AsTypeInTheContract(Contrat contrat) =>
        contrat.Details?.CodeTypeContrat is { } code && TypesContrat.ComplementaireSolidaire.Contains(code)
            ? contrat
            : contrat with
            {
                NatureAssurance = NatureAssurance.Amo,
                Details = new DetailsContrat { CodeTypeContrat = TypesContrat.Base, LibelleTypeContrat = TypesContrat.LibelleBase },
            };

    private static byte[] Write<T>(View view, T value, bool open)
    {
        if (!open)
            throw new InvalidOperationException("The view does not open this resource.");
        return JsonSerializer.SerializeToUtf8Bytes(value, (JsonTypeInfo<T>)OptionsFor(view).GetTypeInfo(typeof(T)));
    }

    private static JsonSerializerOptions OptionsFor(View view)
    {
        ref var slot = ref OptionsByShape[(int)view.Type * ScopeSets + (int)view.Scopes.Granted];
        return Volatile.Read(ref slot)
            ?? Interlocked.CompareExchange(ref slot, ContractJson.With(info => HideProperties(view.Type, view.Scopes, info)), null)
            ?? slot;
    }

    /// <summary>A row of the table of properties.</summary>
    /// <param name="Type">The record.</param>
    /// <param name="Property">The property's name in JSON.</param>
    /// <param name="Etablissement">Shown to an établissement de soins.</param>
    /// <param name="Organisme">Shown to an organisme complémentaire.</param>
    /// <param name="Scopes">The fine scopes of which one opens it.</param>
    public sealed record PropertyRule(Type Type, string Property, bool Etablissement, bool Organisme, ScopePart Scopes);

    private enum Reach
    {
        Reserved,
        Open,
        IfExonerationsMasquees,
    }

    private sealed record RessourceRule(Ressource Ressource, Reach Etablissement, Reach Organisme, ScopePart Scopes);

    /// <summary>Applies where both the caller's type and the ouverture are those given; null: any.</summary>
    private sealed record ExonerationsLeftOutRule(CallerType? Type, Ouverture? Ouverture, CodeMotif[] Motifs)
    {
        public bool AppliesTo(View view) => (Type is null || Type == view.Type) && (Ouverture is null || Ouverture == view.Ouverture);
    }
}
