using System.Runtime.InteropServices;
using DroitsAmeli.LocalCluster;

using var stop = new CancellationTokenSource();
using var onTerm = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Stop);
using var onInt = PosixSignalRegistration.Create(PosixSignal.SIGINT, Stop);
using var onHangUp = PosixSignalRegistration.Create(PosixSignal.SIGHUP, Stop);

try
{
    if (args is ["help" or "--help" or "-h"])
    {
        Console.WriteLine(CommandLine.Usage);
        return 0;
    }

    var line = CommandLine.Parse(args);
    var folder = new StateFolder(line.State);
    var commands = new Commands(folder, Console.Out);
    await (line.Name switch
    {
        "up" => Up(),
        "add-silo" => commands.AddSilo(stop.Token),
        "drain" => commands.Drain(line.Target!, stop.Token),
        "kill" => commands.Kill(line.Target!, stop.Token),
        "restart" => commands.Restart(line.Target!, stop.Token),
        "down" => commands.Down(stop.Token),
        _ => Status(),
    });
    return 0;

    async Task Up() => Console.WriteLine(Welcome.Text(await commands.Up(line.Up, stop.Token), folder));

    async Task Status()
    {
        var report = await StatusReport.Of(folder.Load(), folder, stop.Token);
        Console.WriteLine(line.Json ? report.ToJson() : report.ToTable());
    }
}
catch (UsageException exception)
{
    await Console.Error.WriteLineAsync(exception.Message);
    return 2;
}
catch (Exception exception) when (exception is ClusterException or IOException or UnauthorizedAccessException)
{
    await Console.Error.WriteLineAsync(exception.Message);
    return 1;
}
catch (OperationCanceledException) when (stop.IsCancellationRequested)
{
    return 130;
}

void Stop(PosixSignalContext context)
{
    context.Cancel = true;
    stop.Cancel();
}
