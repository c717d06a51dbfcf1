using System.Diagnostics;

namespace DroitsAmeli.Tests.Sandbox.Processes;

/// <summary>A shell, for what people paste.</summary>
internal static class Shell
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(30);

    /// <summary>Runs a line through <c>bash -c</c>; gives what it printed, and fails when it does.</summary>
    public static async Task<string> Run(string line)
    {
        var start = new ProcessStartInfo("bash", ["-c", line]) { RedirectStandardOutput = true, RedirectStandardError = true };
        using var bash = Process.Start(start)!;
        using var timeout = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        timeout.CancelAfter(Limit);
        try
        {
            var output = bash.StandardOutput.ReadToEndAsync(timeout.Token);
            var errors = bash.StandardError.ReadToEndAsync(timeout.Token);
            await bash.WaitForExitAsync(timeout.Token);
            Assert.True(bash.ExitCode == 0, $"exit code {bash.ExitCode}: {await errors}");
            return await output;
        }
        finally
        {
            if (!bash.HasExited)
                bash.Kill(entireProcessTree: true);
        }
    }
}
