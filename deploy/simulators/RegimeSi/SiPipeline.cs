using System.Diagnostics;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace DroitsAmeli.Simulators.RegimeSi;

/// <summary>What every SI call goes through: counters, bearer, closing, limit, latency, faults, and the writing of the answer.</summary>
internal sealed class SiPipeline(SiBehaviour behaviour, string? apiKey, TimeProvider time, IHostApplicationLifetime lifetime)
{
    private const long VersionsBack = 1_000_000_000;
    private const int HugeBodyBytes = 50 * 1024 * 1024;
    private const string AnotherNir = "2780275108005";
    private const string BrokenNir = "2781375108005";
    private const string AnotherFamille = "ZZZZZZZZ";

    private readonly byte[]? _bearer = string.IsNullOrEmpty(apiKey) ? null : SHA256.HashData(Encoding.UTF8.GetBytes("Bearer " + apiKey));

    /// <summary>Runs a call.</summary>
    /// <param name="context">The request.</param>
    /// <param name="call">Which.</param>
    /// <param name="answer">The right answer; it is told which version the caller holds.</param>
    public async Task Run(HttpContext context, SiCall call, Func<string?, CancellationToken, Task<SiReply>> answer)
    {
        using var stopping = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted, lifetime.ApplicationStopping);
        var (fault, latency) = behaviour.Begin(call);
        var ended = 0;
        if (fault?.Kind is not (FaultKind.SlowDrip or FaultKind.HugeBody))
        {
            // Once the caller has its answer it may begin its next call: this one must no longer count.
            context.Response.OnStarting(() =>
            {
                End();
                return Task.CompletedTask;
            });
        }

        try
        {
            if (!IsAuthenticated(context.Request))
                await Write(context.Response, new SiReply(401), stopping.Token);
            else if (behaviour.Reglages.ClosedUntil - time.GetUtcNow() is { Ticks: > 0 } closed)
                await Write(context.Response, new SiReply(503, RetryAfterSeconds: (int)Math.Ceiling(closed.TotalSeconds)), stopping.Token);
            else if (call == SiCall.Evenements)
                await Work(context, fault, answer, stopping.Token);
            else if (!await behaviour.Gate.Enter(behaviour.Reglages.Concurrency, stopping.Token))
                await Write(context.Response, new SiReply(429, RetryAfterSeconds: 1), stopping.Token);
            else
                await Occupy(context, fault, latency, answer, stopping.Token);
        }
        catch (OperationCanceledException) when (stopping.IsCancellationRequested)
        {
            context.Abort();
        }
        finally
        {
            End();
        }

