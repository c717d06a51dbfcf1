using DroitsAmeli.Load.Capacity;
using DroitsAmeli.Load.Links;
using DroitsAmeli.Load.Visits;

using var stop = new CancellationTokenSource();
Console.CancelKeyPress += (_, pressed) =>
{
    pressed.Cancel = true;
    stop.Cancel();
};

try
{
    switch (args)
    {
        case ["peak", .. var options]:
            await PeakCommand.Run(options, stop.Token);
            return 0;
        case ["capacity", .. var options]:
            await CapacityCommand.Run(options, stop.Token);
            return 0;
        case ["tls", .. var options]:
            await LinkCostCommand.Run(options, stop.Token);
            return 0;
        default:
            throw new ArgumentException("There are three modes.");
    }
}
catch (ArgumentException wrong)
{
    await Console.Error.WriteLineAsync($"{wrong.Message}\nusage: DroitsAmeli.Load with one of\n{PeakCommand.Usage}\n{CapacityCommand.Usage}\n{LinkCostCommand.Usage}");
    return 2;
}
