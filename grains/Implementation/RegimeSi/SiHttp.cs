using System.Net;
using System.Net.Http.Headers;

namespace DroitsAmeli.Grains.RegimeSi;

/// <summary>
/// What all HTTP to the SI has in common. The clients are made by hand: the factory's would log URLs, and its diagnostics would put them into
/// traces, and the family id stands in them.
/// </summary>
internal static class SiHttp
{
    private static readonly TimeSpan MaxRetryAfter = TimeSpan.FromHours(24);

    /// <summary>A client without a time-out of its own, that asks for JSON with <c>RegimeSi:ApiKey</c>.</summary>
    public static HttpClient CreateClient(RegimeSiOptions options)
    {
        var http = new HttpClient(CreateHandler(options)) { Timeout = Timeout.InfiniteTimeSpan };
        http.DefaultRequestHeaders.Accept.Add(new MediaTypeWithQualityHeaderValue("application/json"));
        if (options.ApiKey is { Length: > 0 } key)
            http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", key);
        return http;
    }

    /// <summary>The body; null when it has more bytes than that, after decompression.</summary>
    public static async Task<ReadOnlyMemory<byte>?> ReadBody(HttpContent content, int maxBytes, CancellationToken cancellationToken)
    {
        if (content.Headers.ContentLength > maxBytes)
            return null;

        var stream = await content.ReadAsStreamAsync(cancellationToken).ConfigureAwait(false);
        await using (stream.ConfigureAwait(false))
        {
            var buffer = new byte[content.Headers.ContentLength is { } length ? (int)length + 1 : 8 * 1024];
            var count = 0;
            while (true)
            {
                var read = await stream.ReadAsync(buffer.AsMemory(count), cancellationToken).ConfigureAwait(false);
                if (read == 0)
                    return buffer.AsMemory(0, count);
                count += read;
                if (count > maxBytes)
                    return null;
                if (count == buffer.Length)
                    Array.Resize(ref buffer, Math.Min(buffer.Length * 2, maxBytes + 1));
            }
        }
    }

    /// <summary>What <c>Retry-After</c> asks for, 24 h at most; null when it says nothing that lies ahead.</summary>
    public static TimeSpan? ReadRetryAfter(HttpResponseMessage response, TimeProvider time)
    {
        var header = response.Headers.RetryAfter;
        var wait = header?.Delta ?? (header?.Date is { } date ? date - time.GetUtcNow() : null);
        return wait switch
        {
            null => null,
            _ when wait <= TimeSpan.Zero => null,
            _ when wait > MaxRetryAfter => MaxRetryAfter,
            _ => wait,
        };
    }

    private static SocketsHttpHandler CreateHandler(RegimeSiOptions options) => new()
    {
        AllowAutoRedirect = false,
        UseCookies = false,
        UseProxy = false,
        AutomaticDecompression = DecompressionMethods.All,
        PooledConnectionLifetime = TimeSpan.FromMinutes(5),
        PooledConnectionIdleTimeout = TimeSpan.FromSeconds(30),
        ConnectTimeout = options.Timeout,
        // An answer that is let go before its end takes its connection along at once, instead of being read on behind our back.
        MaxResponseDrainSize = 0,
        ActivityHeadersPropagator = null,
    };
}
