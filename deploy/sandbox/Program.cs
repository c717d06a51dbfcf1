using System.Runtime.InteropServices;
using DroitsAmeli.Sandbox;

using var stop = new CancellationTokenSource();
var stopped = new TaskCompletionSource();
using var onTerm = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Stop);
using var onInt = PosixSignalRegistration.Create(PosixSignal.SIGINT, Stop);

try
{
    await using var sandbox = await SandboxCluster.Start(args, stop.Token);
    Console.WriteLine(sandbox.Welcome);
    await stopped.Task;
    return 0;
}
catch (SandboxException exception)
{
    await Console.Error.WriteLineAsync(exception.Message);
    return 1;
}
catch (OperationCanceledException) when (stop.IsCancellationRequested)
{
    return 0;
}

void Stop(PosixSignalContext context)
{
    context.Cancel = true;
    stop.Cancel();
    stopped.TrySetResult();
}
