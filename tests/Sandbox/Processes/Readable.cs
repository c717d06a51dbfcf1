namespace DroitsAmeli.Tests.Sandbox.Processes;

/// <summary>What an operator can read: a few lines, and no stack trace.</summary>
internal static class Readable
{
    private const int MostLines = 6;

    public static void Check(ChildProcess child)
    {
        Assert.NotEmpty(child.Errors);
        Assert.True(child.Errors.Split('\n').Length + child.Output.Split('\n').Length <= MostLines, $"{child.Output}\n{child.Errors}");

        var text = child.Output + child.Errors;
        Assert.DoesNotContain("   at ", text, StringComparison.Ordinal);
        Assert.DoesNotContain("Unhandled", text, StringComparison.Ordinal);
    }
}
