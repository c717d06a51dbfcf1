using System.Diagnostics;

namespace DroitsAmeli.LocalCluster.Postgres;

/// <summary>As whom the server runs: PostgreSQL refuses root, so that root lends it the account its package has made.</summary>
internal static class ServerAccount
{
    private const string Name = "postgres";

    private static bool IsRoot => Environment.IsPrivilegedProcess;

    /// <summary>A new folder that the server may use, and nobody else but root.</summary>
    public static async Task<DirectoryInfo> CreateFolder()
    {
        if (!IsRoot)
            return Directory.CreateTempSubdirectory("droits-postgres-");

        var folder = Path.Combine(FolderForAll(), "droits-postgres-" + Path.GetRandomFileName());
        using var install = Process.Start("install", ["-d", "-m", "700", "-o", Name, "-g", Name, folder]);
        await install.WaitForExitAsync();
        return install.ExitCode == 0 ? new(folder) : throw new InvalidOperationException($"There is no account {Name}: is Debian's postgresql installed?");
    }

    /// <summary>What starts a program as that account, in the process that is started.</summary>
    public static ProcessStartInfo Start(string program, IEnumerable<string> args) => IsRoot
        ? new("setpriv", [$"--reuid={Name}", $"--regid={Name}", "--init-groups", "--", program, .. args])
        : new(program, args);

    // A folder for temporary files may belong to root alone, and then the account cannot reach what lies in it.
    private static string FolderForAll() => new[] { Path.GetTempPath(), "/tmp", "/var/tmp" }.First(IsOpen);

    private static bool IsOpen(string path)
    {
        for (var folder = new DirectoryInfo(path); folder is not null; folder = folder.Parent)
        {
            if (!folder.Exists || !folder.UnixFileMode.HasFlag(UnixFileMode.OtherExecute))
                return false;
        }

        return true;
    }
}
