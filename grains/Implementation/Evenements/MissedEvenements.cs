using DroitsAmeli.Grains.Familles;

namespace DroitsAmeli.Grains.Evenements;

/// <summary>The orders that stand for missed events, and what is said of them. Lives on one scheduler; not thread-safe.</summary>
/// <param name="silos">Obey.</param>
/// <param name="ordres">Gives the orders.</param>
/// <param name="isStored">True when families, and the cursor, are stored.</param>
/// <param name="alarms">Tell the operator.</param>
/// <param name="time">The clock.</param>
internal sealed class MissedEvenements(FamillesSilos silos, StaleOrdres ordres, bool isStored, FeedAlarms alarms, TimeProvider time)
{
    private Ordre? unreported;

    /// <summary>An order that makes everything that was loaded before now stale.</summary>
    /// <param name="reason">See <see cref="RestartReason"/>.</param>
    /// <param name="isNew">False when it was given before.</param>
    public Ordre Cover(string reason, out bool isNew)
    {
        isNew = true;
        return reason == RestartReason.First ? ordres.Begin(time.GetUtcNow()) : ordres.Cover(time.GetUtcNow(), out isNew);
    }

    /// <summary>What a silo that comes has to obey.</summary>
    public IReadOnlyCollection<Ordre> Lately() => ordres.Lately(time.GetUtcNow());

    /// <summary>Tells the operator of a new order, at once or when it is known to matter.</summary>
    public void Report(string reason, Ordre ordre)
    {
        if (reason is RestartReason.Gone or RestartReason.Refused || (isStored && reason == RestartReason.Lost))
            alarms.Missed(reason, ordre);
        else if (reason == RestartReason.Lost)
            unreported = ordre;
    }

    /// <summary>Where nothing is stored, a first start cannot be told from a lost cursor before it is known that a silo holds families.</summary>
    public async Task<int> Obey(SiloAddress silo, Ordre ordre)
    {
        var concerned = await silos.Obey(silo, ordre);
        if (concerned > 0 && unreported?.Id == ordre.Id)
        {
            unreported = null;
            alarms.Missed(RestartReason.Lost, ordre);
        }
        return concerned;
    }
}
