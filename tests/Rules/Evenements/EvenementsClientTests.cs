using DroitsAmeli.Grains.Evenements;
using DroitsAmeli.Grains.RegimeSi;
using DroitsAmeli.Tests.Rules.RegimeSi;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Options;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace DroitsAmeli.Tests.Rules.Evenements;

public sealed class EvenementsClientTests
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Sends_cursor_wait_and_key_and_leaves_the_cursor_out_when_it_has_none()
    {
        await using var si = await FakeSi.Start();
        var asked = new List<string>();
        si.Answer = context =>
        {
            lock (asked)
                asked.Add($"{context.Request.Path}{context.Request.QueryString} {context.Request.Headers.Authorization}");
            return FakeSi.Json("""{ "evenements": [], "curseur": "a&b=1" }""")(context);
        };
        using var client = Client(si, key: "clef");

        var page = Assert.IsType<FeedAnswer.Page>(await client.Poll(null, Stop));
        await client.Poll(page.Curseur, Stop);

        Assert.Equal(["/si/v1/evenements?attente=20 Bearer clef", "/si/v1/evenements?attente=20&apres=a%26b%3D1 Bearer clef"], asked);
    }

    [Fact]
    public async Task Gives_up_five_seconds_after_the_wait()
    {
        await using var si = await FakeSi.Start();
        var arrived = new TaskCompletionSource();
        si.Answer = context =>
        {
            arrived.TrySetResult();
            return Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, context.RequestAborted);
        };
        var time = new FakeTimeProvider();
        using var client = Client(si, time);

        var poll = client.Poll("c1", Stop);
        await arrived.Task.WaitAsync(TimeSpan.FromSeconds(30), TimeProvider.System, Stop);
        time.Advance(TimeSpan.FromSeconds(24.9));

        // Whatever the clock ended would have ended by the time another poll has been there and back.
        si.Answer = Answer(200, """{ "evenements": [], "curseur": "c2" }""");
        using var other = Client(si);
        await other.Poll("c1", Stop);
        Assert.False(poll.IsCompleted);
        time.Advance(TimeSpan.FromSeconds(0.2));

        Assert.Equal(new FeedAnswer.Failed(null), await poll.WaitAsync(TimeSpan.FromSeconds(30), TimeProvider.System, Stop));
    }

    [Fact]
    public async Task Reads_the_cursor_to_go_on_from_when_its_own_is_gone()
    {
        await using var si = await FakeSi.Start();
        using var client = Client(si);

        si.Answer = Answer(410, """{ "curseur": "c9" }""");
        Assert.Equal(new FeedAnswer.Gone("c9"), await client.Poll("c1", Stop));
        si.Answer = Answer(410, "");
        Assert.Equal(new FeedAnswer.Gone(null), await client.Poll("c1", Stop));
    }

    [Theory]
    [InlineData(503, "17", 17)]
    [InlineData(429, "3", 3)]
    [InlineData(503, null, null)]
    [InlineData(500, "nonsense", null)]
    [InlineData(503, "0", null)]
    [InlineData(503, "999999", 86_400)]
    public async Task Says_for_how_long_the_si_wants_to_be_left_alone(int status, string? header, int? seconds)
    {
        await using var si = await FakeSi.Start();
        using var client = Client(si);
        si.Answer = header is null ? FakeSi.Status(status) : FakeSi.Status(status, ("Retry-After", header));

        Assert.Equal(new FeedAnswer.Failed(seconds is { } s ? TimeSpan.FromSeconds(s) : null), await client.Poll("c1", Stop));
    }

    [Theory]
    [InlineData(302, "")]
    [InlineData(404, "")]
    [InlineData(401, "")]
    public async Task Refuses_other_answers(int status, string body)
    {
        await using var si = await FakeSi.Start();
        using var client = Client(si);
        si.Answer = Answer(status, body);

        Assert.Equal(new FeedAnswer.Failed(null), await client.Poll("c1", Stop));
    }

    [Theory]
    [InlineData("<html>", RefusalReason.Unparseable, null)]
    [InlineData("""{ "evenements": [] }""", RefusalReason.MissingPart, null)]
    [InlineData("""{ "evenements": [ {} ], "curseur": "c2" }""", RefusalReason.MissingPart, "c2")]
    [InlineData("""{ "evenements": [ { "curseur": "c2", "famille": "F1", "version": "7" } ], "curseur": "c2" }""", RefusalReason.WrongType, "c2")]
    [InlineData("""{ "evenements": [ { "curseur": "c1", "famille": "F1", "version": 7 } ], "curseur": "c1" }""", RefusalReason.UnknownValue, null)]
    public async Task Says_what_is_wrong_with_a_page_and_where_it_ends(string body, RefusalReason reason, string? curseur)
    {
        await using var si = await FakeSi.Start();
        using var client = Client(si);
        si.Answer = Answer(200, body);

        Assert.Equal(new FeedAnswer.Refused(reason, curseur), await client.Poll("c1", Stop));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Refuses_a_page_of_more_than_8_MiB(bool announced)
    {
        await using var si = await FakeSi.Start();
        using var client = Client(si);
        si.Answer = context => Padded(context, EvenementsClient.MaxBodyBytes, announced);
        Assert.IsType<FeedAnswer.Page>(await client.Poll("c1", Stop));

        si.Answer = context => Padded(context, EvenementsClient.MaxBodyBytes + 1, announced);
        Assert.Equal(new FeedAnswer.Refused(RefusalReason.TooLarge, null), await client.Poll("c1", Stop));
    }

    [Fact]
    public async Task Bears_an_si_that_cuts_the_connection()
    {
        await using var si = await FakeSi.Start();
        using var client = Client(si);
        si.Answer = context =>
        {
            context.Abort();
            return Task.CompletedTask;
        };

        Assert.Equal(new FeedAnswer.Failed(null), await client.Poll("c1", Stop));
    }

    private static EvenementsClient Client(FakeSi si, TimeProvider? time = null, string? key = null) => new(
        Options.Create(new RegimeSiOptions { BaseUrl = si.Url, ApiKey = key }),
        Options.Create(new EvenementsOptions()),
        time ?? TimeProvider.System);

    private static Func<HttpContext, Task> Answer(int status, string body) => context =>
    {
        context.Response.StatusCode = status;
        return context.Response.WriteAsync(body);
    };

    private static async Task Padded(HttpContext context, int length, bool announced)
    {
        var body = """{ "evenements": [], "curseur": "c2" }""".PadRight(length);
        if (announced)
            context.Response.ContentLength = length;
        try
        {
            await context.Response.WriteAsync(body, context.RequestAborted);
        }
        catch (Exception error) when (error is OperationCanceledException or IOException)
        {
            // The client has read enough.
        }
    }
}
