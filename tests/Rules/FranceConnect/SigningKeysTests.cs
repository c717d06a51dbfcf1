using System.Net;
using System.Text.Json.Nodes;
using DroitsAmeli.Grains.FranceConnect;
using Xunit;
using static DroitsAmeli.Tests.Rules.FranceConnect.FakeFranceConnect;

namespace DroitsAmeli.Tests.Rules.FranceConnect;

public sealed class SigningKeysTests : IDisposable
{
    private readonly FakeFranceConnect fc = new();

    public void Dispose() => fc.Dispose();

    private Task<SigningKey?> Find(string kid) => fc.SigningKeys.Find(kid, TestContext.Current.CancellationToken).AsTask();

    private static Task<HttpResponseMessage> Down() => Task.FromResult(new HttpResponseMessage(HttpStatusCode.ServiceUnavailable));

    [Fact]
    public async Task Are_fetched_once_for_ten_minutes()
    {
        Assert.NotNull(await Find(EcKid));
        fc.Time.Advance(TimeSpan.FromMinutes(10) - TimeSpan.FromSeconds(1));
        Assert.NotNull(await Find(EcKid));
        Assert.Equal(1, fc.JwksFetches);

        fc.Time.Advance(TimeSpan.FromSeconds(1));
        Assert.NotNull(await Find(EcKid));
        Assert.Equal(2, fc.JwksFetches);
    }

    [Fact]
    public async Task A_kid_that_is_no_longer_listed_is_refused()
    {
        Assert.NotNull(await Find(EcKid));
        fc.Jwks = Set(Sig(Jwk(NewEc(), false), "ES256", "ec-2"));
        fc.Time.Advance(TimeSpan.FromMinutes(10));

        Assert.Null(await Find(EcKid));
        Assert.NotNull(await Find("ec-2"));
    }

    [Fact]
    public async Task An_unknown_kid_is_asked_for_at_once_then_once_per_cool_down()
    {
        Assert.NotNull(await Find(EcKid));
        fc.Jwks = Set(Sig(Jwk(NewEc(), false), "ES256", "ec-2"));
        Assert.NotNull(await Find("ec-2"));
        Assert.Equal(2, fc.JwksFetches);

        for (var i = 0; i < 20; i++)
            Assert.Null(await Find($"made-up-{i}"));
        Assert.Equal(2, fc.JwksFetches);

        fc.Time.Advance(TimeSpan.FromSeconds(10));
        Assert.Null(await Find("made-up"));
        Assert.Null(await Find("made-up"));
        Assert.Equal(3, fc.JwksFetches);
    }

    [Fact]
    public async Task An_unknown_kid_waits_for_a_fetch_that_is_slow()
    {
        Assert.NotNull(await Find(EcKid));
        fc.Jwks = Set(Sig(Jwk(FcEc, false), "ES256", EcKid), Sig(Jwk(NewEc(), false), "ES256", "ec-2"));
        var (asked, answer) = (new TaskCompletionSource(), new TaskCompletionSource<HttpResponseMessage>());
        fc.JwksAnswer = () =>
        {
            asked.SetResult();
            return answer.Task;
        };
        fc.Time.Advance(TimeSpan.FromMinutes(10));
        var known = Find(EcKid);
        var unknown = Find("ec-2");
        await asked.Task;
        fc.Time.Advance(TimeSpan.FromSeconds(1));

        Assert.NotNull(await known);
        Assert.False(unknown.IsCompleted);
        answer.SetResult(new HttpResponseMessage(HttpStatusCode.OK) { Content = new StringContent(fc.Jwks.ToJsonString()) });
        Assert.NotNull(await unknown);
        Assert.Equal(2, fc.JwksFetches);
    }

    [Fact]
    public async Task Are_kept_one_hour_while_FranceConnect_is_down()
    {
        Assert.NotNull(await Find(EcKid));
        fc.JwksAnswer = Down;

        fc.Time.Advance(TimeSpan.FromHours(1));
        Assert.NotNull(await Find(EcKid));
        fc.Time.Advance(TimeSpan.FromSeconds(1));
        Assert.Null(await Find(EcKid));

        fc.JwksAnswer = null;
        fc.Time.Advance(TimeSpan.FromSeconds(10));
        Assert.NotNull(await Find(EcKid));
    }

