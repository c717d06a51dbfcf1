using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using System.Net;
using System.Net.Http.Headers;
using DroitsAmeli.Grains;
using DroitsAmeli.Grains.FranceConnect;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace DroitsAmeli.Tests.Rules.FranceConnect;

public sealed class FranceConnectClientTests : IDisposable
{
    private static readonly AsyncLocal<FranceConnectClientTests?> Running = new();

    private readonly FakeFranceConnect fc = new();
    private readonly Upstream upstream = new();
    private readonly FranceConnectClient client;
    private readonly MeterListener listener = new();
    private readonly ConcurrentQueue<string> counted = new();

    public FranceConnectClientTests()
    {
        client = new FranceConnectClient(new HttpClient(upstream) { Timeout = Timeout.InfiniteTimeSpan }, fc.Verifier,
            Microsoft.Extensions.Options.Options.Create(fc.Options), fc.Time, NullLogger<FranceConnectClient>.Instance);
        listener.InstrumentPublished = (instrument, l) =>
        {
            if (instrument.Meter.Name == Telemetry.MeterName)
                l.EnableMeasurementEvents(instrument);
        };
        listener.SetMeasurementEventCallback<long>((instrument, _, tags, _) =>
        {
            if (Running.Value == this)
                counted.Enqueue($"{instrument.Name} {tags[0].Value}");
        });
        listener.Start();
        Running.Value = this;
    }

    private sealed class Upstream : HttpMessageHandler
    {
        public Func<CancellationToken, Task<HttpResponseMessage>> Answer { get; set; } = _ => throw new HttpRequestException(HttpRequestError.ResponseEnded);
        public List<string> Bodies { get; } = [];
        public HttpRequestMessage? Last { get; private set; }

        protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            Last = request;
            Bodies.Add(await request.Content!.ReadAsStringAsync(cancellationToken));
            return await Answer(cancellationToken);
        }
    }

    public void Dispose()
    {
        Running.Value = null;
        listener.Dispose();
        fc.Dispose();
        upstream.Dispose();
    }

    private Task<ChecktokenAnswer> Checktoken() => client.Checktoken(FakeFranceConnect.Token, TestContext.Current.CancellationToken);

    /// <summary>Lets the pause after a 5xx pass.</summary>
    private async Task<ChecktokenAnswer> ChecktokenTwice()
    {
        var asked = Checktoken();
        fc.Time.Advance(FranceConnectClient.AfterServerError);
        return await asked;
    }

    private static Func<CancellationToken, Task<HttpResponseMessage>> Says(HttpStatusCode status, string body, string type = "application/token-introspection+jwt") =>
        _ => Task.FromResult(new HttpResponseMessage(status) { Content = new StringContent(body, new MediaTypeHeaderValue(type)) });

    private Func<CancellationToken, Task<HttpResponseMessage>> Good() => Says(HttpStatusCode.OK, fc.Answer());

    [Fact]
    public async Task Sends_exactly_three_fields()
    {
        upstream.Answer = Good();

        Assert.Equal(JetonOutcome.Active, (await Checktoken()).Outcome);

        Assert.Equal($"client_id=droits-ameli&client_secret=un-secret&token={FakeFranceConnect.Token}", Assert.Single(upstream.Bodies));
        Assert.Equal("application/x-www-form-urlencoded", upstream.Last!.Content!.Headers.ContentType!.ToString());
        Assert.Equal("https://fc.exemple.fr/api/v2/checktoken", upstream.Last.RequestUri!.ToString());
        Assert.Null(upstream.Last.Headers.Authorization);
        Assert.Equal(["droits.franceconnect.checktokens active"], counted);
    }

    [Fact]
    public async Task Refused_credentials_are_our_fault_and_an_alarm()
    {
        upstream.Answer = Says(HttpStatusCode.Unauthorized, """{"error":"invalid_client"}""", "application/json");

        Assert.Equal(JetonOutcome.FranceConnectUnusable, (await Checktoken()).Outcome);

        Assert.Equal(["droits.franceconnect.checktokens credentials_refused", "droits.alarms franceconnect_credentials"], counted);
    }

    [Theory]
    [InlineData(HttpStatusCode.BadRequest, "refused")]
    [InlineData(HttpStatusCode.Forbidden, "refused")]
    [InlineData(HttpStatusCode.NoContent, "refused")]
    [InlineData(HttpStatusCode.TemporaryRedirect, "refused")]
    [InlineData(HttpStatusCode.TooManyRequests, "refused")]
    public async Task Other_statuses_are_unusable_even_with_a_good_body(HttpStatusCode status, string label)
    {
        upstream.Answer = Says(status, fc.Answer());

        Assert.Equal(JetonOutcome.FranceConnectUnusable, (await Checktoken()).Outcome);
        Assert.Equal([$"droits.franceconnect.checktokens {label}", "droits.alarms franceconnect_unusable"], counted);
        Assert.Single(upstream.Bodies);
    }

    [Theory]
    [InlineData(HttpStatusCode.InternalServerError)]
    [InlineData(HttpStatusCode.GatewayTimeout)]
    public async Task What_franceconnect_has_failed_on_is_asked_once_more(HttpStatusCode status)
    {
        upstream.Answer = _ => (upstream.Bodies.Count == 1 ? Says(status, fc.Answer()) : Good())(default);
        var asked = Checktoken();
        Assert.Single(upstream.Bodies);
        fc.Time.Advance(FranceConnectClient.AfterServerError);
        Assert.Equal(JetonOutcome.Active, (await asked).Outcome);
        Assert.Equal(["droits.upstream.retries franceconnect", "droits.franceconnect.checktokens active"], counted);
    }

    [Theory]
    [InlineData(HttpStatusCode.InternalServerError)]
    [InlineData(HttpStatusCode.GatewayTimeout)]
    public async Task What_franceconnect_fails_on_twice_is_unusable_even_with_a_good_body(HttpStatusCode status)
    {
        upstream.Answer = Says(status, fc.Answer());

        Assert.Equal(JetonOutcome.FranceConnectUnusable, (await ChecktokenTwice()).Outcome);
        Assert.Equal(
            ["droits.upstream.retries franceconnect", "droits.franceconnect.checktokens server_error", "droits.alarms franceconnect_unusable"], counted);
        Assert.Equal(2, upstream.Bodies.Count);
    }

    [Theory]
    [InlineData("application/json")]
    [InlineData("application/jwt")]
    [InlineData("text/html")]
    public async Task Another_content_type_is_unusable(string type)
    {
        upstream.Answer = Says(HttpStatusCode.OK, fc.Answer(), type);

        Assert.Equal(JetonOutcome.FranceConnectUnusable, (await Checktoken()).Outcome);
    }

    [Fact]
    public async Task A_body_beyond_64_KiB_is_unusable_with_and_without_declared_length()
    {
        upstream.Answer = Says(HttpStatusCode.OK, new string('A', 65_537));
        Assert.Equal(JetonOutcome.FranceConnectUnusable, (await Checktoken()).Outcome);

        upstream.Answer = _ =>
        {
            var content = new StreamContent(new Endless());
            content.Headers.ContentType = new MediaTypeHeaderValue("application/token-introspection+jwt");
            return Task.FromResult(new HttpResponseMessage(HttpStatusCode.OK) { Content = content });
        };
        Assert.Equal(JetonOutcome.FranceConnectUnusable, (await Checktoken()).Outcome);
        Assert.Equal(2, counted.Count(c => c.EndsWith("malformed", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task An_answer_that_cannot_be_verified_is_an_alarm()
    {
        upstream.Answer = Says(HttpStatusCode.OK, fc.Answer(c => c["iss"] = "autre"));

        Assert.Equal(JetonOutcome.FranceConnectUnusable, (await Checktoken()).Outcome);
        Assert.Equal(["droits.franceconnect.checktokens unverifiable", "droits.alarms franceconnect_unverifiable"], counted);
    }

    [Fact]
    public async Task Silence_is_too_slow()
    {
        var asked = new TaskCompletionSource();
        upstream.Answer = async ct =>
        {
            asked.SetResult();
            await new TaskCompletionSource().Task.WaitAsync(ct);
            throw new InvalidOperationException("unreachable");
        };
        var call = Checktoken();
        await asked.Task;

        fc.Time.Advance(TimeSpan.FromSeconds(2.9));
        Assert.False(call.IsCompleted);
        fc.Time.Advance(TimeSpan.FromSeconds(0.1));

        Assert.Equal(JetonOutcome.FranceConnectTooSlow, (await call).Outcome);
    }

    [Fact]
    public async Task Silence_of_the_signing_keys_ends_in_time()
    {
        var asked = new TaskCompletionSource();
        upstream.Answer = Good();
        fc.JwksAnswer = () =>
        {
            asked.TrySetResult();
            return new TaskCompletionSource<HttpResponseMessage>().Task;
        };
        var call = Checktoken();
        await asked.Task;
        fc.Time.Advance(TimeSpan.FromSeconds(3));

        Assert.NotEqual(JetonOutcome.Active, (await call).Outcome);
    }

    [Fact]
    public async Task The_callers_cancellation_is_the_only_exception()
    {
        using var leaving = new CancellationTokenSource();
        upstream.Answer = async ct =>
        {
            await leaving.CancelAsync();
            ct.ThrowIfCancellationRequested();
            throw new InvalidOperationException("unreachable");
        };

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => client.Checktoken("t", leaving.Token));
    }

    [Fact]
    public async Task A_connection_that_failed_is_tried_once_more()
    {
        upstream.Answer = _ => upstream.Bodies.Count == 1 ? throw new HttpRequestException(HttpRequestError.ConnectionError) : Good()(default);
        Assert.Equal(JetonOutcome.Active, (await Checktoken()).Outcome);
        Assert.Equal(["droits.upstream.retries franceconnect", "droits.franceconnect.checktokens active"], counted);

        upstream.Bodies.Clear();
        upstream.Answer = _ => throw new HttpRequestException(HttpRequestError.ConnectionError);
        Assert.Equal(JetonOutcome.FranceConnectUnusable, (await Checktoken()).Outcome);
        Assert.Equal(2, upstream.Bodies.Count);
    }

    [Fact]
    public async Task A_call_that_may_have_arrived_is_not_sent_twice()
    {
        Assert.Equal(JetonOutcome.FranceConnectUnusable, (await Checktoken()).Outcome);
        Assert.Single(upstream.Bodies);
    }

    [Fact]
    public async Task The_breaker_opens_on_server_errors_for_five_seconds()
    {
        await OpenTheCircuit();

        upstream.Answer = Good();
        Assert.Equal(JetonOutcome.FranceConnectUnusable, (await Checktoken()).Outcome);
        Assert.Equal(16, upstream.Bodies.Count);

        fc.Time.Advance(TimeSpan.FromSeconds(5));
        Assert.Equal(JetonOutcome.Active, (await Checktoken()).Outcome);
    }

    [Fact]
    public async Task Nobody_is_turned_away_once_the_five_seconds_are_over()
    {
        await OpenTheCircuit();
        fc.Time.Advance(TimeSpan.FromSeconds(5));
        var (slow, answer) = (new TaskCompletionSource(), Good());
        upstream.Answer = async ct =>
        {
            await slow.Task;
            return await answer(ct);
        };

        var calls = Enumerable.Range(0, 20).Select(_ => Checktoken()).ToList();
        Assert.Equal(16 + 20, upstream.Bodies.Count);
        slow.SetResult();

        Assert.All(await Task.WhenAll(calls), call => Assert.Equal(JetonOutcome.Active, call.Outcome));
    }

    [Fact]
    public async Task The_breaker_opens_again_when_the_first_call_after_it_fails()
    {
        await OpenTheCircuit();
        fc.Time.Advance(TimeSpan.FromSeconds(5));
        Assert.Equal(JetonOutcome.FranceConnectUnusable, (await ChecktokenTwice()).Outcome);

        upstream.Answer = Good();
        Assert.Equal(JetonOutcome.FranceConnectUnusable, (await Checktoken()).Outcome);
        Assert.Equal(18, upstream.Bodies.Count);
        fc.Time.Advance(TimeSpan.FromSeconds(5));
        Assert.Equal(JetonOutcome.Active, (await Checktoken()).Outcome);
    }

    private async Task OpenTheCircuit()
    {
        upstream.Answer = Says(HttpStatusCode.InternalServerError, "");
        for (var i = 0; i < 8; i++)
            await ChecktokenTwice();
        Assert.Equal(16, upstream.Bodies.Count);
    }

    [Fact]
    public async Task The_breaker_never_opens_on_tokens_or_answers()
    {
        Func<CancellationToken, Task<HttpResponseMessage>>[] answers =
        [
            Says(HttpStatusCode.OK, fc.Answer(inner: c => c["active"] = false)), Says(HttpStatusCode.OK, "garbage"), Says(HttpStatusCode.OK, "{}", "application/json"),
            Says(HttpStatusCode.BadRequest, ""), Says(HttpStatusCode.Unauthorized, ""), Says(HttpStatusCode.OK, fc.Answer(c => c["aud"] = "autre")),
        ];
        foreach (var answer in Enumerable.Repeat(answers, 10).SelectMany(a => a))
        {
            upstream.Answer = answer;
            Assert.NotEqual(JetonOutcome.Active, (await Checktoken()).Outcome);
        }

        upstream.Answer = Good();
        Assert.Equal(JetonOutcome.Active, (await Checktoken()).Outcome);
        Assert.Equal(61, upstream.Bodies.Count);
    }

    private sealed class Endless : Stream
    {
        public override bool CanRead => true;
        public override bool CanSeek => false;
        public override bool CanWrite => false;
        public override long Length => throw new NotSupportedException();
        public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }
        public override void Flush() { }
        public override int Read(byte[] buffer, int offset, int count)
        {
            buffer.AsSpan(offset, count).Fill((byte)'A');
            return count;
        }

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();
        public override void SetLength(long value) => throw new NotSupportedException();
        public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();
    }
}
