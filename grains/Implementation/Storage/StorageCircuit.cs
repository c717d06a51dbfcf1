namespace DroitsAmeli.Grains.Storage;

/// <summary>
/// Spares readers a database that is away: after so many failures in a row nobody asks it for a while, then one tries. Counting failures in a
/// row, not their share, opens it as soon under much traffic as under little.
/// </summary>
internal sealed class StorageCircuit(TimeProvider time)
{
    public const int FailuresToOpen = 5;
    public static readonly TimeSpan BreakDuration = TimeSpan.FromSeconds(5);

    private readonly Lock state = new();
    private int failures;
    private DateTimeOffset closedUntil;

    /// <summary>False while the database is not to be asked. True for one caller when it is time to try: that one reports how it went.</summary>
    public bool TryEnter()
    {
        lock (state)
        {
            if (failures < FailuresToOpen)
                return true;
            var now = time.GetUtcNow();
            if (now < closedUntil)
                return false;
            closedUntil = now + BreakDuration;
            return true;
        }
    }

    /// <returns>True when that ends an outage.</returns>
    public bool Succeeded()
    {
        lock (state)
        {
            var was = failures;
            failures = 0;
            return was >= FailuresToOpen;
        }
    }

    /// <returns>True when that begins an outage.</returns>
    public bool Failed()
    {
        lock (state)
        {
            failures++;
            if (failures >= FailuresToOpen)
                closedUntil = time.GetUtcNow() + BreakDuration;
            return failures == FailuresToOpen;
        }
    }
}
