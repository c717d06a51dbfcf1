using System.Diagnostics;

namespace DroitsAmeli.Tests.Rules.WireContract;

/// <summary>
/// The version that the present build must serve one cluster with: the revision that <c>DROITS_PREVIOUS_VERSION</c> names, the latest tag before
/// HEAD, or the revision of <c>tests/Chaos/previous-version.txt</c>.
/// </summary>
internal static class PreviousRevision
{
    private const string Variable = "DROITS_PREVIOUS_VERSION";
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(20);

    /// <summary>The folder of the repository that the tests were built in.</summary>
    public static string Root { get; } = FindRoot();

    /// <summary>The revision. The test that asks is skipped, with the reason, when the history does not hold it.</summary>
    public static async Task<string> Find(CancellationToken stop)
    {
        var (isRepository, told) = await Run(["git", "-C", Root, "ls-files", "--error-unmatch", "DroitsAmeli.Orleans.sln"], stop);
        Xunit.Assert.SkipUnless(isRepository, $"No previous version: {Root} has no git history (a source archive?): {told}");

        var (isTagged, tag) = await Run(["git", "-C", Root, "describe", "--tags", "--abbrev=0", "HEAD^"], stop);
        var wanted = Environment.GetEnvironmentVariable(Variable) is { Length: > 0 } named ? named
            : isTagged ? tag
            : (await File.ReadAllLinesAsync(Path.Combine(Root, "tests", "Chaos", "previous-version.txt"), stop)).Single(line => line.Length > 0 && line[0] != '#');
        var (isThere, commit) = await Run(["git", "-C", Root, "rev-parse", "--verify", "--quiet", wanted + "^{commit}"], stop);
        Xunit.Assert.SkipUnless(isThere, $"No previous version: the git history here does not hold {wanted} (a shallow clone?).");
        return isTagged && wanted == tag ? tag : commit;
    }

    /// <summary>Runs a program to its end; gives whether it was content, and what it printed.</summary>
    public static async Task<(bool Good, string Output)> Run(string[] command, CancellationToken stop)
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
        limit.CancelAfter(Limit);
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
