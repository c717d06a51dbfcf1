using DroitsAmeli.Grains.RegimeSi;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;

namespace DroitsAmeli.Tests.Rules.RegimeSi;

/// <summary>A régime SI on a loopback port that answers what a test tells it to, and a client for it.</summary>
internal sealed class FakeSi : IAsyncDisposable
{
    private readonly WebApplication app;
    private readonly List<SiTransport> transports = [];
    private int calls;

    private FakeSi(WebApplication app) => this.app = app;

    public Func<HttpContext, Task> Answer { get; set; } = context => Status(404)(context);

    public int Calls => calls;

    public string Url => app.Urls.Single();

    public static async Task<FakeSi> Start()
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().UseUrls("http://127.0.0.1:0");
        builder.Logging.ClearProviders();
        var app = builder.Build();
        var si = new FakeSi(app);
        app.Run(context =>
        {
            Interlocked.Increment(ref si.calls);
            return si.Answer(context);
        });
        await app.StartAsync();
        return si;
    }

    public static Func<HttpContext, Task> Status(int status, params (string Name, string Value)[] headers) => context =>
    {
        context.Response.StatusCode = status;
        foreach (var (name, value) in headers)
            context.Response.Headers[name] = value;
        return Task.CompletedTask;
    };

    public static Func<HttpContext, Task> Json(string body) => context =>
    {
        context.Response.ContentType = "application/json";
        return context.Response.WriteAsync(body);
    };

    public RegimeSiClient Client(TimeProvider? time = null, Action<RegimeSiOptions>? configure = null)
    {
        var options = new RegimeSiOptions { BaseUrl = Url };
        configure?.Invoke(options);
        return ClientOf(options, time ?? TimeProvider.System);
    }

    public RegimeSiClient ClientOf(RegimeSiOptions values, TimeProvider time, ILogger<SiGate>? log = null)
    {
        var options = Options.Create(values);
        var ledger = new SlotLedger(values.MaxConcurrentCalls, values.Lease, time);
        var slots = new SiSlots("silo", request => Task.FromResult(ledger.Renew(request.Silo, request.Sequence, request.Held, request.Wanted)), options, time, NullLogger<SiSlots>.Instance);
        var transport = new SiTransport(options, time);
        transports.Add(transport);
        return new RegimeSiClient(transport, new SiGate(options, time, log ?? NullLogger<SiGate>.Instance), slots, options, time, NullLogger<RegimeSiClient>.Instance);
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var transport in transports)
            transport.Dispose();
        using var now = new CancellationTokenSource(0);
        await app.StopAsync(now.Token);
        await app.DisposeAsync();
    }
}
