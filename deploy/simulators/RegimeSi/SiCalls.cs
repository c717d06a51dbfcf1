using System.Globalization;

namespace DroitsAmeli.Simulators.RegimeSi;

/// <summary>The SI's answers, by its contract, before anything goes wrong.</summary>
internal sealed class SiCalls(FamilleStore store, SiBehaviour behaviour)
{
    private static readonly (EtatCivil Civil, string Regime)[] OtherRegimes =
        [.. Personas.OtherRegimes.Select(entry => (CivilOf(entry.Persona.Identite), entry.Regime))];

    public SiReply Identify(IdentiteDemandee? asked)
    {
        if (asked is null || ComparedIdentity.Of(asked) is not { } identity)
            return new SiReply(400);
        foreach (var (civil, regime) in OtherRegimes)
            if (identity.Matches(civil))
                return new SiReply(422, new NonHebergeSi(regime));

        var found = store.Population.Match(asked)
            .Select(entry => (Nir: entry.Membre.Beneficiaire.Nir!, Famille: store.FamilleOf(entry.Famille, entry.Membre.Beneficiaire.Nir!)))
            .Where(entry => entry.Famille is not null)
            .ToArray();
        return found switch
        {
            [] => new SiReply(404),
            [var (nir, famille)] => new SiReply(200, new IdentificationSi(famille!, nir)),
            _ => new SiReply(409),
        };
    }

    public SiReply Composition(string id, string? heldVersion)
    {
        if (store.Find(id) is not { } now)
            return new SiReply(404);
        if (now.Famille is not { } famille)
            return new SiReply(410);
        if (heldVersion == Tag(now.Version))
            return new SiReply(304, Version: now.Version);

        var members = famille.Membres.Select(membre =>
            behaviour.Reglages.Presences ? membre.Beneficiaire : membre.Beneficiaire with { Presences = null });
        return new SiReply(200, new CompositionSi(id, now.Version, [.. members]), now.Version);
    }

    public SiReply Droits(string id, string? nir, string? heldVersion)
    {
        if (string.IsNullOrEmpty(nir))
            return new SiReply(400);
        if (store.Find(id) is not { Famille: { } famille, Version: var version } || famille.Find(nir) is not { } membre)
            return new SiReply(404);
        if (heldVersion == Tag(version))
            return new SiReply(304, Version: version);

        var droits = membre.Droits;
        return new SiReply(200,
            new DroitsBeneficiaireSi(id, nir, version, droits.Caisse, droits.Contrats, droits.Exonerations, droits.MedecinsTraitants), version);
    }

    public static string Tag(long version) => string.Create(CultureInfo.InvariantCulture, $"\"{version}\"");

    private static EtatCivil CivilOf(IdentiteFranceConnect identite) =>
        DateNaissance.TryParse(identite.Birthdate, out var birth)
            ? new EtatCivil(identite.Gender == "male", identite.FamilyName, identite.GivenNameArray, birth, Lieux.Present(identite.Birthplace))
            : throw new FormatException("A persona's birth date does not read.");
}
