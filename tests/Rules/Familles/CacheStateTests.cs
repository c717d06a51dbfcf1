using DroitsAmeli.Grains.Familles;
using Xunit;

namespace DroitsAmeli.Tests.Rules.Familles;

public sealed class CacheStateTests
{
    private static readonly DateTimeOffset Noon = new(2026, 11, 23, 12, 0, 0, TimeSpan.Zero);

    [Fact]
    public void Two_parts_have_the_oldest_instant_the_worst_outcome_and_the_smallest_time_to_live()
    {
        // Each part is the worse one in some respect, so that neither may stand for both.
        var one = new CacheState { Situation = Noon, Outcome = CacheOutcome.OldCopy, TtlSeconds = 600 };
        var other = new CacheState { Situation = Noon.AddHours(1), Outcome = CacheOutcome.Hit, TtlSeconds = -40 };
        var both = new CacheState { Situation = Noon, Outcome = CacheOutcome.OldCopy, TtlSeconds = -40 };

        Assert.Equal(both, one.And(other));
        Assert.Equal(both, other.And(one));
        Assert.Equal(one, one.And(one));
    }

    [Fact]
    public void Every_outcome_is_worse_than_those_before_it()
    {
        CacheOutcome[] fromBest = [CacheOutcome.Hit, CacheOutcome.Confirmed, CacheOutcome.Refreshed, CacheOutcome.Miss, CacheOutcome.OldCopy];
        Assert.Equal(fromBest.Length, Enum.GetValues<CacheOutcome>().Length);
        foreach (var (better, worse) in fromBest.Zip(fromBest.Skip(1)))
        {
            Assert.Equal(worse, Of(better).And(Of(worse)).Outcome);
            Assert.Equal(worse, Of(worse).And(Of(better)).Outcome);
        }

        static CacheState Of(CacheOutcome outcome) => new() { Situation = Noon, Outcome = outcome, TtlSeconds = 0 };
    }

    [Fact]
    public void One_part_alone_is_the_whole()
    {
        var alone = new CacheState { Situation = Noon, Outcome = CacheOutcome.Miss, TtlSeconds = 900 };
        Assert.Equal(alone, alone.And(null));
    }
}
