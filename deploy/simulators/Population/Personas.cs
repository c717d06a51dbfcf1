using System.Collections.Frozen;

namespace DroitsAmeli.Simulators;

/// <summary>The sandbox's named personas: one for each situation that the rights know.</summary>
public static class Personas
{
    /// <summary>Régimes that know these people and have an SI of their own: what a 422 names.</summary>
    internal static readonly IReadOnlyList<(Persona Persona, string Regime)> OtherRegimes =
    [
        (new Persona("marcel-paysan", "Exploitant agricole : assuré à la MSA, non hébergé (422 du SI, 404 de l'API)",
            FamilyComposer.Homme("Labourier", "Marcel", "1967-04-02", "48095").ToFranceConnect()), "02"),
        (new Persona("helene-professeure", "Enseignante : assurée à la MGEN, non hébergée (422 du SI, 404 de l'API)",
            FamilyComposer.Femme("Écolier", "Hélène, Jeanne", "1979-09-01", "35238").ToFranceConnect()), "91"),
    ];

    /// <summary>All of them, the one for a first demonstration first.</summary>
    public static IReadOnlyList<Persona> All { get; } =
    [
        .. PersonaFamilies.Definitions.SelectMany(definition => definition.Users),
        .. OtherRegimes.Select(entry => entry.Persona),
        new Persona("ines-inconnue", "Identité inconnue des régimes hébergés (404)",
            FamilyComposer.Femme("Inconnue", "Inès", "1991-11-30", "33063").ToFranceConnect()),
    ];

    private static readonly FrozenDictionary<string, Persona> ById = All.ToFrozenDictionary(persona => persona.Id, StringComparer.Ordinal);

    /// <summary>The named persona with that id; null when there is none.</summary>
    public static Persona? Find(string id) => ById.GetValueOrDefault(id);
}
