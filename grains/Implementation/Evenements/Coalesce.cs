using DroitsAmeli.Grains.Familles;

namespace DroitsAmeli.Grains.Evenements;

/// <summary>Several events of one family are one: the newest.</summary>
public static class Coalesce
{
    /// <summary>Each family once, with its greatest version, in the order of the first mention.</summary>
    public static Evenement[] Newest(IEnumerable<Evenement> evenements)
    {
        var places = new Dictionary<string, int>(StringComparer.Ordinal);
        var newest = new List<Evenement>();
        foreach (var evenement in evenements)
        {
            if (places.TryAdd(evenement.Famille, newest.Count))
                newest.Add(evenement);
            else if (newest[places[evenement.Famille]].Version < evenement.Version)
                newest[places[evenement.Famille]] = evenement;
        }
        return [.. newest];
    }
}