    [Fact]
    public async Task A_down_FranceConnect_is_not_hammered()
    {
        Assert.NotNull(await Find(EcKid));
        fc.JwksAnswer = Down;
        fc.Time.Advance(TimeSpan.FromMinutes(11));

        for (var i = 0; i < 50; i++)
            Assert.NotNull(await Find(EcKid));

        Assert.Equal(2, fc.JwksFetches);
    }

    [Fact]
    public async Task Garbage_replaces_nothing()
    {
        Assert.NotNull(await Find(EcKid));
        fc.Time.Advance(TimeSpan.FromMinutes(10));
        fc.JwksAnswer = () => Task.FromResult(new HttpResponseMessage(HttpStatusCode.OK) { Content = new StringContent("<html>") });
        Assert.NotNull(await Find(EcKid));

        fc.Time.Advance(TimeSpan.FromSeconds(10));
        fc.JwksAnswer = () => Task.FromResult(new HttpResponseMessage(HttpStatusCode.OK) { Content = new StringContent(Set().ToJsonString() + new string(' ', 70_000)) });
        Assert.NotNull(await Find(EcKid));
        Assert.Equal(3, fc.JwksFetches);
    }

    [Fact]
    public async Task Concurrent_callers_share_one_fetch()
    {
        var gate = new TaskCompletionSource();
        fc.JwksAnswer = async () =>
        {
            await gate.Task;
            return new HttpResponseMessage(HttpStatusCode.OK) { Content = new StringContent(fc.Jwks.ToJsonString()) };
        };
        var callers = Enumerable.Range(0, 100).Select(_ => Find(EcKid)).ToList();
        gate.SetResult();

        Assert.All(await Task.WhenAll(callers), Assert.NotNull);
        Assert.Equal(1, fc.JwksFetches);
    }

    [Fact]
    public async Task One_caller_that_leaves_does_not_end_the_fetch_of_the_others()
    {
        var gate = new TaskCompletionSource<HttpResponseMessage>();
        fc.JwksAnswer = () => gate.Task;
        using var leaving = new CancellationTokenSource();
        var left = fc.SigningKeys.Find(EcKid, leaving.Token).AsTask();
        var stays = Find(EcKid);

        await leaving.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => left);
        gate.SetResult(new HttpResponseMessage(HttpStatusCode.OK) { Content = new StringContent(fc.Jwks.ToJsonString()) });

        Assert.NotNull(await stays);
    }

    [Fact]
    public async Task Keys_that_do_not_fit_are_refused()
    {
        var offCurve = Jwk(FcEc, false);
        offCurve["y"] = offCurve["x"]!.GetValue<string>();
        var otherCurve = Jwk(FcEc, false);
        otherCurve["crv"] = "P-384";
        var twin = NewEc();
        fc.Jwks = Set(
            Sig(Jwk(FcEc, false), "ES256", "fits"),
            Enc(Jwk(FcEc, false), "ES256", "for encryption"),
            Sig(Jwk(FcEc, false), "ES384", "other alg"),
            Sig(Jwk(FcRsa, false), "ES256", "other type"),
            Sig(offCurve, "ES256", "off curve"),
            Sig(otherCurve, "ES256", "other curve"),
            Sig(new JsonObject { ["kty"] = "oct", ["k"] = "AAAA" }, "ES256", "secret"),
            Sig(new JsonObject { ["kty"] = "EC" }, "ES256", "empty"),
            Sig(Jwk(twin, false), "ES256", "twin"), Sig(Jwk(FcEc, false), "ES256", "twin"));

        Assert.NotNull(await Find("fits"));
        foreach (var kid in (string[])["for encryption", "other alg", "other type", "off curve", "other curve", "secret", "empty", "twin", ""])
            Assert.True(await Find(kid) is null, kid);
    }

    [Fact]
    public async Task Small_rsa_keys_are_refused()
    {
        using var rs = new FakeFranceConnect(signedAlg: "RS256");
        rs.Jwks = Set(Sig(Jwk(NewRsa(1024), false), "RS256", "small"), Sig(Jwk(FcRsa, false), "RS256", "large"));

        Assert.NotNull(await rs.SigningKeys.Find("large", TestContext.Current.CancellationToken));
        Assert.Null(await rs.SigningKeys.Find("small", TestContext.Current.CancellationToken));
    }
}
