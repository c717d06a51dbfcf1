using System.Diagnostics;

namespace DroitsAmeli.Tests.Sandbox.Processes;

/// <summary>Waits for what another process does: there is no clock to fake and no signal to await.</summary>
internal static class Eventually
{
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(25);

    /// <summary>Looks until it holds; fails after the limit.</summary>
    public static Task Holds(Func<bool> condition, TimeSpan limit, Func<string> otherwise) =>
        Holds(() => Task.FromResult(condition()), limit, otherwise);

    /// <inheritdoc cref="Holds(Func{bool}, TimeSpan, Func{string})"/>
    public static async Task Holds(Func<Task<bool>> condition, TimeSpan limit, Func<string> otherwise)
    {
        var elapsed = Stopwatch.StartNew();
        while (!await condition())
        {
            if (elapsed.Elapsed > limit)
                Assert.Fail(otherwise());
            await Task.Delay(Pause, TimeProvider.System, TestContext.Current.CancellationToken);
        }
    }
}
