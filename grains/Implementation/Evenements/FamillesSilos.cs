using DroitsAmeli.Grains.Clustering;
using DroitsAmeli.Grains.Familles;

namespace DroitsAmeli.Grains.Evenements;

/// <summary>The silos that may hold families, and how they are told.</summary>
/// <param name="Present">Those that hold families, or may still: active, or on their way out but not dead.</param>
/// <param name="Announce">See <see cref="IFamillesService.Announce"/>.</param>
/// <param name="Obey">See <see cref="IFamillesService.Obey"/>.</param>
public sealed record FamillesSilos(
    Func<IReadOnlyCollection<SiloAddress>> Present,
    Func<SiloAddress, Evenement[], Task<string[]>> Announce,
    Func<SiloAddress, Ordre, Task<int>> Obey)
{
    internal static FamillesSilos Of(ISiloStatusOracle silos, FamillesServiceClient services) => new(
        silos.GetSilosAtWork,
        (silo, evenements) => services.On(silo).Announce(evenements),
        (silo, ordre) => services.On(silo).Obey(ordre));
}
