using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;

namespace DroitsAmeli.LocalCluster;

/// <summary>A signal of POSIX, by its number on Linux.</summary>
internal enum UnixSignal
{
    Interrupt = 2,
    Kill = 9,
    Terminate = 15,
}

/// <summary>A process by its id and its start: an id that was given to another process since is never taken for it.</summary>
/// <param name="Pid">Its id.</param>
/// <param name="StartTicks">Its start, in ticks of the kernel since the boot.</param>
internal readonly record struct OsProcess(int Pid, long StartTicks)
{
    // In /proc/<pid>/stat, counted from the field after the name.
    private const int State = 0;
    private const int Start = 19;
    private static readonly TimeSpan Look = TimeSpan.FromMilliseconds(50);

    public static string BootId { get; } = File.ReadAllText("/proc/sys/kernel/random/boot_id").Trim();

    /// <summary>Whether it is alive; one that has ended and whose parent has not looked is not.</summary>
    public bool IsRunning => Read(Pid) is { } stat && stat[State] is not ("Z" or "X") && StartOf(stat) == StartTicks;

    /// <summary>
    /// Starts a program that outlives this one and its terminal: in a session of its own, all that it prints added to one file.
    /// </summary>
    public static OsProcess Detach(ProcessStartInfo program, string log)
    {
        // The shell and setsid put themselves away: the process is the program, under this very id.
        string[] wrapped = ["-c", "log=$1; shift; exec setsid \"$@\" >>\"$log\" 2>&1 </dev/null", "sh", log, program.FileName, .. program.ArgumentList];
        var start = new ProcessStartInfo("/bin/sh", wrapped) { WorkingDirectory = program.WorkingDirectory };
        start.Environment.Clear();
        foreach (var (name, value) in program.Environment)
            start.Environment[name] = value;

        using var process = Process.Start(start)!;
        var stat = Read(process.Id) ?? throw new ClusterException($"{program.FileName} could not be started.");
        return new(process.Id, StartOf(stat));
    }

    /// <summary>Sends a signal; nothing happens when the process has ended.</summary>
    public void Send(UnixSignal signal)
    {
        if (IsRunning)
            _ = SendSignal(Pid, (int)signal);
    }

    /// <summary>Waits for its end; false when it still runs after the limit.</summary>
    public async Task<bool> Ends(TimeSpan limit, CancellationToken cancellationToken)
    {
        var since = TimeProvider.System.GetTimestamp();
        while (IsRunning)
        {
            if (TimeProvider.System.GetElapsedTime(since) > limit)
                return false;
            await Task.Delay(Look, TimeProvider.System, cancellationToken);
        }

        return true;
    }

    private static string[]? Read(int pid)
    {
        try
        {
            // "pid (name) state parent …", and the name may hold anything.
            var text = File.ReadAllText($"/proc/{pid.ToString(CultureInfo.InvariantCulture)}/stat");
            return text[(text.LastIndexOf(')') + 2)..].Split(' ');
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    private static long StartOf(string[] stat) => long.Parse(stat[Start], CultureInfo.InvariantCulture);

    [DllImport("libc", EntryPoint = "kill", ExactSpelling = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int SendSignal(int process, int signal);
}
