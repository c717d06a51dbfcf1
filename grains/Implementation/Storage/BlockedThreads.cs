namespace DroitsAmeli.Grains.Storage;

/// <summary>Threads for what blocks them while the database stands still.</summary>
/// <remarks>
/// Npgsql ends a command that has timed out by asking the server to cancel it, on a new connection and blocking a thread of the pool until
/// that has timed out too. With a server that stands still that is a thread for each command that ran, for seconds, while the pool adds
/// two a second: nothing else ran meanwhile, calls to grains included. At other times so many threads would only compete for the processors.
/// </remarks>
/// <param name="threads">How many may block at once.</param>
internal sealed class BlockedThreads(int threads)
{
    private static readonly Lock Pool = new();

    private bool allowed;

    /// <summary>Lets the pool have them at once, or no longer.</summary>
    public void Allow(bool now)
    {
        lock (Pool)
        {
            if (now == allowed)
                return;
            allowed = now;
            ThreadPool.GetMinThreads(out var working, out var completing);
            ThreadPool.SetMinThreads(now ? working + threads : Math.Max(1, working - threads), completing);
        }
    }
}
