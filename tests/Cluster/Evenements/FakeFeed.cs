using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Text;
using DroitsAmeli.Grains.Familles;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace DroitsAmeli.Tests.Cluster.Evenements;

/// <summary>A régime SI over real HTTP that serves nothing but a change feed, on which a test puts events.</summary>
public sealed class FakeFeed : IAsyncDisposable
{
    private readonly Lock gate = new();
    private readonly List<Evenement> evenements = [];
    private readonly WebApplication app;
    private TaskCompletionSource news = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int forgotten = -1;

    private FakeFeed(WebApplication app) => this.app = app;

    public string Url => app.Urls.Single();

    /// <summary>The most events of one answer.</summary>
    public int PageSize { get; set; } = 500;

    /// <summary>Answers instead of the feed, while it is set.</summary>
    public Func<HttpContext, Task>? Instead { get; set; }

    /// <summary>The cursors asked from and when, in order; null for a poll without.</summary>
    public ConcurrentQueue<(string? Apres, long At)> Polls { get; } = new();

    /// <summary>The cursor after all events.</summary>
    public string Last
    {
        get
        {
            lock (gate)
                return Curseur(evenements.Count);
        }
    }

    public static async Task<FakeFeed> Start()
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0));
        builder.Logging.ClearProviders();
        var app = builder.Build();
        var feed = new FakeFeed(app);
        app.Run(feed.Answer);
        await app.StartAsync();
        return feed;
    }

    public void Publish(params Evenement[] told)
    {
        TaskCompletionSource waiting;
        lock (gate)
        {
            evenements.AddRange(told);
            (waiting, news) = (news, new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously));
        }
        waiting.TrySetResult();
    }

    /// <summary>Makes every cursor given so far too old.</summary>
    public void Forget()
    {
        lock (gate)
        {
            forgotten = evenements.Count;
            evenements.Add(new Evenement("perdue", 1));
        }
    }

    public async ValueTask DisposeAsync()
    {
        using var now = new CancellationTokenSource(0);
        await app.StopAsync(now.Token);
        await app.DisposeAsync();
    }

    private static string Curseur(int position) => "c" + position.ToString(CultureInfo.InvariantCulture);

    private async Task Answer(HttpContext context)
    {
        string? apres = context.Request.Query["apres"];
        Polls.Enqueue((apres, Stopwatch.GetTimestamp()));
        if (Instead is { } instead)
        {
            await instead(context);
            return;
        }

        var wait = TimeSpan.FromSeconds(int.Parse(context.Request.Query["attente"]!, CultureInfo.InvariantCulture));
        var from = apres is null ? int.MaxValue : int.Parse(apres.AsSpan(1), CultureInfo.InvariantCulture);
        var (status, body, waiting) = Page(from);
        if (waiting is not null && apres is not null)
        {
            await Task.WhenAny(waiting, Task.Delay(wait, TimeProvider.System, context.RequestAborted));
            (status, body, _) = Page(from);
        }
        context.Response.StatusCode = status;
        await context.Response.WriteAsync(body, context.RequestAborted);
    }

    private (int Status, string Body, Task? Wait) Page(int from)
    {
        lock (gate)
        {
            if (from <= forgotten)
                return (410, $$"""{ "curseur": "{{Curseur(evenements.Count)}}" }""", null);

            var body = new StringBuilder("""{ "evenements": [""");
            var end = Math.Min(evenements.Count, (long)from + PageSize);
            for (var at = from; at < end; at++)
            {
                var (famille, version) = evenements[at];
                body.Append(CultureInfo.InvariantCulture, $$"""{{(at > from ? "," : "")}}{"curseur":"{{Curseur(at + 1)}}","famille":"{{famille}}","version":{{version}}}""");
            }
            body.Append(CultureInfo.InvariantCulture, $$"""], "curseur": "{{Curseur((int)end)}}" }""");
            return (200, body.ToString(), from >= evenements.Count ? news.Task : null);
        }
    }
}
