using DroitsAmeli.Api.Callers;
using DroitsAmeli.Api.Droits;
using DroitsAmeli.Grains.Familles;
using Microsoft.AspNetCore.Http;
using Xunit;

namespace DroitsAmeli.Tests.Rules.Droits;

public sealed class AnswerHeadersTests
{
    private static readonly DateTimeOffset Noon = new(2026, 11, 23, 12, 0, 0, TimeSpan.Zero);

    // From best to worst, each with a time to live of its own.
    private static readonly (CacheOutcome Outcome, int Ttl, string Status)[] States =
    [
        (CacheOutcome.Hit, 600, "hit; ttl=600"),
        (CacheOutcome.Confirmed, 900, "fwd=stale; fwd-status=304"),
        (CacheOutcome.Refreshed, 901, "fwd=stale; fwd-status=200"),
        (CacheOutcome.Miss, 902, "fwd=miss"),
        (CacheOutcome.Hit, -40, "hit; ttl=-40"),
        (CacheOutcome.OldCopy, -7200, "fwd=stale; fwd-status=503; ttl=-7200"),
    ];

    public static TheoryData<int, int> Pairs => [.. from one in Enumerable.Range(0, States.Length) from other in Enumerable.Range(0, States.Length) select (one, other)];

    [Theory]
    [MemberData(nameof(Pairs))]
    public void Two_parts_declare_the_state_of_the_worse(int one, int other) =>
        Assert.Equal("DroitsAmeli; " + States[Math.Max(one, other)].Status, Declared(Of(one).And(Of(other))));

    [Fact]
    public void The_failure_of_a_part_keeps_the_smallest_time_to_live() =>
        Assert.Equal("DroitsAmeli; fwd=stale; fwd-status=503; ttl=-7200", Declared((Of(5) with { TtlSeconds = -40 }).And(Of(4) with { TtlSeconds = -7200 })));

    [Theory]
    [InlineData(CacheOutcome.Confirmed, "fwd=stale; fwd-status=304; ttl=-1")]
    [InlineData(CacheOutcome.Refreshed, "fwd=stale; fwd-status=200; ttl=-1")]
    [InlineData(CacheOutcome.Miss, "fwd=miss; ttl=-1")]
    public void A_time_to_live_that_is_over_is_never_hidden(CacheOutcome outcome, string status) =>
        Assert.Equal("DroitsAmeli; " + status, Declared(new() { Situation = Noon, Outcome = outcome, TtlSeconds = -1 }));

    private static CacheState Of(int state) => new() { Situation = Noon, Outcome = States[state].Outcome, TtlSeconds = States[state].Ttl };

    private static string Declared(CacheState cache)
    {
        var headers = new HeaderDictionary();
        AnswerHeaders.Declare(headers, cache, CallerType.EtablissementDeSoins);
        return headers["Cache-Status"].ToString();
    }
}
