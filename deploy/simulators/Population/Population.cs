using System.Collections.Frozen;
using System.Globalization;

namespace DroitsAmeli.Simulators;

/// <summary>
/// The simulated population: named personas, and any number of families drawn from a seed and their index. Nothing is kept per family, so
/// a million cost no memory. Dates are relative to the day in Paris on which the population was made and stay put until it is made anew.
/// </summary>
public sealed class Population
{
    private const string BulkPersonaPrefix = "famille-";

    private static readonly FrozenDictionary<string, int> FirstNamePositions =
        new[] { Noms.AdultMen, Noms.AdultWomen, Noms.YoungMen, Noms.YoungWomen }
            .SelectMany(names => names.Select((name, position) => (name, position)))
            .ToFrozenDictionary(entry => Normalisation.Of(entry.name), entry => entry.position);

    private readonly BulkFamilies _bulk;
    private readonly FamilleId _ids;
    private readonly FrozenDictionary<long, FamilleSimulee> _personaFamilies;
    private readonly ILookup<string, (FamilleSimulee Famille, MembreSimule Membre)> _personaMembers;

    /// <summary>Lays out a population.</summary>
    /// <param name="seed">The same seed, size and day give the same population.</param>
    /// <param name="size">Families in the bulk population, at least 1.</param>
    /// <param name="time">Says what day it is.</param>
    /// <exception cref="ArgumentOutOfRangeException">The size is below 1, or above <see cref="LargestSize"/>.</exception>
    public Population(int seed, long size, TimeProvider time)
    {
        Size = size;
        Today = DateOnly.FromDateTime(TimeZoneInfo.ConvertTime(time.GetUtcNow(), TimeZoneInfo.FindSystemTimeZoneById("Europe/Paris")).DateTime);
        _ids = new FamilleId(seed);
        _bulk = new BulkFamilies(seed, size, Today, _ids);
        _personaFamilies = PersonaFamilies.All(new Prestations(Today), _ids).ToFrozenDictionary(famille => famille.Numero);
        _personaMembers = _personaFamilies.Values.OrderBy(famille => famille.Numero)
            .SelectMany(famille => famille.Membres.Where(membre => membre.Beneficiaire.Nir is not null).Select(membre => (famille, membre)))
            .ToLookup(entry => Normalisation.Of(entry.membre.EtatCivil.Nom));
    }

    /// <summary>The most families a population can have: beyond, NIRs would run out.</summary>
    public static long LargestSize => PersonSpace.LargestPopulation;

    /// <summary>Families in the bulk population.</summary>
    public long Size { get; }

    /// <summary>The day, in Paris, to which all dates are relative.</summary>
    public DateOnly Today { get; }

    /// <summary>A family of the bulk population, by its index from 0 to <see cref="Size"/> − 1.</summary>
    /// <exception cref="ArgumentOutOfRangeException">No such index.</exception>
    public FamilleSimulee Get(long index)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(index);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(index, Size);
        return _bulk.Get(index);
    }

    /// <summary>The id of a family of the bulk population, without drawing the family.</summary>
    public string IdAt(long index) => _ids.Write(index);

    /// <summary>The family with that opaque id, of a persona or of the bulk population; null when there is none.</summary>
    public FamilleSimulee? FindFamille(string? id)
    {
        if (!_ids.TryRead(id, out var number))
            return null;
        return number < Size ? _bulk.Get(number) : _personaFamilies.GetValueOrDefault(number);
    }

    /// <summary>
    /// The persona with that id: a named one (<see cref="Personas.All"/>), <c>famille-42</c> for the assuré of a bulk family, or
    /// <c>famille-42-1</c> for another member, counted from 0; null when there is none, or for a member without a NIR.
    /// </summary>
    public Persona? FindPersona(string id)
    {
        if (Personas.Find(id) is { } named)
            return named;
        if (!id.StartsWith(BulkPersonaPrefix, StringComparison.Ordinal))
            return null;

        var parts = id[BulkPersonaPrefix.Length..].Split('-');
        var member = 0;
        if (parts.Length > 2 || !TryNumber(parts[0], out var index) || index >= Size || (parts.Length == 2 && !int.TryParse(parts[1], NumberStyles.None, CultureInfo.InvariantCulture, out member)))
            return null;

        var famille = Get(index);
        return member < famille.Membres.Count && famille.Membres[member] is { Beneficiaire.Nir: not null } found
            ? new Persona(id, $"Famille {index} de la population, {found.Beneficiaire.Qualite}", found.EtatCivil.ToFranceConnect())
            : null;
    }

    /// <summary>Everybody who matches an identity, each person once; empty when nobody does or the request can match nobody.</summary>
    public IReadOnlyList<(FamilleSimulee Famille, MembreSimule Membre)> Match(IdentiteDemandee asked)
    {
        if (ComparedIdentity.Of(asked) is not { } identity)
            return [];

        var found = _personaMembers[identity.Nom].Where(entry => identity.Matches(entry.Membre.EtatCivil)).ToList();
        foreach (var first in identity.FirstNames)
        {
            if (!FirstNamePositions.TryGetValue(first, out var position)
                || _bulk.Space.Find(identity.Lieu, identity.Naissance.Mois ?? 1, identity.Naissance.Jour ?? 1, position % _bulk.Space.NameClasses) is not { } person)
                continue;

            var famille = _bulk.Get(person.Famille);
            found.AddRange(famille.Membres
                .Where(membre => membre.Beneficiaire.Nir is not null && identity.Matches(membre.EtatCivil))
                .Select(membre => (famille, membre)));
        }

        return [.. found.DistinctBy(entry => entry.Membre.Beneficiaire.Nir)];
    }

    /// <summary>The opaque id of a family that a change makes while the simulator runs.</summary>
    internal string CreatedId(long number) => _ids.Write(FamilleId.FirstCreated + number);

    private static bool TryNumber(string text, out long number) =>
        long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out number);
}
