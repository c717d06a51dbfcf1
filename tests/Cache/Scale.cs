using System.Globalization;

namespace DroitsAmeli.Tests.Cache;

/// <summary>How far the scenarios go: short unless the long run was asked for.</summary>
internal static class Scale
{
    public static bool IsFull { get; } = Environment.GetEnvironmentVariable("DROITS_TESTS_FULL") == "1";

    public static T Of<T>(T inShort, T inFull) => IsFull ? inFull : inShort;

    /// <summary>Runnable tasks of the machine over the last minute: what else it was doing.</summary>
    public static double LoadAverage() => double.Parse(File.ReadAllText("/proc/loadavg").Split(' ')[0], CultureInfo.InvariantCulture);
}
