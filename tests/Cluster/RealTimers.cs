namespace DroitsAmeli.Tests.Cluster;

/// <summary>The instants of one clock and the durations of the machine's: leases of slots run on while a test holds its clock still.</summary>
internal sealed class RealTimers(TimeProvider instants) : TimeProvider
{
    public override DateTimeOffset GetUtcNow() => instants.GetUtcNow();
}
