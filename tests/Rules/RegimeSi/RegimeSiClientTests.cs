using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using System.IO.Compression;
using System.Net;
using System.Net.Sockets;
using System.Text;
using DroitsAmeli.Grains;
using DroitsAmeli.Grains.Droits;
using DroitsAmeli.Grains.RegimeSi;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace DroitsAmeli.Tests.Rules.RegimeSi;

public sealed class RegimeSiClientTests
{
    private const string Number = "2780275108005";
    private const string Family = """{"famille":"F1","version":7,"beneficiaires":[]}""";

    private static readonly Nir User = Nir.TryParse(Number, out var nir) ? nir : throw new InvalidOperationException();

    private static readonly IdentificationRequest Identity = new()
    {
        FamilyName = "DURAND",
        GivenNames = ["ANNE", "MARIE"],
        Gender = "female",
        Birthdate = "1978-02",
        Birthplace = "75108",
        Birthcountry = "99100",
    };

    private static CancellationToken Ends => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Sends_an_identity_as_the_si_expects_it()
    {
        await using var si = await FakeSi.Start();
        string? seen = null;
        si.Answer = async context =>
        {
            using var body = new StreamReader(context.Request.Body);
            seen = $"{context.Request.Method} {context.Request.Path} {context.Request.Headers.Authorization} {await body.ReadToEndAsync()}";
            await FakeSi.Json($$"""{"famille":"F1","nir":"{{Number}}"}""")(context);
        };

        var answer = await si.Client(configure: options => options.ApiKey = "k3y").Identify(Identity, Ends);

        Assert.Equal(new Identification("F1", User), answer.Value);
        Assert.Equal(
            """POST /si/v1/identifications Bearer k3y {"family_name":"DURAND","given_names":["ANNE","MARIE"],"gender":"female","birthdate":"1978-02","birthplace":"75108","birthcountry":"99100"}""",
            seen);
    }

    [Fact]
    public async Task Sends_the_nir_in_a_header_and_the_family_escaped_in_the_path()
    {
        await using var si = await FakeSi.Start();
        string? seen = null;
        si.Answer = context =>
        {
            var request = context.Request;
            seen = $"{context.Features.Get<Microsoft.AspNetCore.Http.Features.IHttpRequestFeature>()!.RawTarget} {request.Headers["nir"]} {request.Headers.IfNoneMatch} [{request.Headers.Authorization}]";
            return FakeSi.Status(304)(context);
        };

        var answer = await si.Client(configure: options => options.BaseUrl += "/sous/").GetDroits("a/b ?é", User, 7, 7, Ends);

        Assert.Equal(SiStatus.Unchanged, answer.Status);
        Assert.Equal($"/sous/si/v1/familles/a%2Fb%20%3F%C3%A9/droits {Number} \"7\" []", seen);
    }

    [Theory]
    [InlineData("identifications", 404, SiStatus.NotFound)]
    [InlineData("identifications", 409, SiStatus.Ambiguous)]
    [InlineData("identifications", 422, SiStatus.Unavailable)]
    [InlineData("identifications", 304, SiStatus.Unavailable)]
    [InlineData("identifications", 410, SiStatus.Unavailable)]
    [InlineData("familles", 304, SiStatus.Unchanged)]
    [InlineData("familles", 404, SiStatus.NotFound)]
    [InlineData("familles", 410, SiStatus.Gone)]
    [InlineData("familles", 409, SiStatus.Unavailable)]
    [InlineData("familles", 422, SiStatus.Unavailable)]
    [InlineData("familles", 401, SiStatus.Unavailable)]
    [InlineData("familles", 204, SiStatus.Unavailable)]
    [InlineData("familles", 302, SiStatus.Unavailable)]
    [InlineData("droits", 304, SiStatus.Unchanged)]
    [InlineData("droits", 404, SiStatus.NotFound)]
    [InlineData("droits", 410, SiStatus.Gone)]
    [InlineData("droits", 429, SiStatus.Unavailable)]
    [InlineData("droits", 503, SiStatus.Unavailable)]
    [InlineData("droits", 504, SiStatus.Unavailable)]
    public async Task Reads_each_status_once(string call, int status, SiStatus expected)
    {
        await using var si = await FakeSi.Start();
        si.Answer = FakeSi.Status(status, ("Location", "/ailleurs"));

        Assert.Equal(expected, await Ask(si.Client(), call));
        Assert.Equal(1, si.Calls);
    }

