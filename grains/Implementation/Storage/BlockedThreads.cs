namespace DroitsAmeli.Grains.Storage;

/// <summary>Threads for what blocks them while the database stands still.</summary>
/// <remarks>
/// Npgsql ends a command that has timed out by asking the server to cancel it, on a new connection and blocking a thread of the pool until
/// that has timed out too. With a server that stands still that is a thread for each command that ran, for seconds, while the pool adds
/// two a second: nothing else ran meanwhile, calls to grains included.
/// </remarks>
internal static class BlockedThreads
{
    /// <summary>Lets the pool have so many threads at once beyond those that work.</summary>
    public static void Allow(int threads)
    {
        ThreadPool.GetMinThreads(out var working, out var completing);
        ThreadPool.SetMinThreads(Math.Max(working, Environment.ProcessorCount + threads), completing);
    }
}
