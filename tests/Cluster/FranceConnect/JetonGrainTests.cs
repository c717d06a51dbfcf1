using DroitsAmeli.Grains.FranceConnect;
using Xunit;

namespace DroitsAmeli.Tests.Cluster.FranceConnect;

[Collection(nameof(DroitsCluster))]
public sealed class JetonGrainTests(DroitsCluster cluster) : IAsyncLifetime
{
    private const string Slow = """{"latence_ms":100}""";

    private readonly Personne personne = new();
    private int before;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        await cluster.Recover();
        before = await cluster.FranceConnect.Checktokens();
    }

    public async ValueTask DisposeAsync() => await cluster.FranceConnect.Adjust("{}");

    [Fact]
    public async Task Concurrent_introspections_of_one_token_are_one_checktoken()
    {
        var token = await Mint();
        await cluster.FranceConnect.Adjust(Slow);
        var calls = Enumerable.Range(0, 200).Select(_ => Grain(token).Introspect(token, Cancellation)).ToArray();
        await HasAnswered(Grain(token));
        Assert.DoesNotContain(calls, call => call.IsCompleted);

        var replies = await cluster.LetTimePass(Task.WhenAll(calls));
        Assert.All(replies, reply => Assert.Equal((JetonOutcome.Active, "fs-chu"), (reply.Outcome, reply.Introspection!.ServiceProvider)));
        Assert.Equal(1, await Checktokens());
    }

    [Fact]
    public async Task Introspection_and_identification_share_one_checktoken()
    {
        var token = await Mint();
        await cluster.FranceConnect.Adjust(Slow);
        var introspection = Grain(token).Introspect(token, Cancellation);
        var identification = Grain(token).Identify(token, null, null, Cancellation);

        Assert.Equal(JetonOutcome.Active, (await cluster.LetTimePass(introspection)).Outcome);
        Assert.Equal(IdentiteOutcome.NotAttached, (await cluster.LetTimePass(identification)).Outcome);
        Assert.Equal(1, await Checktokens());
    }

    [Fact]
    public async Task Another_token_is_another_checktoken()
    {
        foreach (var token in new[] { await Mint(), await Mint() })
            Assert.Equal(JetonOutcome.Active, (await Grain(token).Introspect(token, Cancellation)).Outcome);
        Assert.Equal(2, await Checktokens());
    }

    [Fact]
    public async Task A_token_is_remembered_to_its_end_and_no_longer()
    {
        var token = await Mint(expiresIn: 60);
        Assert.Equal(JetonOutcome.Active, (await Grain(token).Introspect(token, Cancellation)).Outcome);

        cluster.Time.Advance(TimeSpan.FromSeconds(58));
        Assert.Equal(JetonOutcome.Active, (await Grain(token).Introspect(token, Cancellation)).Outcome);
        Assert.Equal(1, await Checktokens());

        cluster.Time.Advance(TimeSpan.FromSeconds(2));
        var ended = await Grain(token).Introspect(token, Cancellation);
        Assert.Equal(JetonOutcome.Inactive, ended.Outcome);
        Assert.Null(ended.Introspection);
        Assert.Equal(IdentiteOutcome.JetonInactive, (await Grain(token).Identify(token, null, null, Cancellation)).Outcome);

        // The grain goes with its token: only a new activation may have asked once more.
        Assert.InRange(await Checktokens(), 1, 2);
    }

    [Fact]
    public async Task An_inactive_token_is_asked_about_again_after_five_seconds()
    {
        const string Unknown = "jeton-que-personne-n-a-emis-0123456789";
        Assert.Equal(JetonOutcome.Inactive, (await Grain(Unknown).Introspect(Unknown, Cancellation)).Outcome);
        cluster.Time.Advance(TimeSpan.FromSeconds(4.9));
        Assert.Equal(JetonOutcome.Inactive, (await Grain(Unknown).Introspect(Unknown, Cancellation)).Outcome);
        Assert.Equal(1, await Checktokens());

        cluster.Time.Advance(TimeSpan.FromSeconds(0.2));
        Assert.Equal(JetonOutcome.Inactive, (await Grain(Unknown).Introspect(Unknown, Cancellation)).Outcome);
        Assert.Equal(2, await Checktokens());
    }

    [Theory]
    [InlineData("identifiants_refuses")]
    [InlineData("mauvais_aud")]
    [InlineData("charabia")]
    public async Task A_failure_of_franceconnect_is_not_kept(string faute)
    {
        var token = await Mint();
        await cluster.FranceConnect.Adjust($$"""{"faute":"{{faute}}","nombre":1}""");
        Assert.Equal(JetonOutcome.FranceConnectUnusable, (await Grain(token).Introspect(token, Cancellation)).Outcome);
        Assert.Equal(JetonOutcome.Active, (await Grain(token).Introspect(token, Cancellation)).Outcome);
        Assert.Equal(2, await Checktokens());
    }

    [Fact]
    public async Task A_server_error_of_franceconnect_costs_a_second_checktoken_and_twice_is_a_failure_that_is_not_kept()
    {
        var token = await Mint();
        await cluster.FranceConnect.Adjust("""{"faute":"erreur_500","nombre":3}""");
        Assert.Equal(JetonOutcome.FranceConnectUnusable, (await cluster.LetTimePass(Grain(token).Introspect(token, Cancellation))).Outcome);
        Assert.Equal(2, await Checktokens());
        Assert.Equal(JetonOutcome.Active, (await cluster.LetTimePass(Grain(token).Introspect(token, Cancellation))).Outcome);
        Assert.Equal(4, await Checktokens());
    }

    [Fact]
    public async Task A_slow_franceconnect_says_so_and_is_asked_again()
    {
        var token = await Mint();
        await cluster.FranceConnect.Adjust("""{"faute":"sans_reponse","nombre":1}""");
        Assert.Equal(IdentiteOutcome.FranceConnectTooSlow, (await cluster.LetTimePass(Grain(token).Identify(token, null, null, Cancellation))).Outcome);
        Assert.Equal(JetonOutcome.Active, (await Grain(token).Introspect(token, Cancellation)).Outcome);
    }

    [Fact]
    public async Task A_cancelled_caller_does_not_cancel_the_call_that_others_share()
    {
        var token = await Mint();
        await cluster.FranceConnect.Adjust(Slow);
        using var impatient = new CancellationTokenSource();
        var first = Grain(token).Introspect(token, impatient.Token);
        await HasAnswered(Grain(token));
        var second = Grain(token).Introspect(token, Cancellation);
        await impatient.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => first);

        Assert.Equal(JetonOutcome.Active, (await cluster.LetTimePass(second)).Outcome);
        Assert.Equal(1, await Checktokens());
    }

    [Fact]
    public async Task A_token_that_is_not_the_grains_is_refused_and_asked_nobody_about()
    {
        var (mine, other) = (await Mint(), await Mint());
        await Grain(mine).Introspect(mine, Cancellation);
        await Assert.ThrowsAsync<ArgumentException>(() => Grain(mine).Introspect(other, Cancellation));
        await Assert.ThrowsAsync<ArgumentException>(() => Grain(mine).Identify(other, null, null, Cancellation));
        Assert.Equal(1, await Checktokens());
    }

    [Fact]
    public void Tokens_that_differ_by_one_character_of_any_kind_have_different_keys()
    {
        Assert.NotEqual(JetonKey.Of("jeton-é"), JetonKey.Of("jeton-è"));
        Assert.Matches("^j-[A-Za-z0-9_-]{43}$", JetonKey.Of("jeton"));
    }

    private Task<string> Mint(int expiresIn = 60) => cluster.FranceConnect.Mint(personne.Identite(), expiresIn);

    private IJetonGrain Grain(string token) => cluster.Client.GetGrain<IJetonGrain>(JetonKey.Of(token));

    private async Task<int> Checktokens() => await cluster.FranceConnect.Checktokens() - before;

    /// <summary>Calls made before this one have reached the grain: it refuses this one at once.</summary>
    private static Task<ArgumentException> HasAnswered(IJetonGrain grain) =>
        Assert.ThrowsAsync<ArgumentException>(() => grain.Introspect("un-autre-jeton", Cancellation));
}
