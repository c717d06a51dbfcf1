using System.Net;
using System.Text.Json;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;

namespace DroitsAmeli.Simulators.RegimeSi;

/// <summary>
/// A régime SI over real HTTP, on loopback only: the SI's contract over a simulated population, with latency, limits and faults that
/// are set while it runs.
/// </summary>
public static class RegimeSiSimulator
{
    private const int LongestWaitSeconds = 60;

    /// <summary>Makes a simulator; the caller starts, stops and disposes it.</summary>
    /// <param name="options">How it starts.</param>
    /// <param name="time">The system's clock when null.</param>
    /// <param name="population">One made from the options when null; to be shared with who else must know the personas.</param>
    /// <exception cref="SimulatorException">The environment is explicitly Production.</exception>
    /// <exception cref="System.ComponentModel.DataAnnotations.ValidationException">A setting is out of range.</exception>
    public static WebApplication Create(RegimeSiSimulatorOptions options, TimeProvider? time = null, Population? population = null)
    {
        SimulatorEnvironment.Refuse(options.EnvironmentName, "régime SI");
        options.Validate();
        time ??= TimeProvider.System;
        population ??= new Population(options.Seed, options.Families, time);

        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions { EnvironmentName = options.EnvironmentName ?? "Sandbox" });
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.Limits.MinResponseDataRate = null;
            kestrel.Listen(IPAddress.Loopback, options.Port);
            if (options.AdminPort is { } adminPort)
                kestrel.Listen(IPAddress.Loopback, adminPort, SandboxEndpoints.MarkAdmin);
        });
        builder.Services.AddRouting();
        builder.Services.Configure<HostOptions>(host => host.ShutdownTimeout = TimeSpan.FromSeconds(2));

        var app = builder.Build();
        var behaviour = new SiBehaviour(options.Reglages, time);
        var feed = new EvenementFeed(options.FeedCapacity, time);
        var store = new FamilleStore(population, feed, time);
        var calls = new SiCalls(store, behaviour);
        var pipeline = new SiPipeline(behaviour, options.ApiKey, time, app.Lifetime);
        MapSi(app, pipeline, calls, feed);
        app.MapSandbox(options.AdminPort is not null, behaviour, store, feed);
        return app;
    }

    /// <summary>Where a started simulator answers, for <c>RegimeSi:BaseUrl</c>.</summary>
    public static Uri BaseUrl(WebApplication started) => new(Addresses(started).First());

    /// <summary>Where a started simulator takes the <c>/sandbox</c> calls.</summary>
    public static Uri AdminUrl(WebApplication started) => new(Addresses(started).Last());

    private static ICollection<string> Addresses(WebApplication started) =>
        started.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()?.Addresses is { Count: > 0 } addresses
            ? addresses
            : throw new InvalidOperationException("The simulator has not been started.");

    private static void MapSi(WebApplication app, SiPipeline pipeline, SiCalls calls, EvenementFeed feed)
    {
        app.MapPost("/si/v1/identifications", (HttpContext context) =>
            pipeline.Run(context, SiCall.Identifications, async (_, stopping) => calls.Identify(await ReadIdentity(context.Request, stopping))));
        app.MapGet("/si/v1/familles/{famille}", (HttpContext context, string famille) =>
            pipeline.Run(context, SiCall.Familles, (held, _) => Task.FromResult(calls.Composition(famille, held))));
        app.MapGet("/si/v1/familles/{famille}/droits", (HttpContext context, string famille) =>
            pipeline.Run(context, SiCall.Droits, (held, _) => Task.FromResult(calls.Droits(famille, context.Request.Headers["nir"], held))));
        app.MapGet("/si/v1/evenements", (HttpContext context, string? apres, int? attente) =>
            pipeline.Run(context, SiCall.Evenements, (_, stopping) => Follow(feed, apres, attente, stopping)));
    }

    private static async Task<SiReply> Follow(EvenementFeed feed, string? after, int? seconds, CancellationToken stopping)
    {
        var page = await feed.Read(after, TimeSpan.FromSeconds(Math.Clamp(seconds ?? 0, 0, LongestWaitSeconds)), stopping);
        return page.Evenements is null
            ? new SiReply(StatusCodes.Status410Gone, new { page.Curseur })
            : new SiReply(StatusCodes.Status200OK, page);
    }

    private static async Task<IdentiteDemandee?> ReadIdentity(HttpRequest request, CancellationToken cancellationToken)
    {
        try
        {
            return await JsonSerializer.DeserializeAsync<IdentiteDemandee>(request.Body, SiReply.Json, cancellationToken);
        }
        catch (JsonException)
        {
            return null;
        }
    }
}
