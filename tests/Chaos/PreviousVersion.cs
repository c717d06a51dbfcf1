using System.Formats.Tar;
using DroitsAmeli.Tests.Rules.WireContract;

namespace DroitsAmeli.Tests.Chaos;

/// <summary>The programs of the version before, built from the repository's history into a folder that goes with them.</summary>
internal sealed class PreviousVersion : IDisposable
{
    private readonly DirectoryInfo folder = Directory.CreateTempSubdirectory("droits-previous-");

    private PreviousVersion(string revision) => Revision = revision;

    /// <summary>What was built, as git names it.</summary>
    public string Revision { get; }

    /// <summary>The folder of the silo's program.</summary>
    public string Silo => ProgramFolder("silo", "DroitsAmeli.Silo.dll");

    /// <summary>The folder of the front end's program.</summary>
    public string Api => ProgramFolder("api", "DroitsAmeli.Api.dll");

    /// <summary>Builds it; minutes.</summary>
    /// <param name="revision">What <see cref="PreviousRevision.Find"/> gave.</param>
    /// <param name="stop">Ends the build.</param>
    /// <exception cref="InvalidOperationException">The build failed; the message holds what it printed.</exception>
    public static async Task<PreviousVersion> Build(string revision, CancellationToken stop)
    {
        var previous = new PreviousVersion(revision);
        try
        {
            var archive = Path.Combine(previous.folder.FullName, "source.tar");
            await Must(["git", "-C", PreviousRevision.Root, "archive", "--format=tar", $"--output={archive}", revision], stop);
            await TarFile.ExtractToDirectoryAsync(archive, previous.folder.FullName, overwriteFiles: false, stop);
            File.Delete(archive);
            foreach (var project in (string[])["silo", "api"])
                await Must(["dotnet", "build", Path.Combine(previous.folder.FullName, project), "-c", "Release", "-v", "quiet", "-nologo", "--tl:off", "-nodeReuse:false", "-p:UseSharedCompilation=false"], stop);
            return previous;
        }
        catch
        {
            previous.Dispose();
            throw;
        }
    }

    public void Dispose() => folder.Delete(recursive: true);

    private string ProgramFolder(string project, string file) => Path.GetDirectoryName(
        Directory.EnumerateFiles(Path.Combine(folder.FullName, project, "bin", "Release"), file, SearchOption.AllDirectories).Single())!;

    private static async Task Must(string[] command, CancellationToken stop)
    {
        var (good, output) = await PreviousRevision.Run(command, stop);
        if (!good)
            throw new InvalidOperationException($"{string.Join(' ', command)} failed:\n{output}");
    }
}
