using DroitsAmeli.Grains.FranceConnect;
using Xunit;

namespace DroitsAmeli.Tests.Rules.FranceConnect;

public sealed class HostileVectorTests
{
    public static TheoryData<string> Names => [.. HostileVectors.All.Keys];

    [Fact]
    public void There_are_at_least_four_hundred() => Assert.True(HostileVectors.All.Count >= 400, $"{HostileVectors.All.Count} vectors");

    [Theory]
    [MemberData(nameof(Names))]
    public async Task Is_stopped_by_its_check(string name)
    {
        using var fc = new FakeFranceConnect();
        var vector = HostileVectors.All[name](fc);

        var verdict = await fc.Verify(vector.Text);

        Assert.Equal(vector.Expired ? JetonOutcome.Inactive : JetonOutcome.FranceConnectUnusable, verdict.Answer.Outcome);
        Assert.Equal(vector.Stops, verdict.Failed);
        Assert.Null(verdict.Answer.Introspection);
        Assert.Null(verdict.Answer.Identite);
    }

    [Theory]
    [MemberData(nameof(Names))]
    public async Task Names_no_key_before_the_headers_are_pinned(string name)
    {
        using var fc = new FakeFranceConnect();
        var vector = HostileVectors.All[name](fc);

        await fc.Verify(vector.Text);

        if (vector.Stops < IntrospectionCheck.Signature)
            Assert.Equal(0, fc.JwksFetches);
        else
            Assert.InRange(fc.JwksFetches, 1, 2);
    }
}
