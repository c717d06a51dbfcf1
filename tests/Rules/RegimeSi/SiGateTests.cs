using DroitsAmeli.Grains.RegimeSi;
using DroitsAmeli.Tests.Rules.Callers;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace DroitsAmeli.Tests.Rules.RegimeSi;

public sealed class SiGateTests
{
    private const string Family = """{"famille":"F1","version":7,"beneficiaires":[]}""";

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    // 01:00 in Paris.
    private readonly FakeTimeProvider time = new ClockWithoutPauses(new DateTimeOffset(2026, 1, 15, 0, 0, 0, TimeSpan.Zero));

    [Fact]
    public async Task A_dead_si_gets_one_probe_each_five_seconds()
    {
        await using var si = await FakeSi.Start();
        si.Answer = FakeSi.Status(504);
        var client = si.Client(time);

        await AskMany(client, 30);
        Assert.Equal(10, si.Calls);

        for (var probe = 1; probe <= 3; probe++)
        {
            time.Advance(TimeSpan.FromSeconds(5));
            var answers = await AskMany(client, 20);
            Assert.Equal(10 + probe, si.Calls);
            Assert.All(answers, answer => Assert.Equal(SiStatus.Unavailable, answer));
        }

        si.Answer = FakeSi.Json(Family);
        time.Advance(TimeSpan.FromSeconds(5));
        Assert.All(await AskMany(client, 5), answer => Assert.Equal(SiStatus.Ok, answer));
    }

    [Fact]
    public async Task A_circuit_that_opens_again_with_each_try_is_told_once_until_it_has_closed()
    {
        await using var si = await FakeSi.Start();
        var log = new ListLogger<SiGate>();
        var client = si.ClientOf(new RegimeSiOptions { BaseUrl = si.Url }, time, log);
        for (var outage = 1; outage <= 2; outage++)
        {
            si.Answer = FakeSi.Status(504);
            await AskMany(client, 30);
            for (var probe = 0; probe < 3; probe++)
            {
                time.Advance(TimeSpan.FromSeconds(5));
                await AskMany(client, 5);
            }

            si.Answer = FakeSi.Json(Family);
            time.Advance(TimeSpan.FromSeconds(5));
            await AskMany(client, 5);
            time.Advance(TimeSpan.FromSeconds(11));
            Assert.Equal(outage, log.All.Split('\n').Count(line => line.Contains("circuit to the régime SI opened", StringComparison.Ordinal)));
        }
    }

    [Fact]
    public async Task A_retry_does_not_add_to_a_probe()
    {
        await using var si = await FakeSi.Start();
        si.Answer = FakeSi.Status(429);
        var client = si.Client(time);
        await AskMany(client, 10);
        si.Answer = FakeSi.Status(500);
        var before = si.Calls;
        time.Advance(TimeSpan.FromSeconds(5));
        Assert.True((await Composition(client)).Asked);
        Assert.Equal(before + 1, si.Calls);
    }

    [Fact]
    public async Task An_open_circuit_says_when_it_closes()
    {
        await using var si = await FakeSi.Start();
        si.Answer = FakeSi.Status(429);
        var client = si.Client(time);
        await AskMany(client, 10);
        time.Advance(TimeSpan.FromSeconds(2));
        Assert.Equal(TimeSpan.FromSeconds(3), (await Composition(client)).RetryAfter);
    }

    [Theory]
    [InlineData(504)]
    [InlineData(500)]
    [InlineData(429)]
    public async Task A_dead_si_gets_one_probe_each_five_seconds_under_little_traffic_too(int status)
    {
        await using var si = await FakeSi.Start();
        var seen = new List<DateTimeOffset>();
        si.Answer = context =>
        {
            seen.Add(time.GetUtcNow());
            return FakeSi.Status(status)(context);
        };
        var client = si.Client(time);
        for (var visit = 0; visit < 40; visit++)
        {
            await Visit(client, $"F{visit}");
            time.Advance(TimeSpan.FromSeconds(2.5));
        }

        // Three visits show that the SI is dead; two of them try twice where that may help.
        var probes = seen.Skip(status == 500 ? 5 : 3).ToList();
        Assert.InRange(probes.Count, 10, 20);
        Assert.All(probes.Zip(probes.Skip(1)), pair => Assert.True(pair.Second - pair.First >= TimeSpan.FromSeconds(5)));

        si.Answer = FakeSi.Json(Family);
        time.Advance(TimeSpan.FromSeconds(5));
        Assert.All(await AskMany(client, 5), answer => Assert.Equal(SiStatus.Ok, answer));
    }

