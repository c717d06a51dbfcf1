using System.Diagnostics;

namespace DroitsAmeli.LocalCluster;

/// <summary>
/// The programs of this build, as a cluster runs them: from a copy of their output folders, so that a build does not pull the files from
/// under what runs, and a silo that is added is of the same version as the others.
/// </summary>
internal sealed class BuiltPrograms(string folder)
{
    public const string Silo = "Silo";
    public const string Api = "Api";
    public const string Simulators = "Simulators";

    private static readonly string[] Sections =
    [
        "Admin", "Api", "Cluster", "Conventions", "Evenements", "Famille", "FranceConnect", "Freshness", "Identities", "Logging", "RegimeSi", "Regimes",
        "Sandbox", "Simulators", "Storage",
    ];

    /// <summary>Copies them from where they were built, in the configuration and beside the project of this program.</summary>
    /// <exception cref="ClusterException">One was not built.</exception>
    public void Copy()
    {
        var here = new DirectoryInfo(AppContext.BaseDirectory);
        var root = here.Parent!.Parent!.Parent!.Parent!.Parent!.FullName;
        foreach (var (program, project) in new[] { (Silo, "silo"), (Api, "api"), (Simulators, Path.Combine("deploy", "simulators")) })
        {
            var built = Path.Combine(root, project, "bin", here.Parent.Name, here.Name);
            if (!File.Exists(Path.Combine(built, Assembly(program))))
                throw new ClusterException($"{Path.Combine(built, Assembly(program))} was not built.");
            CopyFolder(built, Path.Combine(folder, program));
        }
    }

    /// <summary>What starts a program, with no setting but those given: those of the caller's environment are left out.</summary>
    public ProcessStartInfo Start(string program, IEnumerable<string> args, IReadOnlyDictionary<string, string> settings)
    {
        var start = new ProcessStartInfo(Runtime(), [Path.Combine(folder, program, Assembly(program)), .. args])
        {
            WorkingDirectory = Path.Combine(folder, program),
        };
        foreach (var name in start.Environment.Keys.Where(IsSetting).ToList())
            start.Environment.Remove(name);
        foreach (var (name, value) in settings)
            start.Environment[name.Replace(":", "__", StringComparison.Ordinal)] = value;
        return start;
    }

    private static string Assembly(string program) => $"DroitsAmeli.{program}.dll";

    private static string Runtime() => Environment.ProcessPath is { } path && Path.GetFileName(path) == "dotnet" ? path : "dotnet";

    private static void CopyFolder(string from, string to)
    {
        Directory.CreateDirectory(to);
        foreach (var file in Directory.EnumerateFiles(from))
            File.Copy(file, Path.Combine(to, Path.GetFileName(file)));
        foreach (var subfolder in Directory.EnumerateDirectories(from))
            CopyFolder(subfolder, Path.Combine(to, Path.GetFileName(subfolder)));
    }

    private static bool IsSetting(string variable) =>
        variable.StartsWith("ASPNETCORE_", StringComparison.OrdinalIgnoreCase)
        || variable.Equals("DOTNET_ENVIRONMENT", StringComparison.OrdinalIgnoreCase)
        || variable.Equals("DOTNET_URLS", StringComparison.OrdinalIgnoreCase)
        || Sections.Any(section => variable.StartsWith(section + "__", StringComparison.OrdinalIgnoreCase));
}