    [Theory]
    [InlineData("""{ "regime": "02" }""", SiStatus.NotHosted)]
    [InlineData("""{ "regime": 2 }""", SiStatus.Unavailable)]
    [InlineData("""{}""", SiStatus.Unavailable)]
    [InlineData("zz", SiStatus.Unavailable)]
    public async Task A_regime_that_is_not_hosted_must_be_named(string body, SiStatus expected)
    {
        await using var si = await FakeSi.Start();
        si.Answer = async context =>
        {
            Assert.NotNull(context.Request.ContentLength);
            context.Response.StatusCode = 422;
            await context.Response.WriteAsync(body);
        };

        Assert.Equal(expected, await Ask(si.Client(), "identifications"));
    }

    [Theory]
    [InlineData(null, 0L, null)]
    [InlineData(7L, 8L, null)]
    [InlineData(7L, 7L, "\"6\"")]
    public async Task Refuses_a_304_that_confirms_nothing(long? held, long least, string? etag)
    {
        await using var si = await FakeSi.Start();
        si.Answer = etag is null ? FakeSi.Status(304) : FakeSi.Status(304, ("ETag", etag));
        var answer = await si.Client().GetComposition("F1", held, least, Ends);
        Assert.Equal(SiStatus.Unavailable, answer.Status);
    }

    [Theory]
    [InlineData(null, 7L, SiStatus.Ok)]
    [InlineData(null, 8L, SiStatus.Unavailable)]
    [InlineData(8L, 0L, SiStatus.Unavailable)]
    public async Task Refuses_a_version_that_goes_back(long? held, long least, SiStatus expected)
    {
        await using var si = await FakeSi.Start();
        si.Answer = FakeSi.Json(Family);
        Assert.Equal(expected, (await si.Client().GetComposition("F1", held, least, Ends)).Status);
    }

    [Fact]
    public async Task Counts_a_refusal_by_its_reason_and_each_unknown_property()
    {
        var reasons = new ConcurrentBag<object?>();
        var unknown = 0L;
        using var listener = new MeterListener();
        listener.SetMeasurementEventCallback<long>((instrument, value, labels, _) =>
        {
            if (instrument == Telemetry.SiRefused)
                reasons.Add(labels[0].Value);
            else
                Interlocked.Add(ref unknown, value);
        });
        listener.EnableMeasurementEvents(Telemetry.SiRefused);
        listener.EnableMeasurementEvents(Telemetry.SiUnknownProperties);
        await using var si = await FakeSi.Start();
        si.Answer = FakeSi.Json("""{"famille":"F2","version":7,"beneficiaires":[{"couleur":"bleu"}],"x":1}""");

        await si.Client().GetComposition("F1", null, 0, Ends);

        Assert.Contains("wrong_famille", reasons);
        Assert.InRange(unknown, 2, long.MaxValue);
    }

    [Fact]
    public async Task Tolerates_another_content_type_when_the_body_is_right()
    {
        await using var si = await FakeSi.Start();
        si.Answer = context => context.Response.WriteAsync(Family);
        Assert.Equal(SiStatus.Ok, (await si.Client().GetComposition("F1", null, 0, Ends)).Status);
    }

    [Fact]
    public async Task Reads_a_compressed_answer()
    {
        await using var si = await FakeSi.Start();
        si.Answer = Gzip(Encoding.UTF8.GetBytes(Family));
        Assert.Equal(SiStatus.Ok, (await si.Client().GetComposition("F1", null, 0, Ends)).Status);
    }

    [Fact]
    public async Task Refuses_a_small_body_that_inflates_beyond_a_mebibyte()
    {
        await using var si = await FakeSi.Start();
        si.Answer = Gzip(Encoding.UTF8.GetBytes(Family + new string(' ', 1024 * 1024)));
        Assert.Equal(SiStatus.Unavailable, (await si.Client().GetComposition("F1", null, 0, Ends)).Status);
    }

    [Theory]
    [InlineData(1024 * 1024, SiStatus.Ok)]
    [InlineData(1024 * 1024 + 1, SiStatus.Unavailable)]
    public async Task Accepts_a_mebibyte_and_not_a_byte_more(int length, SiStatus expected)
    {
        await using var si = await FakeSi.Start();
        si.Answer = FakeSi.Json(Family.PadRight(length));
        Assert.Equal(expected, (await si.Client().GetComposition("F1", null, 0, Ends)).Status);
    }

    [Fact]
    public async Task Stops_reading_a_body_without_end()
    {
        await using var si = await FakeSi.Start();
        var aborted = new TaskCompletionSource();
        si.Answer = async context =>
        {
            var chunk = new byte[64 * 1024];
            while (!context.RequestAborted.IsCancellationRequested)
                await context.Response.Body.WriteAsync(chunk);
            aborted.SetResult();
        };

        Assert.Equal(SiStatus.Unavailable, (await si.Client().GetComposition("F1", null, 0, Ends)).Status);
        await aborted.Task.WaitAsync(TimeSpan.FromSeconds(30), Ends);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_hang_or_a_slow_drip_is_too_slow_and_not_asked_for_again(bool drip)
    {
        await using var si = await FakeSi.Start();
        var time = new FakeTimeProvider();
        var asked = new TaskCompletionSource();
        si.Answer = async context =>
        {
            if (drip)
            {
                await context.Response.WriteAsync("{");
                await context.Response.Body.FlushAsync();
            }
            asked.TrySetResult();
            await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, context.RequestAborted);
        };

        var call = si.Client(time).GetComposition("F1", null, 0, Ends);
        await asked.Task;
        time.Advance(TimeSpan.FromSeconds(3.9));
        Assert.False(call.IsCompleted);
        time.Advance(TimeSpan.FromSeconds(0.1));
        Assert.Equal(SiStatus.TooSlow, (await call).Status);
        Assert.Equal(1, si.Calls);
    }

