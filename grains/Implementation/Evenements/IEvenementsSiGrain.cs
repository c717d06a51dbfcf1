namespace DroitsAmeli.Grains.Evenements;

/// <summary>The one follower of the régime SI's change feed. Two at once, while the directory is repaired, are harmless: the later one alone stores the cursor.</summary>
[Alias("droits.evenements-si")]
public interface IEvenementsSiGrain : IGrainWithStringKey
{
    /// <summary>The key of the one activation.</summary>
    const string Key = "si-evenements";

    /// <summary>Has the feed followed; called by every silo every few seconds, so that it comes back wherever it was lost.</summary>
    [Alias("follow"), ResponseTimeout("00:00:02")]
    Task Follow();
}
