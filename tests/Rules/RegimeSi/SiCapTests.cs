using System.Diagnostics;
using System.Text.Json;
using System.Text.Json.Nodes;
using DroitsAmeli.Grains.RegimeSi;
using DroitsAmeli.Simulators.RegimeSi;
using DroitsAmeli.Tests.Rules.Simulators;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace DroitsAmeli.Tests.Rules.RegimeSi;

/// <summary>How many calls the SI sees at once, those included that we end before it does.</summary>
public sealed class SiCapTests
{
    private const int Cap = 4;

    // Our hanging up is sent, comes in, ends the request and is counted: each step may meet the same stall.
    private const int StepsToHear = 4;

    private static readonly TimeSpan BeforeTheNext = TimeSpan.FromMilliseconds(5);

    private static readonly JsonSerializerOptions SnakeCase = new() { PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower };

    private static CancellationToken Ends => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(null)]
    [InlineData(FaultKind.HugeBody)]
    [InlineData(FaultKind.Hang)]
    [InlineData(FaultKind.SlowDrip)]
    public async Task The_si_sees_no_more_than_the_cap(FaultKind? fault)
    {
        // Where the machine stands still for long, nobody can hear of anything: once more.
        Compteurs seen;
        TimeSpan stall;
        var tries = 0;
        do
            (seen, stall) = await Load(fault);
        while (seen.ConcurrenceMax > Cap && stall > RegimeSiOptions.HangUp / StepsToHear && ++tries < 5);

        Assert.InRange(seen.ConcurrenceMax, 1, Cap);
        Assert.True(seen.Familles > Cap, $"{seen.Familles} calls prove nothing.");
    }

    /// <summary>Three times as many callers as slots for four seconds, and the longest that the SI took to say how it does.</summary>
    private static async Task<(Compteurs Seen, TimeSpan Stall)> Load(FaultKind? fault)
    {
        await using var si = await RunningSimulator.Start(
            new Reglages { Faults = fault is { } kind ? [new Fault { Kind = kind }] : [] }, clock: TimeProvider.System);
        var famille = si.Persona("alice-martin").Famille.Id;
        using var bench = new Bench(si.Http.BaseAddress!.ToString(), TimeProvider.System, timeoutSeconds: 1);
        var watch = Stopwatch.StartNew();

        // A client for each call: the circuit of one that lived on would leave an SI alone that hangs.
        var load = Task.WhenAll(Enumerable.Range(0, 3 * Cap).Select(async _ =>
        {
            while (watch.Elapsed < TimeSpan.FromSeconds(4))
            {
                await bench.Client().GetComposition(famille, null, 0, Ends);

                // Whoever is refused at once would come back at once, and take the processors from those whose hanging up is to be heard.
                await Task.Delay(BeforeTheNext, TimeProvider.System, Ends);
            }
        }));
        var (stall, counters) = (TimeSpan.Zero, (JsonNode?)null);
        while (counters is null || !load.IsCompleted)
        {
            var asked = Stopwatch.GetTimestamp();
            counters = await si.Json("/sandbox/compteurs");
            var took = Stopwatch.GetElapsedTime(asked);
            stall = took > stall ? took : stall;
            await Task.WhenAny(load, Task.Delay(TimeSpan.FromMilliseconds(20), TimeProvider.System, Ends));
        }

        await load;
        return ((await si.Json("/sandbox/compteurs")).Deserialize<Compteurs>(SnakeCase)!, stall);
    }

    [Theory]
    [InlineData("hang")]
    [InlineData("drip")]
    [InlineData("too large")]
    [InlineData("given up")]
    [InlineData("503 without end")]
    [InlineData("404 without end")]
    public async Task What_we_end_is_answered_at_once_and_keeps_its_slot_for_a_second(string ending)
    {
        await using var si = await FakeSi.Start();
        var time = new FakeTimeProvider();
        using var bench = new Bench(si.Url, time);
        using var caller = new CancellationTokenSource();
        var asked = new TaskCompletionSource();
        si.Answer = async context =>
        {
            if (ending is "503 without end" or "404 without end")
                context.Response.StatusCode = ending[0] == '5' ? 503 : 404;
            if (ending is not ("hang" or "given up"))
                await context.Response.WriteAsync("{");
            await context.Response.Body.FlushAsync();
            asked.SetResult();
            while (ending == "too large" && !context.RequestAborted.IsCancellationRequested)
                await context.Response.Body.WriteAsync(new byte[64 * 1024]);
            await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, context.RequestAborted);
        };

        var call = bench.Client().GetComposition("F1", null, 0, caller.Token);
        await asked.Task;
        if (ending is "hang" or "drip")
            time.Advance(TimeSpan.FromSeconds(4));
        else if (ending == "given up")
            await caller.CancelAsync();
        while (!call.IsCompleted && ending.EndsWith("end", StringComparison.Ordinal))
        {
            time.Advance(TimeSpan.FromMilliseconds(10));
            await Task.Yield();
        }
        await Task.WhenAny(call).WaitAsync(TimeSpan.FromSeconds(20), Ends);

        Assert.Equal(1, bench.Slots.Pending);
        time.Advance(TimeSpan.FromSeconds(0.99));
        Assert.Equal(1, bench.Slots.Pending);
        time.Advance(TimeSpan.FromSeconds(0.01));
        Assert.True(SpinWait.SpinUntil(() => bench.Slots.Pending == 0, TimeSpan.FromSeconds(20)));
        Assert.Equal(1, si.Calls);
        _ = call.Exception;
    }

    [Theory]
    [InlineData(200)]
    [InlineData(404)]
    [InlineData(503)]
    public async Task What_the_si_ends_gives_its_slot_and_its_connection_back_at_once(int status)
    {
        await using var si = await FakeSi.Start();
        using var bench = new Bench(si.Url, new FakeTimeProvider());
        var connections = new HashSet<string>();
        si.Answer = context =>
        {
            connections.Add(context.Connection.Id);
            context.Response.StatusCode = status;
            return context.Response.WriteAsync("""{"famille":"F1","version":7,"beneficiaires":[]}""");
        };

        for (var i = 0; i < 3; i++)
        {
            await bench.Client().GetComposition("F1", null, 0, Ends);
            Assert.Equal(0, bench.Slots.Pending);
        }
        Assert.Single(connections);
    }

    private sealed class Bench : IDisposable
    {
        private readonly IOptions<RegimeSiOptions> options;
        private readonly TimeProvider time;
        private readonly SiTransport transport;

        public Bench(string url, TimeProvider time, int timeoutSeconds = 4)
        {
            this.time = time;
            options = Options.Create(new RegimeSiOptions { BaseUrl = url, MaxConcurrentCalls = Cap, TimeoutSeconds = timeoutSeconds });
            transport = new SiTransport(options, time);
            var ledger = new SlotLedger(Cap, options.Value.Lease, time);
            Slots = new SiSlots(
                "silo",
                request => Task.FromResult(ledger.Renew(request.Silo, request.Sequence, request.Held, request.Wanted)),
                options,
                time,
                NullLogger<SiSlots>.Instance);
        }

        public SiSlots Slots { get; }

        public RegimeSiClient Client() => new(
            transport, new SiGate(options, time, NullLogger<SiGate>.Instance), Slots, options, time, NullLogger<RegimeSiClient>.Instance);

        public void Dispose() => transport.Dispose();
    }
}
