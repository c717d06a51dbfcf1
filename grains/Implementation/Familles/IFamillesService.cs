using Orleans.Services;

namespace DroitsAmeli.Grains.Familles;

/// <summary>Tells the families that one silo holds, in batches, what happened to them: one call per silo, not one per family.</summary>
[Alias("droits.familles.service")]
public interface IFamillesService : IGrainService
{
    /// <summary>
    /// Makes the families of the batch that are held here superseded; those read lately are refreshed at once. A family that becomes active
    /// here within the next seconds is told too. Never activates one.
    /// </summary>
    /// <returns>The ids of the families of the batch that were held, or still being written, here; of none of them anything older is being written any more.</returns>
    [Alias("announce"), ResponseTimeout("00:00:30")]
    Task<string[]> Announce(Evenement[] evenements);

    /// <summary>Carries out what an operator, or a lost cursor, orders for many families.</summary>
    /// <returns>How many families it concerns of those held here, or held until it was in force.</returns>
    [Alias("obey"), ResponseTimeout("00:00:30")]
    Task<int> Obey(Ordre ordre);

    /// <summary>What is held of one family; null when it is not active here.</summary>
    [Alias("look")]
    Task<FamilleState?> Look(string famille);
}
