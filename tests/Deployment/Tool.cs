using System.Diagnostics;

namespace DroitsAmeli.Tests.Deployment;

/// <summary>A program of the machine that checks a file better than we could.</summary>
internal static class Tool
{
    /// <summary>Skips the test where there is no such program.</summary>
    public static void Need(string program) => Assert.SkipUnless(IsThere(program), $"No {program} here.");

    /// <summary>Whether there is such a program.</summary>
    public static bool IsThere(string program) => (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':')
        .Any(folder => File.Exists(Path.Combine(folder, program)));

    /// <summary>Runs it to its end.</summary>
    public static async Task<(int Code, string Output, string Errors)> Run(string program, params string[] args)
    {
        var stop = TestContext.Current.CancellationToken;
        var start = new ProcessStartInfo(program, args) { RedirectStandardOutput = true, RedirectStandardError = true };

        // Or it may page.
        start.Environment["SYSTEMD_PAGER"] = "";
        using var process = Process.Start(start)!;
        var errors = process.StandardError.ReadToEndAsync(stop);
        var output = await process.StandardOutput.ReadToEndAsync(stop);
        await process.WaitForExitAsync(stop);
        return (process.ExitCode, output, await errors);
    }
}
