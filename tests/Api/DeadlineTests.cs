using System.Diagnostics;
using Xunit;

namespace DroitsAmeli.Tests.Api;

/// <summary>A call ends within its deadline, whatever upstream does.</summary>
public sealed class DeadlineTests(DeadlineBench bench) : IClassFixture<DeadlineBench>, IAsyncDisposable
{
    public async ValueTask DisposeAsync()
    {
        await bench.SetFranceConnect();
        await bench.SetRegimeSi();
    }

    [Fact]
    public async Task A_silent_si_costs_one_deadline()
    {
        await bench.SetRegimeSi("""{ "faults": [{ "kind": "hang" }] }""");
        await Expect504("famille-11");
    }

    [Fact]
    public async Task A_silent_franceconnect_costs_one_deadline()
    {
        await bench.SetFranceConnect("""{ "faute": "sans_reponse" }""");
        await Expect504("famille-12");
    }

    [Fact]
    public async Task A_slow_franceconnect_and_a_slow_si_share_one_deadline()
    {
        await bench.SetFranceConnect("""{ "latence_ms": 600 }""");
        await bench.SetRegimeSi("""{ "latency": { "median_ms": 600 } }""");
        await Expect504("famille-13");
    }

    private async Task Expect504(string persona)
    {
        var call = new Call { Token = await bench.Token(persona) };
        var started = Stopwatch.GetTimestamp();
        (await call.Send(bench)).Is("delai_depasse");
        Assert.InRange(Stopwatch.GetElapsedTime(started).TotalSeconds, 0.5, 3);
    }
}
