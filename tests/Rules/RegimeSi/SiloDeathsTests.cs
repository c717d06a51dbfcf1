using System.Diagnostics.CodeAnalysis;
using System.Net;
using DroitsAmeli.Grains.RegimeSi;
using Microsoft.Extensions.Time.Testing;
using Orleans.Runtime;
using Xunit;

namespace DroitsAmeli.Tests.Rules.RegimeSi;

public sealed class SiloDeathsTests
{
    private readonly FakeTimeProvider time = new();
    private readonly Statuses silos = new();
    private readonly SiloDeaths deaths;

    public SiloDeathsTests() => deaths = new(silos, time);

    [Fact]
    public void Those_that_were_dead_when_it_began_do_not_count()
    {
        silos[1] = SiloStatus.Dead;
        silos[2] = SiloStatus.Active;
        deaths.Watch();

        Assert.Null(deaths.SinceLast());
        silos.Tell(1);
        Assert.Null(deaths.SinceLast());
    }

    [Fact]
    public void Time_runs_from_when_the_death_was_told()
    {
        silos[1] = SiloStatus.Active;
        deaths.Watch();
        silos[1] = SiloStatus.Dead;
        silos.Tell(1);
        time.Advance(TimeSpan.FromSeconds(3));

        Assert.Equal(TimeSpan.FromSeconds(3), deaths.SinceLast());
    }

    [Fact]
    public void One_that_nobody_has_told_of_yet_is_as_dead()
    {
        silos[1] = SiloStatus.Active;
        deaths.Watch();
        silos[1] = SiloStatus.Dead;
        Assert.Equal(TimeSpan.Zero, deaths.SinceLast());

        // Told late, it has not died again.
        time.Advance(TimeSpan.FromSeconds(2));
        silos.Tell(1);
        Assert.Equal(TimeSpan.FromSeconds(2), deaths.SinceLast());
    }

    [Fact]
    public void The_last_of_several_counts()
    {
        deaths.Watch();
        silos[1] = SiloStatus.Dead;
        silos.Tell(1);
        time.Advance(TimeSpan.FromSeconds(5));
        silos[2] = SiloStatus.Dead;
        silos.Tell(2);
        time.Advance(TimeSpan.FromSeconds(1));

        Assert.Equal(TimeSpan.FromSeconds(1), deaths.SinceLast());
    }

    [Theory]
    [InlineData(SiloStatus.Joining)]
    [InlineData(SiloStatus.Active)]
    [InlineData(SiloStatus.ShuttingDown)]
    [InlineData(SiloStatus.Stopping)]
    public void One_that_is_not_dead_does_not_count(SiloStatus status)
    {
        deaths.Watch();
        silos[1] = status;
        silos.Tell(1);

        Assert.Null(deaths.SinceLast());
    }

    private sealed class Statuses : ISiloStatusOracle
    {
        private readonly Dictionary<SiloAddress, SiloStatus> known = [];
        private readonly List<ISiloStatusListener> listeners = [];

        public SiloStatus CurrentStatus => SiloStatus.Active;

        public string SiloName => "silo";

        public SiloAddress SiloAddress => Address(0);

        public SiloStatus this[int silo]
        {
            set => known[Address(silo)] = value;
        }

        public void Tell(int silo) => listeners.ForEach(listener => listener.SiloStatusChangeNotification(Address(silo), known[Address(silo)]));

        public SiloAddress[] GetActiveSilos() => [.. GetApproximateSiloStatuses(onlyActive: true).Keys];

        public SiloStatus GetApproximateSiloStatus(SiloAddress siloAddress) => known.GetValueOrDefault(siloAddress);

        public Dictionary<SiloAddress, SiloStatus> GetApproximateSiloStatuses(bool onlyActive = false) =>
            known.Where(silo => !onlyActive || silo.Value == SiloStatus.Active).ToDictionary();

        public bool TryGetSiloName(SiloAddress siloAddress, [NotNullWhen(true)] out string? siloName) => (siloName = null) is not null;

        public bool IsFunctionalDirectory(SiloAddress siloAddress) => !IsDeadSilo(siloAddress);

        public bool IsDeadSilo(SiloAddress silo) => known.GetValueOrDefault(silo) == SiloStatus.Dead;

        public bool SubscribeToSiloStatusEvents(ISiloStatusListener observer)
        {
            listeners.Add(observer);
            return true;
        }

        public bool UnSubscribeFromSiloStatusEvents(ISiloStatusListener observer) => listeners.Remove(observer);

        private static SiloAddress Address(int silo) => SiloAddress.New(IPAddress.Loopback, 11_000 + silo, 1);
    }
}
