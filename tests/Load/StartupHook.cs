using System.Globalization;
using System.Runtime;
using System.Runtime.InteropServices;

/// <summary>
/// Runs inside a measured process, which names this library in DOTNET_STARTUP_HOOKS: on SIGUSR1 it collects and writes what is left.
/// It uses nothing but the runtime's own libraries.
/// </summary>
internal static class StartupHook
{
    private const int User1 = 10;
    private const string FileVariable = "DROITS_LOAD_MEMORY_REPORT";
    private static readonly List<PosixSignalRegistration> Registrations = [];

    /// <summary>Called by the runtime before Main.</summary>
    public static void Initialize()
    {
        if (Environment.GetEnvironmentVariable(FileVariable) is { } file)
            Registrations.Add(PosixSignalRegistration.Create((PosixSignal)User1, signal =>
            {
                signal.Cancel = true;
                Report(file);
            }));
    }

    private static void Report(string file)
    {
        for (var round = 0; round < 2; round++)
        {
            GCSettings.LargeObjectHeapCompactionMode = GCLargeObjectHeapCompactionMode.CompactOnce;
            GC.Collect(GC.MaxGeneration, GCCollectionMode.Aggressive, blocking: true, compacting: true);
            GC.WaitForPendingFinalizers();
        }

        var text = string.Create(
            CultureInfo.InvariantCulture,
            $$"""{"Managed":{{GC.GetTotalMemory(forceFullCollection: false)}},"Committed":{{GC.GetGCMemoryInfo(GCKind.Any).TotalCommittedBytes}}}""");
        File.WriteAllText(file + ".new", text);
        File.Move(file + ".new", file, overwrite: true);
    }
}
