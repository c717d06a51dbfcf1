namespace DroitsAmeli.Tests.Chaos;

/// <summary>Takes the processors away from everything else.</summary>
internal static class Busy
{
    /// <summary>Two threads for each processor do nothing useful for so long.</summary>
    public static async Task For(TimeSpan duration, CancellationToken stop)
    {
        using var end = CancellationTokenSource.CreateLinkedTokenSource(stop);
        end.CancelAfter(duration);
        var threads = Enumerable.Range(0, 2 * Environment.ProcessorCount).Select(_ => new Thread(() => Spin(end.Token))).ToList();
        threads.ForEach(thread => thread.Start());
        await Task.Delay(duration, TimeProvider.System, stop);
        threads.ForEach(thread => thread.Join());
    }

    private static void Spin(CancellationToken end)
    {
        while (!end.IsCancellationRequested)
            Thread.SpinWait(10_000);
    }
}
