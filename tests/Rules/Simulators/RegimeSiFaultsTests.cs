using System.Diagnostics;
using System.Net;
using System.Text.Json;
using System.Text.Json.Nodes;
using DroitsAmeli.Grains.Droits;
using DroitsAmeli.Simulators;
using DroitsAmeli.Simulators.RegimeSi;
using DroitsAmeli.Tests.Cache;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace DroitsAmeli.Tests.Rules.Simulators;

public sealed class RegimeSiFaultsTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(1);

    public static TheoryData<FaultKind> Kinds => [.. Enum.GetValues<FaultKind>()];

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task Every_fault_is_played(FaultKind kind)
    {
        await using var si = await RunningSimulator.Start();
        using var right = await Ask(si);
        using var put = await si.Put(new { faults = new[] { new { kind } } });
        Assert.Equal(HttpStatusCode.OK, put.StatusCode);
        try
        {
            using var played = await Ask(si).WaitAsync(Patience, TimeProvider.System, RunningSimulator.Stop);
            Assert.Equal(kind is FaultKind.Status500, played.StatusCode is HttpStatusCode.InternalServerError);
            Assert.NotEqual(await Text(right), await Text(played));
        }
        catch (Exception exception) when (exception is HttpRequestException or TimeoutException)
        {
            // No answer is a fault that is played.
        }

        static Task<string> Text(HttpResponseMessage response) => response.Content.ReadAsStringAsync(RunningSimulator.Stop);
    }

    [Fact]
    public void The_outage_that_is_tried_has_every_fault() =>
        Assert.Equal(Enum.GetValues<FaultKind>(), OutageFaults.Dead.Concat(OutageFaults.Garbage).Order());

    [Theory]
    [InlineData("500", HttpStatusCode.InternalServerError, null)]
    [InlineData("429", HttpStatusCode.TooManyRequests, 7)]
    [InlineData("503", HttpStatusCode.ServiceUnavailable, 90)]
    public async Task Answers_an_error_status_with_its_retry_after(string kind, HttpStatusCode expected, int? retryAfter)
    {
        await using var si = await Faulty(new { kind, retry_after_seconds = retryAfter });
        using var response = await Ask(si);
        Assert.Equal(expected, response.StatusCode);
        Assert.Equal(retryAfter, (int?)response.Headers.RetryAfter?.Delta?.TotalSeconds);
    }

    [Fact]
    public async Task Hangs_until_the_caller_gives_up()
    {
        await using var si = await Faulty(new { kind = "hang" });
        si.Http.Timeout = TimeSpan.FromMilliseconds(300);
        await Assert.ThrowsAsync<TaskCanceledException>(() => Ask(si));
    }

    [Fact]
    public async Task A_stop_does_not_wait_for_a_call_that_hangs()
    {
        var si = await Faulty(new { kind = "hang" });
        var asking = Ask(si);
        while ((long)(await si.Json("/sandbox/compteurs"))["droits"]! == 0)
            await Task.Yield();
        var watch = Stopwatch.StartNew();
        await si.DisposeAsync();
        Assert.InRange(watch.Elapsed, TimeSpan.Zero, TimeSpan.FromSeconds(5));
        await Assert.ThrowsAnyAsync<Exception>(() => asking);
    }

    [Fact]
    public async Task Resets_the_connection()
    {
        await using var si = await Faulty(new { kind = "reset" });
        await Assert.ThrowsAsync<HttpRequestException>(() => Ask(si));
    }

    [Fact]
    public async Task Truncates_the_body()
    {
        await using var si = await Faulty(new { kind = "truncated", target = "familles" });
        using var request = new HttpRequestMessage(HttpMethod.Get, $"/si/v1/familles/{si.Persona("alice-martin").Famille.Id}");
        using var response = await si.Http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, RunningSimulator.Stop);
        await using var body = await response.Content.ReadAsStreamAsync(RunningSimulator.Stop);
        var half = new byte[response.Content.Headers.ContentLength!.Value / 2];
        await body.ReadExactlyAsync(half, RunningSimulator.Stop);
        await Assert.ThrowsAsync<HttpIOException>(() => body.ReadExactlyAsync(new byte[8], RunningSimulator.Stop).AsTask());
    }

    [Fact]
    public async Task Drips_the_right_answer_byte_by_byte()
    {
        await using var si = await RunningSimulator.Start(clock: TimeProvider.System);
        using var put = await si.Put(new { faults = new[] { new { kind = "slow_drip", target = "identifications", drip_ms = 5 } } });
        var watch = Stopwatch.StartNew();
        using var response = await si.Identify(Personas.Find("alice-martin")!.Identite);
        var body = await response.Content.ReadAsByteArrayAsync(RunningSimulator.Stop);
        Assert.True(watch.ElapsedMilliseconds >= 4 * body.Length, $"{watch.ElapsedMilliseconds} ms for {body.Length} bytes");
        Assert.Equal(si.Persona("alice-martin").Famille.Id, (string?)JsonNode.Parse(body)!["famille"]);
    }

    [Fact]
    public async Task Sends_garbage()
    {
        await using var si = await Faulty(new { kind = "garbage" });
        using var response = await Ask(si);
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        await Assert.ThrowsAnyAsync<JsonException>(() => Read(response));
    }

    [Fact]
    public async Task Sends_fifty_megabytes()
    {
        await using var si = await Faulty(new { kind = "huge_body" });
        using var response = await Ask(si);
        Assert.InRange((await response.Content.ReadAsByteArrayAsync(RunningSimulator.Stop)).Length, 50_000_000, 60_000_000);
    }

    [Fact]
    public async Task Names_another_family()
    {
        await using var si = await Faulty(new { kind = "wrong_famille" });
        Assert.NotEqual(si.Persona("alice-martin").Famille.Id, (string?)(await Read(await Ask(si)))["famille"]);
    }

    [Fact]
    public async Task Names_another_nir()
    {
        await using var si = await Faulty(new { kind = "wrong_nir" });
        var (famille, alice) = si.Persona("alice-martin");
        var nir = (string?)(await Read(await Ask(si)))["nir"];
        Assert.NotEqual(alice.Beneficiaire.Nir, nir);
        Assert.True(Nir.TryParse(nir, out _));
        Assert.False(Nir.TryParse((string?)(await Read(await si.Famille(famille.Id)))["beneficiaires"]![0]!["nir"], out _));
    }

    [Fact]
    public async Task Goes_back_in_version_even_when_the_present_one_is_held()
    {
        await using var si = await RunningSimulator.Start();
        var (famille, alice) = si.Persona("alice-martin");
        var first = await si.Droits(famille.Id, alice.Beneficiaire.Nir);
        var version = (long)(await Read(first))["version"]!;
        using var put = await si.Put(new { faults = new[] { new { kind = "older_version" } } });
        using var later = await si.Droits(famille.Id, alice.Beneficiaire.Nir, first.Headers.ETag!.Tag);
        Assert.Equal(HttpStatusCode.OK, later.StatusCode);
        Assert.True((long)(await Read(later))["version"]! < version);
    }

    [Fact]
    public async Task Strikes_the_next_calls_to_its_target_only()
    {
        await using var si = await Faulty(new { kind = "500", target = "droits", next = 2 });
        var id = si.Persona("alice-martin").Famille.Id;
        var statuses = new List<HttpStatusCode>();
        using (var famille = await si.Famille(id))
            statuses.Add(famille.StatusCode);
        for (var call = 0; call < 3; call++)
            using (var droits = await Ask(si))
                statuses.Add(droits.StatusCode);
        Assert.Equal([HttpStatusCode.OK, HttpStatusCode.InternalServerError, HttpStatusCode.InternalServerError, HttpStatusCode.OK], statuses);
    }

    [Fact]
    public async Task Probabilities_strike_the_same_calls_for_the_same_seed()
    {
        await using var si = await RunningSimulator.Start();
        var first = await Pattern(si, 7);
        Assert.Equal(first, await Pattern(si, 7));
        Assert.NotEqual(first, await Pattern(si, 8));
        Assert.InRange(first.Count(struck => struck), 10, 30);
    }

    [Fact]
    public async Task Closed_until_answers_503_with_the_seconds_left_and_opens_by_itself()
    {
        var clock = new FakeTimeProvider(new DateTimeOffset(2026, 11, 23, 2, 0, 0, TimeSpan.Zero));
        await using var si = await RunningSimulator.Start(clock: clock);
        using var put = await si.Put(new { closed_until = "2026-11-23T03:30:00Z" });
        using var closed = await Ask(si);
        Assert.Equal(HttpStatusCode.ServiceUnavailable, closed.StatusCode);
        Assert.Equal(TimeSpan.FromMinutes(90), closed.Headers.RetryAfter!.Delta);
        clock.Advance(TimeSpan.FromMinutes(90));
        using var open = await Ask(si);
        Assert.Equal(HttpStatusCode.OK, open.StatusCode);
    }

    [Fact]
    public async Task Counts_calls_and_the_most_at_once_and_lets_no_more_in_than_the_limit()
    {
        var si = await RunningSimulator.Start();
        using var put = await si.Put(new { faults = new[] { new { kind = "hang" } }, concurrency = new { limit = 4, refuse = true } });
        var calls = Enumerable.Range(0, 6).Select(_ => Ask(si)).ToList();
        for (var refused = 0; refused < 2; refused++)
        {
            var done = await Task.WhenAny(calls);
            calls.Remove(done);
            Assert.Equal(HttpStatusCode.TooManyRequests, (await done).StatusCode);
        }

        var counters = await si.Json("/sandbox/compteurs");
        Assert.Equal(
            ["identifications", "familles", "droits", "entieres", "evenements", "concurrence_max", "occupation_ms", "abandons", "abandons_ms", "reponses_fausses"],
            counters.AsObject().Select(counter => counter.Key));
        Assert.Equal(6, (long)counters["droits"]!);
        Assert.InRange((int)counters["concurrence_max"]!, 5, 6);
        using var reset = await si.Admin.DeleteAsync("/sandbox/compteurs", RunningSimulator.Stop);
        Assert.Equal(0, (long)(await si.Json("/sandbox/compteurs"))["droits"]!);
        Assert.DoesNotContain(calls, call => call.IsCompleted);
        await si.DisposeAsync();
        await Assert.ThrowsAnyAsync<Exception>(() => Task.WhenAll(calls));
    }

    [Fact]
    public async Task Counts_what_is_given_in_full_to_callers_that_hold_nothing()
    {
        await using var si = await RunningSimulator.Start();
        var (famille, membre) = si.Persona("alice-martin");
        using var first = await si.Droits(famille.Id, membre.Beneficiaire.Nir);
        using var confirmed = await si.Droits(famille.Id, membre.Beneficiaire.Nir, held: first.Headers.ETag!.Tag);
        using var older = await si.Droits(famille.Id, membre.Beneficiaire.Nir, held: "\"1\"");
        using var unknown = await si.Droits("nobody", membre.Beneficiaire.Nir);
        var counters = await si.Json("/sandbox/compteurs");
        Assert.Equal((4L, 1L), ((long)counters["droits"]!, (long)counters["entieres"]!));
    }

    [Fact]
    public async Task Counts_an_answer_as_wrong_when_its_reader_can_tell()
    {
        await using var si = await Faulty(new { kind = "garbage", next = 2 }, new { kind = "older_version" });
        using var garbage = await Ask(si);
        using var unknown = await si.Droits("nobody", "2780275108005");
        using var first = await Ask(si);
        var (famille, membre) = si.Persona("alice-martin");
        using var held = await si.Droits(famille.Id, membre.Beneficiaire.Nir, held: "\"1\"");
        Assert.Equal(
            """{"garbage":2,"older_version":1}""", (await si.Json("/sandbox/compteurs"))["reponses_fausses"]!.ToJsonString());
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Works_on_what_was_given_up_only_when_it_is_told_to(bool persist)
    {
        await using var si = await RunningSimulator.Start(clock: TimeProvider.System);
        using var put = await si.Put(new { latency = new { median_ms = 1000 }, concurrency = new { persist } });
        using var answered = await Ask(si);
        using var patience = new CancellationTokenSource(TimeSpan.FromMilliseconds(100));
        var famille = $"/si/v1/familles/{si.Persona("alice-martin").Famille.Id}";
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => si.Http.GetAsync(famille, patience.Token));
        JsonNode counters;
        do
            counters = await si.Json("/sandbox/compteurs", si.Admin);
        while ((int)counters["abandons"]! == 0);

        var (occupied, inVain) = ((long)counters["occupation_ms"]!, (long)counters["abandons_ms"]!);
        Assert.InRange(occupied - inVain, 990, long.MaxValue);
        Assert.Equal(persist, inVain >= 990);
    }

    [Fact]
    public async Task Takes_the_time_that_was_set()
    {
        await using var si = await RunningSimulator.Start(clock: TimeProvider.System);
        using var put = await si.Put(new { latency = new { median_ms = 150 } });
        var watch = Stopwatch.StartNew();
        using var response = await Ask(si);
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        Assert.True(watch.ElapsedMilliseconds >= 145, $"{watch.ElapsedMilliseconds} ms");
    }

    [Fact]
    public async Task Calls_beyond_the_limit_wait_for_their_turn()
    {
        await using var si = await RunningSimulator.Start(new Reglages { Concurrency = new Concurrency(Limit: 1) });
        var statuses = await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => Ask(si)));
        Assert.All(statuses, response => Assert.Equal(HttpStatusCode.OK, response.StatusCode));
    }

    [Fact]
    public void Latency_is_log_normal_with_the_median_and_p99_that_were_set()
    {
        var latency = new Latency(MedianMs: 300, P99Ms: 2000);
        var samples = Enumerable.Range(0, 20_000).Select(call => latency.Sample(new Draw(1, call)).TotalMilliseconds).Order().ToArray();
        Assert.InRange(samples[10_000], 285, 315);
        Assert.InRange(samples[19_800], 1800, 2200);
        Assert.Equal(TimeSpan.Zero, new Latency().Sample(new Draw(1, 1)));
    }

    [Theory]
    [InlineData("""{ "faults": [ { "kind": "fire" } ] }""")]
    [InlineData("""{ "faults": [ { "target": "droits" } ] }""")]
    [InlineData("""{ "faults": null }""")]
    [InlineData("""{ "faults": [ { "kind": "500", "probability": 2 } ] }""")]
    [InlineData("""{ "latency": { "median_ms": 10, "p99_ms": 1 } }""")]
    [InlineData("""{ "concurrency": { "limit": 0 } }""")]
    [InlineData("""{ "latence": {} }""")]
    [InlineData("""[""")]
    public async Task Settings_that_do_not_read_are_refused_and_change_nothing(string body)
    {
        await using var si = await RunningSimulator.Start();
        using var response = await si.Admin.PutAsync("/sandbox/reglages", new StringContent(body), RunningSimulator.Stop);
        Assert.Equal(HttpStatusCode.BadRequest, response.StatusCode);
        Assert.Empty((await si.Json("/sandbox/reglages"))["faults"]!.AsArray());
    }

    private static async Task<bool[]> Pattern(RunningSimulator si, int seed)
    {
        using var put = await si.Put(new { seed, faults = new[] { new { kind = "500", probability = 0.5 } } });
        var struck = new bool[40];
        for (var call = 0; call < struck.Length; call++)
            using (var response = await Ask(si))
                struck[call] = response.StatusCode == HttpStatusCode.InternalServerError;
        return struck;
    }

    private static async Task<RunningSimulator> Faulty(params object[] faults)
    {
        var si = await RunningSimulator.Start();
        using var put = await si.Put(new { faults });
        Assert.Equal(HttpStatusCode.OK, put.StatusCode);
        return si;
    }

    private static Task<HttpResponseMessage> Ask(RunningSimulator si)
    {
        var (famille, alice) = si.Persona("alice-martin");
        return si.Droits(famille.Id, alice.Beneficiaire.Nir);
    }

    private static async Task<JsonNode> Read(HttpResponseMessage response) =>
        JsonNode.Parse(await response.Content.ReadAsStringAsync(RunningSimulator.Stop))!;
}
