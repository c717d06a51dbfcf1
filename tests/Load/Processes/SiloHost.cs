namespace DroitsAmeli.Load.Processes;

/// <summary>Where a silo runs instead of beside the other processes.</summary>
/// <param name="Address">The IPv4 address at which the silo is reached; upstreams and database are at 127.0.0.1 for it too.</param>
/// <param name="Enter">The command, with its arguments, that starts there what follows it, in its own place (exec).</param>
public sealed record SiloHost(string Address, IReadOnlyList<string> Enter);
