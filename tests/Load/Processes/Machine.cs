using System.Globalization;

namespace DroitsAmeli.Load.Processes;

/// <summary>The machine on which everything runs.</summary>
public static class Machine
{
    /// <summary>Runnable tasks over the last minute: what else it was doing.</summary>
    public static double LoadAverage() => double.Parse(File.ReadAllText("/proc/loadavg").Split(' ')[0], CultureInfo.InvariantCulture);
}