        void End()
        {
            if (Interlocked.Exchange(ref ended, 1) == 0)
                behaviour.End(call);
        }
    }

    private async Task Occupy(
        HttpContext context, Fault? fault, TimeSpan latency, Func<string?, CancellationToken, Task<SiReply>> answer, CancellationToken cancellationToken)
    {
        var since = behaviour.Occupy();
        try
        {
            if (latency > TimeSpan.Zero)
                await Task.Delay(latency, time, behaviour.Reglages.Concurrency.Persist ? lifetime.ApplicationStopping : cancellationToken);
            await Work(context, fault, answer, cancellationToken);
        }
        finally
        {
            // A reset is the simulator's own doing.
            behaviour.Leave(since, inVain: context.RequestAborted.IsCancellationRequested && fault?.Kind is not FaultKind.Reset);
            behaviour.Gate.Leave(behaviour.Reglages.Concurrency);
        }
    }

    private bool IsAuthenticated(HttpRequest request) =>
        _bearer is null
        || CryptographicOperations.FixedTimeEquals(SHA256.HashData(Encoding.UTF8.GetBytes(request.Headers.Authorization.ToString())), _bearer);

    private async Task Work(HttpContext context, Fault? fault, Func<string?, CancellationToken, Task<SiReply>> answer, CancellationToken cancellationToken)
    {
        switch (fault?.Kind)
        {
            case FaultKind.Status500:
                await Write(context.Response, new SiReply(500), cancellationToken);
                return;
            case FaultKind.Status429:
                await Write(context.Response, new SiReply(429, RetryAfterSeconds: fault.RetryAfterSeconds), cancellationToken);
                return;
            case FaultKind.Status503:
                await Write(context.Response, new SiReply(503, RetryAfterSeconds: fault.RetryAfterSeconds), cancellationToken);
                return;
            case FaultKind.Hang:
                await Task.Delay(Timeout.InfiniteTimeSpan, time, cancellationToken);
                return;
            case FaultKind.Reset:
                context.Abort();
                return;
            case FaultKind.Garbage:
                await WriteBytes(context.Response, [.. "\u0001<html>¿{\"famille\":"u8], cancellationToken);
                behaviour.AnsweredWrong(FaultKind.Garbage);
                return;
            case FaultKind.HugeBody:
                // Counted before it is written: callers hang up inside it.
                behaviour.AnsweredWrong(FaultKind.HugeBody);
                await WriteHugeBody(context.Response, cancellationToken);
                return;
        }

        var held = context.Request.Headers.IfNoneMatch.ToString();
        var reply = await answer(fault is null ? held : null, cancellationToken);
        if (fault is null || reply.Status != StatusCodes.Status200OK)
        {
            if (held.Length == 0 && reply is { Status: StatusCodes.Status200OK, Version: not null })
                behaviour.AnsweredWhole();
            await Write(context.Response, reply, cancellationToken);
            return;
        }

        await Spoil(context.Response, reply, fault, cancellationToken);
        if (fault.Kind is not FaultKind.SlowDrip && (fault.Kind is not FaultKind.OlderVersion || held.Length > 0))
            behaviour.AnsweredWrong(fault.Kind);
    }

    private async Task Spoil(HttpResponse response, SiReply reply, Fault fault, CancellationToken cancellationToken)
    {
        var json = JsonSerializer.SerializeToNode(reply.Body, SiReply.Json)!.AsObject();
        switch (fault.Kind)
        {
            case FaultKind.WrongFamille:
                json["famille"] = AnotherFamille;
                break;
            case FaultKind.WrongNir when json["beneficiaires"] is JsonArray beneficiaires:
                beneficiaires[0]!["nir"] = BrokenNir;
                break;
            case FaultKind.WrongNir:
                json["nir"] = json.ContainsKey("contrats") ? AnotherNir : BrokenNir;
                break;
            case FaultKind.OlderVersion when reply.Version is { } version:
                json["version"] = version - VersionsBack;
                reply = reply with { Version = version - VersionsBack };
                break;
            case FaultKind.OlderVersion or FaultKind.SlowDrip or FaultKind.Truncated:
                break;
            default:
                throw new UnreachableException($"Nobody plays {fault.Kind}.");
        }

        var bytes = Encoding.UTF8.GetBytes(json.ToJsonString(SiReply.Json));
        SetHeaders(response, reply);
        response.ContentType = "application/json";
        response.ContentLength = bytes.Length;
        if (fault.Kind == FaultKind.Truncated)
            await response.Body.WriteAsync(bytes.AsMemory(0, bytes.Length / 2), cancellationToken);
        else if (fault.Kind == FaultKind.SlowDrip)
            foreach (var part in bytes.Chunk(1))
            {
                await response.Body.WriteAsync(part, cancellationToken);
                await response.Body.FlushAsync(cancellationToken);
                await Task.Delay(TimeSpan.FromMilliseconds(fault.DripMs), time, cancellationToken);
            }
        else
            await response.Body.WriteAsync(bytes, cancellationToken);
    }

    private static async Task Write(HttpResponse response, SiReply reply, CancellationToken cancellationToken)
    {
        SetHeaders(response, reply);
        if (reply.Body is { } body)
            await WriteBytes(response, JsonSerializer.SerializeToUtf8Bytes(body, body.GetType(), SiReply.Json), cancellationToken, reply.Status);
    }

    private static void SetHeaders(HttpResponse response, SiReply reply)
    {
        response.StatusCode = reply.Status;
        if (reply.Version is { } version)
            response.Headers.ETag = SiCalls.Tag(version);
        if (reply.RetryAfterSeconds is { } seconds)
            response.Headers.RetryAfter = seconds.ToString(System.Globalization.CultureInfo.InvariantCulture);
    }

    private static async Task WriteBytes(HttpResponse response, byte[] bytes, CancellationToken cancellationToken, int status = StatusCodes.Status200OK)
    {
        response.StatusCode = status;
        response.ContentType = "application/json";
        response.ContentLength = bytes.Length;
        await response.Body.WriteAsync(bytes, cancellationToken);
    }

    private static async Task WriteHugeBody(HttpResponse response, CancellationToken cancellationToken)
    {
        response.ContentType = "application/json";
        await response.Body.WriteAsync("{\"famille\":\""u8.ToArray(), cancellationToken);
        var filler = Encoding.ASCII.GetBytes(new string('0', 64 * 1024));
        for (var written = 0; written < HugeBodyBytes; written += filler.Length)
            await response.Body.WriteAsync(filler, cancellationToken);
        await response.Body.WriteAsync("\"}"u8.ToArray(), cancellationToken);
    }
}
