using System.Net;
using System.Net.Http.Headers;
using System.Text.Json;
using Microsoft.Extensions.Options;

namespace DroitsAmeli.Grains.RegimeSi;

/// <summary>How one HTTP exchange ended.</summary>
internal enum ExchangeEnd
{
    /// <summary>A status that is neither 429 nor 5xx, its body complete.</summary>
    Answered,

    /// <summary>429 or 5xx.</summary>
    Declined,

    /// <summary>No byte of an answer came.</summary>
    NoAnswer,

    /// <summary>The time allowed ran out.</summary>
    TimedOut,

    /// <summary>The connection ended inside the body.</summary>
    Broken,

    /// <summary>Too large, or not HTTP.</summary>
    Refused,
}

/// <summary>One HTTP exchange with the SI.</summary>
internal sealed record Exchange(ExchangeEnd End)
{
    public HttpStatusCode Status { get; init; }
    public ReadOnlyMemory<byte> Body { get; init; }
    public string? ETag { get; init; }
    public TimeSpan? RetryAfter { get; init; }
    public RefusalReason? Refusal { get; init; }

    /// <summary>We ended it, not the SI, who may still be at it.</summary>
    public bool CutShort { get; init; }

    /// <summary>The SI is in trouble: counts for the circuit.</summary>
    public bool IsFailure => End is ExchangeEnd.Declined or ExchangeEnd.NoAnswer or ExchangeEnd.TimedOut or ExchangeEnd.Broken;

    /// <summary>Nothing was answered yet, or nothing but a hiccup: the same question may be put once more.</summary>
    public bool MayRetry => !CutShort
        && (End == ExchangeEnd.NoAnswer
            || (End == ExchangeEnd.Declined && RetryAfter is null && Status is HttpStatusCode.InternalServerError or HttpStatusCode.BadGateway));

    public string Label => End switch
    {
        ExchangeEnd.Answered or ExchangeEnd.Declined => ((int)Status).ToString(System.Globalization.CultureInfo.InvariantCulture),
        ExchangeEnd.NoAnswer => "no_answer",
        ExchangeEnd.TimedOut => "timed_out",
        ExchangeEnd.Broken => "broken",
        _ => "refused",
    };
}

/// <summary>The HTTP to the SI.</summary>
public sealed class SiTransport : IDisposable
{
    /// <summary>Bytes of a body, after decompression.</summary>
    internal const int MaxBodyBytes = 1024 * 1024;

    private const int MaxUnusedBytes = 64 * 1024;

    private static readonly TimeSpan MaxUnusedTime = TimeSpan.FromMilliseconds(500);

    private static readonly MediaTypeHeaderValue JsonBody = new("application/json");

    private readonly HttpClient http;
    private readonly string baseUrl;
    private readonly TimeProvider time;

    public SiTransport(IOptions<RegimeSiOptions> options, TimeProvider time)
    {
        this.time = time;
        baseUrl = options.Value.BaseUrl.TrimEnd('/') + "/si/v1/";
        http = SiHttp.CreateClient(options.Value);
    }

    /// <summary>Sends one request. Throws only when <paramref name="caller"/> is cancelled.</summary>
    internal async Task<Exchange> Send(SiRequest request, CancellationToken deadline, CancellationToken caller)
    {
        using var either = CancellationTokenSource.CreateLinkedTokenSource(deadline, caller);
        var headersCame = false;
        try
        {
            using var message = CreateMessage(request);
            using var response = await http.SendAsync(message, HttpCompletionOption.ResponseHeadersRead, either.Token).ConfigureAwait(false);
            headersCame = true;
            var status = response.StatusCode;
            if (status is HttpStatusCode.OK or HttpStatusCode.UnprocessableEntity)
            {
                return await SiHttp.ReadBody(response.Content, MaxBodyBytes, either.Token).ConfigureAwait(false) is { } body
                    ? new Exchange(ExchangeEnd.Answered) { Status = status, Body = body }
                    : new Exchange(ExchangeEnd.Refused) { Status = status, Refusal = RefusalReason.TooLarge, CutShort = true };
            }

            var ends = await Ends(response, either.Token).ConfigureAwait(false);
            caller.ThrowIfCancellationRequested();
            return status == HttpStatusCode.TooManyRequests || (int)status >= 500
                ? new Exchange(ExchangeEnd.Declined) { Status = status, RetryAfter = SiHttp.ReadRetryAfter(response, time), CutShort = !ends }
                : new Exchange(ExchangeEnd.Answered) { Status = status, ETag = response.Headers.ETag?.Tag, CutShort = !ends };
        }
        catch (OperationCanceledException) when (caller.IsCancellationRequested)
        {
            throw;
        }
        catch (OperationCanceledException)
        {
            return new Exchange(ExchangeEnd.TimedOut) { CutShort = true };
        }
        catch (HttpRequestException error) when (error.HttpRequestError is HttpRequestError.InvalidResponse or HttpRequestError.ConfigurationLimitExceeded)
        {
            return new Exchange(ExchangeEnd.Refused) { Refusal = RefusalReason.MalformedHttp, CutShort = true };
        }
        catch (InvalidDataException)
        {
            return new Exchange(ExchangeEnd.Refused) { Refusal = RefusalReason.Unparseable, CutShort = true };
        }
        catch (Exception error) when (error is HttpRequestException or IOException)
        {
            return headersCame
                ? new Exchange(ExchangeEnd.Broken) { Refusal = RefusalReason.Truncated }
                : new Exchange(ExchangeEnd.NoAnswer);
        }
    }

    /// <inheritdoc/>
    public void Dispose() => http.Dispose();

    // Reads what nobody needs, so that the SI is done and the connection serves again; false when it is too much or comes too slowly for that.
    private async Task<bool> Ends(HttpResponseMessage response, CancellationToken cancellationToken)
    {
        using var patience = new CancellationTokenSource(MaxUnusedTime, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(patience.Token, cancellationToken);
        try
        {
            return await SiHttp.ReadBody(response.Content, MaxUnusedBytes, either.Token).ConfigureAwait(false) is not null;
        }
        catch (Exception error) when (error is HttpRequestException or IOException)
        {
            return true;
        }
        catch (Exception error) when (error is OperationCanceledException or InvalidDataException)
        {
            return false;
        }
    }

    private HttpRequestMessage CreateMessage(SiRequest request)
    {
        var message = new HttpRequestMessage(request.Identification is null ? HttpMethod.Get : HttpMethod.Post, baseUrl + request.Path);
        if (request.Identification is { } identification)
            message.Content = new ByteArrayContent(JsonSerializer.SerializeToUtf8Bytes(identification)) { Headers = { ContentType = JsonBody } };
        if (request.Nir is { } nir)
            message.Headers.TryAddWithoutValidation("nir", nir.Value);
        if (request.ETag is { } etag)
            message.Headers.IfNoneMatch.Add(new EntityTagHeaderValue(etag));
        return message;
    }
}
