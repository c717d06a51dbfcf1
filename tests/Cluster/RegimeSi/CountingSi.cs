using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace DroitsAmeli.Tests.Cluster.RegimeSi;

/// <summary>A régime SI that takes its time with each answer, and counts how many it works on at once.</summary>
internal sealed class CountingSi : IAsyncDisposable
{
    private static readonly TimeSpan Latency = TimeSpan.FromMilliseconds(40);

    private readonly Lock gate = new();
    private readonly WebApplication app;
    private int atOnce;
    private TaskCompletionSource? held;

    private CountingSi(WebApplication app) => this.app = app;

    public string Url => app.Urls.Single();

    public int MostAtOnce { get; private set; }

    public int AtOnce
    {
        get
        {
            lock (gate)
                return atOnce;
        }
    }

    public static async Task<CountingSi> Start()
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().UseUrls("http://127.0.0.1:0");
        builder.Logging.ClearProviders();
        var app = builder.Build();
        var si = new CountingSi(app);
        app.Run(si.Answer);
        await app.StartAsync();
        return si;
    }

    /// <summary>Answers nobody until <see cref="Release"/>.</summary>
    public void Hold() => held = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public void Release() => Interlocked.Exchange(ref held, null)?.TrySetResult();

    public async ValueTask DisposeAsync()
    {
        Release();
        using var now = new CancellationTokenSource(0);
        await app.StopAsync(now.Token);
        await app.DisposeAsync();
    }

    private async Task Answer(HttpContext context)
    {
        lock (gate)
            MostAtOnce = Math.Max(MostAtOnce, ++atOnce);
        try
        {
            await (held?.Task ?? Task.Delay(Latency, TimeProvider.System));
        }
        finally
        {
            lock (gate)
                atOnce--;
        }
        await context.Response.WriteAsync("""{"famille":"F1","version":7,"beneficiaires":[]}""");
    }
}
