namespace DroitsAmeli.Grains.FranceConnect;

/// <summary>A response body that is never larger than FranceConnect has reason to send.</summary>
internal static class BoundedBody
{
    internal const int MaximumBytes = 64 * 1024;

    /// <summary>The body; null when it is larger than 64 KiB.</summary>
    public static async Task<byte[]?> Read(HttpContent content, CancellationToken cancellationToken)
    {
        if (content.Headers.ContentLength > MaximumBytes)
            return null;
        await using var stream = await content.ReadAsStreamAsync(cancellationToken);
        var buffer = new byte[MaximumBytes + 1];
        var length = await stream.ReadAtLeastAsync(buffer, buffer.Length, throwOnEndOfStream: false, cancellationToken);
        return length > MaximumBytes ? null : buffer[..length];
    }
}