    [Fact]
    public async Task Visits_whose_identification_fails_show_a_dead_si_too()
    {
        await using var si = await FakeSi.Start();
        si.Answer = FakeSi.Status(504);
        var client = si.Client(time);
        foreach (var name in new[] { "MARTIN", "DURAND", "PETIT", "MOREAU" })
        {
            await client.Identify(
                new() { FamilyName = name, GivenNames = ["ANNE"], Gender = "female", Birthdate = "1980-01-05", Birthplace = "75108", Birthcountry = "99100" },
                TestContext.Current.CancellationToken);
            time.Advance(TimeSpan.FromSeconds(2.5));
        }
        Assert.Equal(3, si.Calls);
    }

    [Fact]
    public async Task A_family_that_the_si_fails_on_closes_it_for_nobody()
    {
        await using var si = await FakeSi.Start();
        si.Answer = FakeSi.Status(504);
        var client = si.Client(time);
        for (var i = 0; i < 10; i++)
        {
            await Visit(client, "F2");
            time.Advance(TimeSpan.FromSeconds(2.5));
        }
        si.Answer = FakeSi.Json(Family);
        Assert.Equal(SiStatus.Ok, await Ask(client));
        Assert.Equal(11, si.Calls);
    }

    [Theory]
    [InlineData(404)]
    [InlineData(200)]
    public async Task Any_answer_between_failures_shows_that_the_si_lives(int status)
    {
        await using var si = await FakeSi.Start();
        var client = si.Client(time);
        for (var visit = 0; visit < 40; visit++)
        {
            si.Answer = FakeSi.Status(visit % 3 == 2 ? status : 504);
            await Visit(client, $"F{visit}");
            time.Advance(TimeSpan.FromSeconds(2.5));
        }
        Assert.Equal(40, si.Calls);
    }

    [Fact]
    public async Task Failures_at_one_instant_are_judged_by_their_share()
    {
        await using var si = await FakeSi.Start();
        si.Answer = FakeSi.Status(504);
        var client = si.Client(time);
        for (var visit = 0; visit < 9; visit++)
            await Visit(client, $"F{visit}");
        si.Answer = FakeSi.Json(Family);
        Assert.Equal(SiStatus.Ok, await Ask(client));
    }

    [Fact]
    public async Task Failures_far_apart_are_not_in_a_row()
    {
        await using var si = await FakeSi.Start();
        si.Answer = FakeSi.Status(504);
        var client = si.Client(time);
        for (var visit = 0; visit < 5; visit++)
        {
            await Visit(client, $"F{visit}");
            time.Advance(TimeSpan.FromMinutes(2));
        }
        await Visit(client, "F5");
        await Visit(client, "F6");
        Assert.Equal(7, si.Calls);
    }

    [Theory]
    [InlineData(404)]
    [InlineData(409)]
    [InlineData(422)]
    [InlineData(304)]
    [InlineData(401)]
    [InlineData(302)]
    [InlineData(200)]
    public async Task Answers_that_are_refused_or_negative_open_nothing(int status)
    {
        await using var si = await FakeSi.Start();
        si.Answer = FakeSi.Status(status);
        var client = si.Client(time);
        await AskMany(client, 30);
        for (var visit = 0; visit < 10; visit++)
        {
            time.Advance(TimeSpan.FromSeconds(2.5));
            await Visit(client, $"F{visit}");
        }
        Assert.Equal(40, si.Calls);
    }

