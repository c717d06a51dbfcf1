using System.Text.Json;

namespace DroitsAmeli.Load.Processes;

/// <summary>What a process holds after a full, compacting collection.</summary>
/// <param name="ManagedBytes">Live objects.</param>
/// <param name="CommittedBytes">What the collector holds from the system.</param>
/// <param name="ResidentBytes">All that the process holds in physical memory.</param>
public sealed record MemoryReport(long ManagedBytes, long CommittedBytes, long ResidentBytes)
{
    /// <summary>The variable that names the file into which <see cref="StartupHook"/> reports, and so switches it on.</summary>
    internal const string FileVariable = "DROITS_LOAD_MEMORY_REPORT";

    private static readonly TimeSpan Look = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(2);

    /// <summary>Has a process collect, and reads what it reports. Its deployment must have asked for reports.</summary>
    /// <exception cref="TimeoutException">It did not report in time.</exception>
    public static async Task<MemoryReport> Of(Node node, CancellationToken cancellationToken)
    {
        var file = FileOf(node.Log);
        File.Delete(file);
        node.Process.Send(UnixSignal.User1);
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(Limit);
        while (!File.Exists(file))
        {
            try
            {
                await Task.Delay(Look, TimeProvider.System, limit.Token);
            }
            catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
            {
                throw new TimeoutException($"{node.Name} reported no memory.");
            }
        }

        var (managed, committed) = JsonSerializer.Deserialize<Collected>(await File.ReadAllBytesAsync(file, cancellationToken))!;
        return new(managed, committed, node.Process.ResidentBytes);
    }

    internal static string FileOf(string log) => log + ".memory.json";

    internal sealed record Collected(long Managed, long Committed);
}
