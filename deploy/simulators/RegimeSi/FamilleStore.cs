using System.Collections.Concurrent;
using System.Text.Json.Serialization;

namespace DroitsAmeli.Simulators.RegimeSi;

/// <summary>A change of a family that the sandbox can ask for.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<ChangeKind>))]
public enum ChangeKind
{
    /// <summary>A new version, the content as before.</summary>
    [JsonStringEnumMemberName("touch")] Touch,
    /// <summary>The member's doctors all end yesterday.</summary>
    [JsonStringEnumMemberName("end_medecin_traitant")] EndMedecinTraitant,
    /// <summary>The member gets an affection de longue durée.</summary>
    [JsonStringEnumMemberName("add_ald")] AddAld,
    /// <summary>The member leaves the family and is found nowhere.</summary>
    [JsonStringEnumMemberName("remove_membre")] RemoveMembre,
    /// <summary>The member leaves for a new family of their own, to which their identity leads from now on.</summary>
    [JsonStringEnumMemberName("move_membre")] MoveMembre,
    /// <summary>The family is closed: 410, and identities lead to it no more.</summary>
    [JsonStringEnumMemberName("close")] Close,
}

/// <summary>A family as it is now; <see cref="Famille"/> is null when it was closed.</summary>
internal sealed record FamilleNow(FamilleSimulee? Famille, long Version);

/// <summary>The families as they are now: the population, and over it the changes made while the simulator runs.</summary>
internal sealed class FamilleStore(Population population, EvenementFeed feed, TimeProvider time)
{
    private readonly long _firstVersion = time.GetUtcNow().ToUnixTimeMilliseconds();
    private readonly ConcurrentDictionary<string, FamilleNow> _changed = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, long> _touched = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, string> _moved = new(StringComparer.Ordinal);
    private readonly Lock _changing = new();
    private long _created;

    public Population Population => population;

    /// <summary>The family as it is now; null when it never was.</summary>
    public FamilleNow? Find(string id) =>
        _changed.TryGetValue(id, out var now) ? now
        : population.FindFamille(id) is { } famille ? new FamilleNow(famille, _touched.GetValueOrDefault(id, _firstVersion))
        : null;

    /// <summary>Where a person found in the population is now; null when nowhere.</summary>
    public string? FamilleOf(FamilleSimulee found, string nir) =>
        _moved.TryGetValue(nir, out var target) ? target
        : Find(found.Id)?.Famille?.Find(nir) is not null ? found.Id
        : null;

    /// <summary>Changes a family and tells the feed.</summary>
    /// <param name="id">The family.</param>
    /// <param name="kind">What happens.</param>
    /// <param name="nir">To whom; the assuré when null.</param>
    /// <returns>The new version, and the family a member moved to; null when there is no such open family or member.</returns>
    public (long Version, string? NewFamille)? Change(string id, ChangeKind kind, string? nir)
    {
        lock (_changing)
        {
            if (Find(id) is not { Famille: { } famille } now || (nir is null ? famille.Membres[0] : famille.Find(nir)) is not { } member)
                return null;

            string? newId = null;
            if (kind == ChangeKind.MoveMembre && member.Beneficiaire.Nir is { } moving)
            {
                newId = population.CreatedId(_created++);
                var alone = member with { Beneficiaire = member.Beneficiaire with { Qualite = "assure", Rattachement = null } };
                _changed[newId] = new FamilleNow(new FamilleSimulee(-1, newId, [alone]), _firstVersion);
                _moved[moving] = newId;
            }

            var changed = Changed(famille, member, kind);
            var version = now.Version + 1;
            _changed[id] = new FamilleNow(changed, version);
            feed.Publish(id, version);
            if (newId is not null)
                feed.Publish(newId, _firstVersion);
            return (version, newId);
        }
    }

    /// <summary>Gives the family of that rank in the population, taken round and round, a new version, and tells the feed.</summary>
    /// <returns>Its id.</returns>
    public string Touch(long rank)
    {
        var id = population.IdAt(rank % population.Size);
        lock (_changing)
        {
            var version = (_changed.TryGetValue(id, out var now) ? now.Version : _touched.GetValueOrDefault(id, _firstVersion)) + 1;
            if (now is null)
                _touched[id] = version;
            else if (now.Famille is not null)
                _changed[id] = now with { Version = version };
            else
                return id;
            feed.Publish(id, version);
        }
        return id;
    }

    private FamilleSimulee? Changed(FamilleSimulee famille, MembreSimule member, ChangeKind kind) => kind switch
    {
        ChangeKind.Touch => famille,
        ChangeKind.EndMedecinTraitant => Replace(famille, member, droits => droits with
        {
            MedecinsTraitants = [.. droits.MedecinsTraitants.Select(medecin => medecin with { DateFin = population.Today.AddDays(-1) })],
        }),
        ChangeKind.AddAld => Replace(famille, member, droits => droits with
        {
            Exonerations = [.. droits.Exonerations, new Prestations(population.Today).AldListe(sinceDays: 0)],
        }),
        ChangeKind.RemoveMembre or ChangeKind.MoveMembre => famille.Membres.Count > 1
            ? famille with { Membres = [.. famille.Membres.Where(other => other != member)] }
            : null,
        _ => null,
    };

    private static FamilleSimulee Replace(FamilleSimulee famille, MembreSimule member, Func<DroitsSi, DroitsSi> change)
    {
        var droits = change(member.Droits);
        var changed = member with { Droits = droits, Beneficiaire = member.Beneficiaire with { Presences = droits.Presences } };
        return famille with { Membres = [.. famille.Membres.Select(other => other == member ? changed : other)] };
    }
}
