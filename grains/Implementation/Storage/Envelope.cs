using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;

namespace DroitsAmeli.Grains.Storage;

/// <summary>What keeps an envelope from being opened.</summary>
internal enum EnvelopeFault
{
    None,

    /// <summary>It is no envelope, or not all of one.</summary>
    Malformed,

    /// <summary>A later version of this program made it.</summary>
    Newer,

    /// <summary>Its key is not in the file.</summary>
    UnknownKey,

    /// <summary>The key, the subject, or a byte of it is another than when it was sealed.</summary>
    NotAuthentic,
}

/// <summary>What came out of an envelope: the snapshot, or why there is none.</summary>
/// <param name="Snapshot">Null unless there is no fault.</param>
/// <param name="Fault">Why it is null.</param>
/// <param name="StatedExpiry">What the clear header states, authentic or not; null when it has none.</param>
internal readonly record struct OpenedEnvelope(Snapshot? Snapshot, EnvelopeFault Fault, DateTimeOffset? StatedExpiry);

/// <summary>
/// A snapshot as it lies in the database: a clear header that SQL reads too (0xDA, the envelope's version, then the oldest load, the newest
/// load and the expiry, each a big-endian signed 64-bit Unix time in milliseconds: these 26 bytes are the same in every later version), the
/// id of the key (length, ASCII), a random nonce of 12 bytes, AES-256-GCM ciphertext and tag. Header, state name and subject are authenticated.
/// </summary>
internal static class Envelope
{
    public const byte Mark = 0xDA;
    public const byte Version = 1;
    public const int ClearSize = 26;
    private const int NonceSize = 12;
    private const int TagSize = 16;

    public static byte[] Seal(StorageKeys keys, string state, string subject, Snapshot snapshot)
    {
        var headerSize = ClearSize + 1 + keys.Active.Length;
        var sealedBytes = new byte[headerSize + NonceSize + snapshot.Content.Length + TagSize];
        var header = sealedBytes.AsSpan(0, headerSize);
        header[0] = Mark;
        header[1] = Version;
        BinaryPrimitives.WriteInt64BigEndian(header[2..], snapshot.OldestLoad.ToUnixTimeMilliseconds());
        BinaryPrimitives.WriteInt64BigEndian(header[10..], snapshot.NewestLoad.ToUnixTimeMilliseconds());
        BinaryPrimitives.WriteInt64BigEndian(header[18..], snapshot.ExpiresAt.ToUnixTimeMilliseconds());
        header[ClearSize] = (byte)keys.Active.Length;
        Encoding.ASCII.GetBytes(keys.Active, header[(ClearSize + 1)..]);

        var nonce = sealedBytes.AsSpan(headerSize, NonceSize);
        RandomNumberGenerator.Fill(nonce);
        using var aes = new AesGcm(keys.Find(keys.Active)!, TagSize);
        aes.Encrypt(
            nonce,
            snapshot.Content.Span,
            sealedBytes.AsSpan(headerSize + NonceSize, snapshot.Content.Length),
            sealedBytes.AsSpan(sealedBytes.Length - TagSize),
            Associated(header, state, subject));
        return sealedBytes;
    }

    public static OpenedEnvelope Open(StorageKeys keys, string state, string subject, ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length <= ClearSize || bytes[0] != Mark || bytes[1] < Version)
            return new(null, EnvelopeFault.Malformed, null);
        var expiry = Instant(bytes[18..]);
        if (bytes[1] > Version)
            return new(null, EnvelopeFault.Newer, expiry);

        var headerSize = ClearSize + 1 + bytes[ClearSize];
        if (bytes.Length < headerSize + NonceSize + TagSize || Instant(bytes[2..]) is not { } oldest || Instant(bytes[10..]) is not { } newest || expiry is null)
            return new(null, EnvelopeFault.Malformed, expiry);
        if (keys.Find(Encoding.ASCII.GetString(bytes[(ClearSize + 1)..headerSize])) is not { } key)
            return new(null, EnvelopeFault.UnknownKey, expiry);

        var content = new byte[bytes.Length - headerSize - NonceSize - TagSize];
        try
        {
            using var aes = new AesGcm(key, TagSize);
            aes.Decrypt(
                bytes.Slice(headerSize, NonceSize),
                bytes[(headerSize + NonceSize)..^TagSize],
                bytes[^TagSize..],
                content,
                Associated(bytes[..headerSize], state, subject));
        }
        catch (CryptographicException)
        {
            return new(null, EnvelopeFault.NotAuthentic, expiry);
        }

        return new(new(content, oldest, newest, expiry.Value), EnvelopeFault.None, expiry);
    }

    private static byte[] Associated(ReadOnlySpan<byte> header, string state, string subject)
    {
        // The length tells where the name ends and the subject begins.
        var name = Encoding.UTF8.GetBytes(state);
        var length = new byte[sizeof(int)];
        BinaryPrimitives.WriteInt32BigEndian(length, name.Length);
        return [.. header, .. length, .. name, .. Encoding.UTF8.GetBytes(subject)];
    }

    private static DateTimeOffset? Instant(ReadOnlySpan<byte> bytes)
    {
        var milliseconds = BinaryPrimitives.ReadInt64BigEndian(bytes);
        return milliseconds >= DateTimeOffset.MinValue.ToUnixTimeMilliseconds() && milliseconds <= DateTimeOffset.MaxValue.ToUnixTimeMilliseconds()
            ? DateTimeOffset.FromUnixTimeMilliseconds(milliseconds)
            : null;
    }
}
