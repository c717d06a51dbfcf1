namespace DroitsAmeli.Grains.Evenements;

/// <summary>What one follower leaves to the next.</summary>
/// <param name="Curseur">Up to where everybody was told: whoever goes on from here misses nothing.</param>
/// <param name="Epoch">Its own, see <see cref="CurseurClaim"/>; null when it never could store the cursor.</param>
public sealed record Handover(string Curseur, long? Epoch);

/// <summary>Another follower has taken the cursor over.</summary>
public sealed class CurseurTakenOverException : Exception
{
    public CurseurTakenOverException()
        : base("Another follower has taken the change feed's cursor over.")
    {
    }
}