    [Fact]
    public async Task Only_the_caller_s_cancellation_throws()
    {
        await using var si = await FakeSi.Start();
        using var stop = new CancellationTokenSource();
        si.Answer = async context =>
        {
            await stop.CancelAsync();
            await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, context.RequestAborted);
        };
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => si.Client().GetComposition("F1", null, 0, stop.Token));
    }

    [Theory]
    [InlineData("reset", SiStatus.Ok)]
    [InlineData("500", SiStatus.Ok)]
    [InlineData("502", SiStatus.Ok)]
    public async Task Asks_once_more_after_a_hiccup(string fault, SiStatus expected)
    {
        await using var si = await FakeSi.Start();
        si.Answer = context => si.Calls == 1 ? Fail(context, fault) : FakeSi.Json(Family)(context);
        Assert.Equal(expected, (await si.Client().GetComposition("F1", null, 0, Ends)).Status);
        Assert.Equal(2, si.Calls);
    }

    [Theory]
    [InlineData("reset")]
    [InlineData("500")]
    public async Task Asks_once_more_and_no_oftener(string fault)
    {
        await using var si = await FakeSi.Start();
        si.Answer = context => Fail(context, fault);
        Assert.Equal(SiStatus.Unavailable, (await si.Client().GetComposition("F1", null, 0, Ends)).Status);
        Assert.Equal(2, si.Calls);
    }

    [Fact]
    public async Task Nobody_listening_is_unavailable()
    {
        await using var si = await FakeSi.Start();
        using var taken = new TcpListener(IPAddress.Loopback, 0);
        taken.Start();
        var url = $"http://{taken.LocalEndpoint}";
        taken.Stop();
        var client = si.ClientOf(new RegimeSiOptions { BaseUrl = url }, TimeProvider.System);
        Assert.Equal(SiStatus.Unavailable, (await client.GetComposition("F1", null, 0, Ends)).Status);
    }

    [Theory]
    [InlineData("SSH-2.0-garbage\r\n\r\n")]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n" + Family)]
    [InlineData("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{\"fam")]
    public async Task What_is_not_http_or_truncated_is_refused_and_not_asked_for_again(string response)
    {
        await using var si = await FakeSi.Start();
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        var serving = Serve(listener, Encoding.ASCII.GetBytes(response));
        var client = si.ClientOf(new RegimeSiOptions { BaseUrl = $"http://{listener.LocalEndpoint}" }, TimeProvider.System);
        Assert.Equal(SiStatus.Unavailable, (await client.GetComposition("F1", null, 0, Ends)).Status);
        await serving;
        Assert.False(listener.Pending());

        static async Task Serve(TcpListener listener, byte[] response)
        {
            using var connection = await listener.AcceptTcpClientAsync();
            var stream = connection.GetStream();
            await stream.ReadAtLeastAsync(new byte[16], 16);
            await stream.WriteAsync(response);
            connection.Client.Shutdown(SocketShutdown.Send);
            while (await stream.ReadAsync(new byte[1024]) > 0)
            {
            }
        }
    }

    private static Task Fail(HttpContext context, string fault)
    {
        if (fault != "reset")
            return FakeSi.Status(int.Parse(fault, System.Globalization.CultureInfo.InvariantCulture))(context);
        context.Abort();
        return Task.CompletedTask;
    }

    private static Func<HttpContext, Task> Gzip(byte[] body) => async context =>
    {
        context.Response.Headers.ContentEncoding = "gzip";
        using var packed = new MemoryStream();
        await using (var gzip = new GZipStream(packed, CompressionMode.Compress, leaveOpen: true))
            await gzip.WriteAsync(body);
        await context.Response.Body.WriteAsync(packed.ToArray());
    };

    private static async Task<SiStatus> Ask(RegimeSiClient client, string call) => call switch
    {
        "identifications" => (await client.Identify(Identity, Ends)).Status,
        "familles" => (await client.GetComposition("F1", 7, 7, Ends)).Status,
        _ => (await client.GetDroits("F1", User, 7, 7, Ends)).Status,
    };
}