    [Fact]
    public async Task Some_failures_among_answers_open_nothing()
    {
        await using var si = await FakeSi.Start();
        si.Answer = context => si.Calls % 3 == 0 ? FakeSi.Status(504)(context) : FakeSi.Json(Family)(context);
        await AskMany(si.Client(time), 60);
        Assert.Equal(60, si.Calls);
    }

    [Theory]
    [InlineData(503, "30", 30.0)]
    [InlineData(429, "30", 30.0)]
    [InlineData(503, "Thu, 15 Jan 2026 00:01:30 GMT", 90.0)]
    [InlineData(503, "999999", 86400.0)]
    [InlineData(503, "99999999999999", null)]
    [InlineData(503, "Wed, 14 Jan 2026 00:00:00 GMT", null)]
    [InlineData(503, "0", null)]
    [InlineData(503, "-3", null)]
    [InlineData(503, "bientôt", null)]
    [InlineData(503, "1.5", null)]
    public async Task Reads_retry_after(int status, string header, double? seconds)
    {
        await using var si = await FakeSi.Start();
        si.Answer = FakeSi.Status(status, ("Retry-After", header.Replace("ô", "o", StringComparison.Ordinal)));
        var answer = await Composition(si.Client(time));
        Assert.Equal(seconds, answer.RetryAfter?.TotalSeconds);
    }

    [Theory]
    [InlineData("3", 3)]
    [InlineData("3600", 5)]
    public async Task Leaves_an_si_alone_that_said_when_to_come_back_but_for_one_try_in_5_seconds(string header, int seconds)
    {
        await using var si = await FakeSi.Start();
        si.Answer = FakeSi.Status(503, ("Retry-After", header));
        var client = si.Client(time);
        await Ask(client);
        time.Advance(TimeSpan.FromSeconds(seconds - 1));
        var announced = TimeSpan.FromSeconds(int.Parse(header, System.Globalization.CultureInfo.InvariantCulture) - seconds + 1);
        Assert.Equal(announced, (await Composition(client)).RetryAfter);
        Assert.Equal(1, si.Calls);

        var probed = new TaskCompletionSource();
        var release = new TaskCompletionSource();
        si.Answer = async context =>
        {
            probed.TrySetResult();
            await release.Task;
            await FakeSi.Json(Family)(context);
        };
        time.Advance(TimeSpan.FromSeconds(1));
        var probe = Ask(client);
        await probed.Task;
        Assert.Equal(SiStatus.Unavailable, await Ask(client).WaitAsync(Patience, TestContext.Current.CancellationToken));
        release.SetResult();
        Assert.Equal(SiStatus.Ok, await probe);
        Assert.Equal(2, si.Calls);
        Assert.All(await AskMany(client, 5), answer => Assert.Equal(SiStatus.Ok, answer));
    }

    [Theory]
    [InlineData("1")]
    [InlineData("2")]
    [InlineData("7")]
    public async Task Probes_are_five_seconds_apart_however_soon_the_si_says_to_come_back(string header)
    {
        await using var si = await FakeSi.Start();
        var seen = new List<DateTimeOffset>();
        si.Answer = context =>
        {
            seen.Add(time.GetUtcNow());
            return FakeSi.Status(503, ("Retry-After", header))(context);
        };
        var client = si.Client(time);
        for (var visit = 0; visit < 120; visit++)
        {
            await Visit(client, $"F{visit}");
            time.Advance(TimeSpan.FromSeconds(0.5));
        }

        var probes = seen.Skip(1).ToList();
        Assert.InRange(probes.Count, 10, 12);
        Assert.All(probes.Zip(probes.Skip(1)), pair => Assert.True(pair.Second - pair.First >= TimeSpan.FromSeconds(5)));
    }

