using System.Diagnostics;
using System.Formats.Tar;

namespace DroitsAmeli.Tests.Chaos;

/// <summary>
/// The programs of the version before, built from the repository's history into a folder that goes with them: the revision that
/// <c>DROITS_PREVIOUS_VERSION</c> names, the latest tag before HEAD, or the revision of <c>previous-version.txt</c>.
/// </summary>
internal sealed class PreviousVersion : IDisposable
{
    private const string Variable = "DROITS_PREVIOUS_VERSION";
    private static readonly TimeSpan BuildLimit = TimeSpan.FromMinutes(20);
    private static readonly string Root = FindRoot();

    private readonly DirectoryInfo folder = Directory.CreateTempSubdirectory("droits-previous-");

    private PreviousVersion(string revision) => Revision = revision;

    /// <summary>What was built, as git names it.</summary>
    public string Revision { get; }

    /// <summary>The folder of the silo's program.</summary>
    public string Silo => ProgramFolder("silo", "DroitsAmeli.Silo.dll");

    /// <summary>The folder of the front end's program.</summary>
    public string Api => ProgramFolder("api", "DroitsAmeli.Api.dll");

    /// <summary>Builds it; minutes. The test that asks is skipped where there is no history to build it from.</summary>
    /// <exception cref="InvalidOperationException">The build failed; the message holds what it printed.</exception>
    public static async Task<PreviousVersion> Build(CancellationToken stop)
    {
        var revision = await Find(stop);
        var previous = new PreviousVersion(revision);
        try
        {
            var archive = Path.Combine(previous.folder.FullName, "source.tar");
            await Must(["git", "-C", Root, "archive", "--format=tar", $"--output={archive}", revision], stop);
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

    /// <summary>The revision to build. The test that asks is skipped, with the reason, when the history does not hold it.</summary>
    public static async Task<string> Find(CancellationToken stop)
    {
        var (isRepository, told) = await Run(["git", "-C", Root, "rev-parse", "--show-toplevel"], stop);
        Assert.SkipUnless(isRepository, $"No previous version to build: {Root} has no git history (a source archive?): {told}");

        var (isTagged, tag) = await Run(["git", "-C", Root, "describe", "--tags", "--abbrev=0", "HEAD^"], stop);
        var wanted = Environment.GetEnvironmentVariable(Variable) is { Length: > 0 } named ? named
            : isTagged ? tag
            : (await File.ReadAllLinesAsync(Path.Combine(Root, "tests", "Chaos", "previous-version.txt"), stop)).Single(line => line.Length > 0 && line[0] != '#');
        var (isThere, commit) = await Run(["git", "-C", Root, "rev-parse", "--verify", "--quiet", wanted + "^{commit}"], stop);
        Assert.SkipUnless(isThere, $"No previous version to build: the git history here does not hold {wanted} (a shallow clone?).");
        return isTagged && wanted == tag ? tag : commit;
    }

    public void Dispose() => folder.Delete(recursive: true);

    private string ProgramFolder(string project, string file) => Path.GetDirectoryName(
        Directory.EnumerateFiles(Path.Combine(folder.FullName, project, "bin", "Release"), file, SearchOption.AllDirectories).Single())!;

    private static async Task Must(string[] command, CancellationToken stop)
    {
        var (good, output) = await Run(command, stop);
        if (!good)
            throw new InvalidOperationException($"{string.Join(' ', command)} failed:\n{output}");
    }

    private static async Task<(bool Good, string Output)> Run(string[] command, CancellationToken stop)
    {
        using var process = new Process
        {
            StartInfo = new(command[0], command[1..]) { RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true },
        };
        process.StartInfo.Environment["MSBUILDDISABLENODEREUSE"] = "1";
        process.StartInfo.Environment["DOTNET_CLI_TELEMETRY_OPTOUT"] = "1";
        try
        {
            process.Start();
        }
        catch (System.ComponentModel.Win32Exception failure)
        {
            return (false, failure.Message);
        }

        process.StandardInput.Close();
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(stop);
        limit.CancelAfter(BuildLimit);
        try
        {
            var (output, errors) = (process.StandardOutput.ReadToEndAsync(limit.Token), process.StandardError.ReadToEndAsync(limit.Token));
            await process.WaitForExitAsync(limit.Token);
            return (process.ExitCode == 0, $"{await output}{await errors}".Trim());
        }
        finally
        {
            if (!process.HasExited)
                process.Kill(entireProcessTree: true);
        }
    }

    private static string FindRoot()
    {
        var at = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(at.FullName, "DroitsAmeli.Orleans.sln")))
            at = at.Parent ?? throw new InvalidOperationException("The tests run outside the repository.");
        return at.FullName;
    }
}
