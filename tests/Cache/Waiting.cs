using System.Diagnostics;

namespace DroitsAmeli.Tests.Cache;

/// <summary>Waits for what other processes do: there is no clock to fake and no signal to await.</summary>
internal static class Waiting
{
    private static readonly TimeSpan Look = TimeSpan.FromMilliseconds(50);

    /// <summary>Looks until it holds; fails after the limit.</summary>
    public static async Task Until(Func<Task<bool>> condition, TimeSpan limit, Func<string> otherwise)
    {
        var waited = Stopwatch.StartNew();
        while (!await condition())
        {
            if (waited.Elapsed > limit)
                Assert.Fail(otherwise());
            await Task.Delay(Look, TimeProvider.System, TestContext.Current.CancellationToken);
        }
    }

    /// <summary>Looks until a count has not moved for so long; gives it.</summary>
    public static async Task<T> Settled<T>(Func<Task<T>> count, TimeSpan still, TimeSpan limit)
    {
        var last = await count();
        var since = Stopwatch.StartNew();
        await Until(
            async () =>
            {
                var now = await count();
                if (!Equals(now, last))
                    (last, since) = (now, Stopwatch.StartNew());
                return since.Elapsed >= still;
            },
            limit,
            () => $"Still moving: {last}.");
        return last;
    }
}