    [Fact]
    public async Task A_call_that_ends_after_a_failed_probe_does_not_bring_the_next_one_forward()
    {
        await using var si = await FakeSi.Start();
        var (arrived, release) = (new TaskCompletionSource(), new TaskCompletionSource());
        si.Answer = async context =>
        {
            arrived.TrySetResult();
            await release.Task;
            await FakeSi.Status(503, ("Retry-After", "1"))(context);
        };
        var client = si.Client(time);
        var late = Visit(client, "F1");
        await arrived.Task;

        si.Answer = FakeSi.Status(503, ("Retry-After", "1"));
        await Visit(client, "F2");
        time.Advance(TimeSpan.FromSeconds(1));
        await Visit(client, "F3");
        release.SetResult();
        await late;
        var before = si.Calls;
        time.Advance(TimeSpan.FromSeconds(4.9));
        await Visit(client, "F4");
        Assert.Equal(before, si.Calls);
        time.Advance(TimeSpan.FromSeconds(0.1));
        await Visit(client, "F5");
        Assert.Equal(before + 1, si.Calls);
    }

    [Fact]
    public async Task Maintenance_makes_no_call_and_says_when_it_ends()
    {
        await using var si = await FakeSi.Start();
        si.Answer = FakeSi.Json(Family);
        var client = si.Client(time, options => options.Maintenance = ["00:30-01:45"]);
        var answer = await Composition(client);
        Assert.Equal((SiStatus.Unavailable, TimeSpan.FromMinutes(45), false), (answer.Status, answer.RetryAfter!.Value, answer.Asked));
        Assert.Equal(0, si.Calls);
        time.Advance(TimeSpan.FromMinutes(45));
        Assert.Equal(SiStatus.Ok, await Ask(client));
    }

    [Theory]
    [InlineData(429, null)]
    [InlineData(503, "3600")]
    public async Task A_refresh_tries_an_si_on_its_way_back_once_nobody_has_waited_for_it_for_30_seconds(int status, string? retryAfter)
    {
        await using var si = await FakeSi.Start();
        si.Answer = FakeSi.Status(status, retryAfter is null ? [] : [("Retry-After", retryAfter)]);
        var client = si.Client(time);
        await AskMany(client, 10);
        var asked = si.Calls;
        time.Advance(TimeSpan.FromSeconds(20));
        await Ask(client);
        Assert.Equal(++asked, si.Calls);

        time.Advance(TimeSpan.FromSeconds(29.9));
        Assert.False((await Composition(client, SiPriority.Refresh)).Asked);
        Assert.Equal(asked, si.Calls);

        time.Advance(TimeSpan.FromSeconds(0.1));
        Assert.True((await Composition(client, SiPriority.Refresh)).Asked);
        Assert.False((await Composition(client, SiPriority.Refresh)).Asked);
        Assert.Equal(asked + 1, si.Calls);

        si.Answer = FakeSi.Json(Family);
        time.Advance(TimeSpan.FromSeconds(5));
        Assert.Equal(SiStatus.Ok, (await Composition(client, SiPriority.WarmUp)).Status);
        Assert.Equal(SiStatus.Ok, (await Composition(client, SiPriority.WarmUp)).Status);
    }

    private static async Task<List<SiStatus>> AskMany(RegimeSiClient client, int count)
    {
        var answers = new List<SiStatus>();
        for (var i = 0; i < count; i++)
            answers.Add(await Ask(client));
        return answers;
    }

    private static async Task<SiStatus> Visit(RegimeSiClient client, string famille) =>
        (await client.GetComposition(famille, null, 0, TestContext.Current.CancellationToken, SiPriority.Present)).Status;

    private static async Task<SiStatus> Ask(RegimeSiClient client) => (await Composition(client)).Status;

    private static Task<SiAnswer<DroitsAmeli.Grains.Droits.Composition>> Composition(
        RegimeSiClient client, SiPriority priority = SiPriority.Present) =>
        client.GetComposition("F1", null, 0, TestContext.Current.CancellationToken, priority);

    /// <summary>A clock on which the pause before a second try takes no time.</summary>
    private sealed class ClockWithoutPauses(DateTimeOffset start) : FakeTimeProvider(start)
    {
        private static readonly TimeSpan LongestPause = TimeSpan.FromMilliseconds(200);

        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period) =>
            dueTime >= TimeSpan.Zero && dueTime <= LongestPause
                ? System.CreateTimer(callback, state, TimeSpan.Zero, period)
                : base.CreateTimer(callback, state, dueTime, period);
    }
}
