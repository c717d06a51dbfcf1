using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;

namespace DroitsAmeli.Load.Processes;

/// <summary>A signal of POSIX, by its number on Linux.</summary>
public enum UnixSignal
{
    Kill = 9,
    User1 = 10,
    Terminate = 15,
    Continue = 18,
    Stop = 19,
}

/// <summary>One of the built programs as a process of its own; all that it prints goes into one file. Killed when it is disposed of.</summary>
public sealed class ProgramProcess : IAsyncDisposable
{
    private static readonly string[] Sections =
    [
        "FranceConnect", "RegimeSi", "Conventions", "Identities", "Cluster", "Admin", "Api", "Sandbox", "Simulators", "Storage",
        "Freshness", "Famille", "Regimes", "Logging",
    ];

    private readonly Process process;

    private ProgramProcess(Process process) => this.process = process;

    public int Id => process.Id;

    public bool HasExited => process.HasExited;

    /// <summary>What the process holds in physical memory now, in bytes.</summary>
    public long ResidentBytes => File.ReadLines($"/proc/{Id}/status")
        .Where(line => line.StartsWith("VmRSS:", StringComparison.Ordinal))
        .Select(line => long.Parse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture) * 1024)
        .Single();

    /// <summary>User and system time so far.</summary>
    public TimeSpan CpuTime
    {
        get
        {
            process.Refresh();
            return process.TotalProcessorTime;
        }
    }

    /// <summary>Starts <c>dotnet DroitsAmeli.{program}.dll</c>, or a program of the machine, with no setting but those given.</summary>
    /// <param name="program">Silo, Api or Simulators; or the path of another program.</param>
    /// <param name="log">The file to which its output is added.</param>
    /// <param name="args">Its arguments.</param>
    /// <param name="environment">Its settings, beside the machine's environment.</param>
    /// <param name="folder">The folder it was built into; null: the program's own output folder, of the configuration of the caller.</param>
    /// <param name="enter">The command that starts it in its own place, as <see cref="SiloHost.Enter"/>; null: none.</param>
    /// <exception cref="FileNotFoundException">The program was not built.</exception>
    public static ProgramProcess Start(
        string program, string log, IEnumerable<string> args, IReadOnlyDictionary<string, string> environment, string? folder = null,
        IReadOnlyList<string>? enter = null)
    {
        var start = new ProcessStartInfo("/bin/sh")
        {
            WorkingDirectory = Path.GetDirectoryName(log)!,
            RedirectStandardInput = true,
        };

        // The shell puts itself away: the process is the program, under this very id.
        string[] command = Path.IsPathRooted(program) ? [program] : ["dotnet", BuiltProgram(program, folder)];
        foreach (var arg in (string[])["-c", "log=$1; shift; exec \"$@\" >>\"$log\" 2>&1", "sh", log, .. enter ?? [], .. command, .. args])
            start.ArgumentList.Add(arg);
        foreach (var name in start.Environment.Keys.Where(IsSetting).ToList())
            start.Environment.Remove(name);
        foreach (var (name, value) in environment)
            start.Environment[name] = value;

        var process = Process.Start(start)!;
        process.StandardInput.Close();
        return new ProgramProcess(process);
    }

    /// <summary>Sends a signal; nothing happens when the process has ended.</summary>
    public void Send(UnixSignal signal)
    {
        if (!process.HasExited)
            _ = SendSignal(process.Id, (int)signal);
    }

    /// <summary>Kills the process (SIGKILL) and waits for its end.</summary>
    public async Task Kill()
    {
        Send(UnixSignal.Kill);
        await process.WaitForExitAsync();
    }

    /// <summary>Waits for the end of the process; gives its exit code.</summary>
    /// <exception cref="TimeoutException">It still runs after the limit.</exception>
    public async Task<int> Exited(TimeSpan limit, CancellationToken cancellationToken)
    {
        await process.WaitForExitAsync(cancellationToken).WaitAsync(limit, cancellationToken);
        return process.ExitCode;
    }

    public async ValueTask DisposeAsync()
    {
        await Kill();
        process.Dispose();
    }

    private static string BuiltProgram(string program, string? folder)
    {
        var path = Path.Combine(folder ?? OutputFolder(program), $"DroitsAmeli.{program}.dll");
        return File.Exists(path) ? path : throw new FileNotFoundException("The program was not built.", path);
    }

    // tests/{project}/bin/{configuration}/net10.0 is where this runs from.
    private static string OutputFolder(string program)
    {
        var here = new DirectoryInfo(AppContext.BaseDirectory);
        var root = here.Parent!.Parent!.Parent!.Parent!.Parent!.FullName;
        var project = program == "Simulators" ? Path.Combine("deploy", "simulators") : program.ToLowerInvariant();
        return Path.Combine(root, project, "bin", here.Parent.Name, here.Name);
    }

    private static bool IsSetting(string variable) =>
        variable.StartsWith("ASPNETCORE_", StringComparison.OrdinalIgnoreCase)
        || variable.Equals("DOTNET_ENVIRONMENT", StringComparison.OrdinalIgnoreCase)
        || variable.Equals("DOTNET_URLS", StringComparison.OrdinalIgnoreCase)
        || Sections.Any(section => variable.StartsWith(section + "__", StringComparison.OrdinalIgnoreCase));

    [DllImport("libc", EntryPoint = "kill", ExactSpelling = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int SendSignal(int process, int signal);
}
