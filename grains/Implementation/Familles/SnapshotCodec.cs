using System.Buffers;
using System.Buffers.Binary;
using System.IO.Compression;
using System.Text;

namespace DroitsAmeli.Grains.Familles;

/// <summary>
/// The compact bytes of a <see cref="FamilleSnapshot"/>. The first byte is the format: those of every released version stay readable, and a
/// format of a later version is refused. A new one is read in one version (<see cref="Newest"/>) and written in the next
/// (<see cref="Written"/>): the silos of the version before must be able to read what is stored, and what moves to them.
/// </summary>
/// <remarks>
/// Format 1: the format, the length of what follows, and the end of a zlib stream. Its beginning, which is left out of the bytes, is always
/// <see cref="SnapshotSample"/>: so a family costs only what sets it apart from the sample. Deflate carries nothing but its window from
/// block to block, so that whoever compressed the beginning, and how, does not matter to the end.
/// </remarks>
internal static class SnapshotCodec
{
    /// <summary>The format in which snapshots are written.</summary>
    internal const byte Written = 1;

    /// <summary>The newest format that can be read; all before it can.</summary>
    internal const byte Newest = 1;

    private const int SmallestTail = 6;

    /// <summary>The most bytes that a snapshot may unfold to.</summary>
    internal const int LargestBody = 8 * 1024 * 1024;

    private static readonly byte[] Sample = Encoding.UTF8.GetBytes(SnapshotSample.Text);
    private static readonly byte[] Beginning = BeginningOf(Sample);
    private static readonly uint SampleChecksum = Adler32(Sample, 1);
    private static readonly long EarliestInstant = DateTimeOffset.MinValue.ToUnixTimeMilliseconds();
    private static readonly long LatestInstant = DateTimeOffset.MaxValue.ToUnixTimeMilliseconds();

    /// <summary>Instants are kept to the millisecond, in UTC.</summary>
    /// <exception cref="ArgumentException">The snapshot is larger than <see cref="LargestBody"/>.</exception>
    public static byte[] Encode(FamilleSnapshot snapshot)
    {
        using var body = new MemoryStream(2048);
        WriteBody(body, snapshot);
        if (body.Length > LargestBody)
            throw new ArgumentException("The snapshot is too large.", nameof(snapshot));

        using var compressed = new MemoryStream(2048);
        using (var zlib = new ZLibStream(compressed, CompressionLevel.Optimal, leaveOpen: true))
        {
            zlib.Write(Sample);
            zlib.Flush();
            compressed.SetLength(0);
            zlib.Write(body.GetBuffer().AsSpan(0, (int)body.Length));
        }

        using var output = new MemoryStream((int)compressed.Length + 4);
        output.WriteByte(Written);
        Variable.Write(output, (ulong)compressed.Length);
        compressed.WriteTo(output);
        return output.ToArray();
    }

    /// <summary>True when the bytes are of a format that came after this build.</summary>
    public static bool IsNewer(ReadOnlySpan<byte> bytes) => !bytes.IsEmpty && bytes[0] > Newest;

    /// <summary>Null when the bytes are not a snapshot that this version can read; never throws.</summary>
    public static FamilleSnapshot? Decode(ReadOnlySpan<byte> bytes) => bytes switch
    {
        [1, .. var rest] => DecodeFirst(rest),
        _ => null,
    };

    private static FamilleSnapshot? DecodeFirst(ReadOnlySpan<byte> bytes)
    {
        var input = new Variable(bytes);
        if (input.Unsigned() != (ulong)input.Rest.Length || input.Rest.Length < SmallestTail)
            return null;

        var stream = ArrayPool<byte>.Shared.Rent(Beginning.Length + input.Rest.Length);
        try
        {
            Beginning.CopyTo(stream, 0);
            input.Rest.CopyTo(stream.AsSpan(Beginning.Length));
            using var compressed = new MemoryStream(stream, 0, Beginning.Length + input.Rest.Length, writable: false);
            return Unfold(compressed, BinaryPrimitives.ReadUInt32BigEndian(input.Rest[^4..]));
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(stream, clearArray: true);
        }
    }

    // The library takes a stream that breaks off for one that ends, and then leaves the checksum unchecked.
    private static FamilleSnapshot? Unfold(MemoryStream compressed, uint checksum)
    {
        var unfolded = ArrayPool<byte>.Shared.Rent(8 * 1024);
        var length = 0;
        try
        {
            using var zlib = new ZLibStream(compressed, CompressionMode.Decompress);
            while (zlib.Read(unfolded, length, unfolded.Length - length) is > 0 and var read)
            {
                length += read;
                if (length > Sample.Length + LargestBody)
                    return null;
                if (length == unfolded.Length)
                    Grow(ref unfolded, length);
            }

            if (length <= Sample.Length)
                return null;
            var body = unfolded.AsSpan(Sample.Length, length - Sample.Length);
            return Adler32(body, SampleChecksum) == checksum ? ReadBody(body) : null;
        }
        catch (InvalidDataException)
        {
            return null;
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(unfolded, clearArray: true);
        }
    }

    private static void Grow(ref byte[] buffer, int length)
    {
        var larger = ArrayPool<byte>.Shared.Rent(buffer.Length * 2);
        buffer.AsSpan(0, length).CopyTo(larger);
        ArrayPool<byte>.Shared.Return(buffer, clearArray: true);
        buffer = larger;
    }

    private static void WriteBody(MemoryStream body, FamilleSnapshot snapshot)
    {
        Variable.Write(body, snapshot.Newest);
        Variable.Write(body, (ulong)snapshot.Parts.Count);
        var previous = 0L;
        foreach (var part in snapshot.Parts)
        {
            var loaded = part.LoadedAt.ToUnixTimeMilliseconds();
            var nir = Encoding.UTF8.GetBytes(part.Nir ?? "");
            Variable.Write(body, part.Nir is null ? 0UL : (ulong)nir.Length + 1);
            body.Write(nir);
            Variable.Write(body, unchecked(snapshot.Newest - part.Version));
            Variable.Write(body, unchecked(snapshot.Newest - part.CurrentAt));
            Variable.Write(body, loaded - previous);
            Variable.Write(body, part.FreshUntil.ToUnixTimeMilliseconds() - loaded);
            Variable.Write(body, (ulong)part.Payload.Length);
            body.Write(part.Payload.Span);
            previous = loaded;
        }

        // Only where one was confirmed after it was given: most were not.
        if (snapshot.Parts.Any(part => part.GivenAt != part.LoadedAt))
        {
            foreach (var part in snapshot.Parts)
                Variable.Write(body, part.LoadedAt.ToUnixTimeMilliseconds() - part.GivenAt.ToUnixTimeMilliseconds());
        }
    }

    private static FamilleSnapshot? ReadBody(ReadOnlySpan<byte> bytes)
    {
        var body = new Variable(bytes);
        var newest = body.Signed();
        var count = body.Unsigned();
        var parts = new List<SnapshotPart>();
        var previous = 0L;
        while ((ulong)parts.Count < count)
        {
            var nir = body.Unsigned() is > 0 and var length ? Encoding.UTF8.GetString(body.Bytes(length - 1)) : null;
            var version = unchecked(newest - body.Signed());
            var currentAt = unchecked(newest - body.Signed());
            var loaded = unchecked(previous + body.Signed());
            var fresh = unchecked(loaded + body.Signed());
            var payload = body.Bytes(body.Unsigned()).ToArray();
            if (body.Failed || !IsInstant(loaded) || !IsInstant(fresh))
                return null;

            parts.Add(new(
                nir, version, currentAt, DateTimeOffset.FromUnixTimeMilliseconds(loaded), DateTimeOffset.FromUnixTimeMilliseconds(fresh), payload));
            previous = loaded;
        }

        if (!body.Rest.IsEmpty)
        {
            for (var i = 0; i < parts.Count; i++)
            {
                var given = unchecked(parts[i].LoadedAt.ToUnixTimeMilliseconds() - body.Signed());
                if (!IsInstant(given))
                    return null;
                parts[i] = parts[i] with { GivenAt = DateTimeOffset.FromUnixTimeMilliseconds(given) };
            }
        }

        return !body.Failed && body.Rest.IsEmpty ? new(newest, parts) : null;
    }

    private static bool IsInstant(long milliseconds) => milliseconds >= EarliestInstant && milliseconds <= LatestInstant;

    /// <summary>The checksum of zlib (RFC 1950, 8.2) over what gave <paramref name="before"/> (1 for nothing) and these bytes.</summary>
    private static uint Adler32(ReadOnlySpan<byte> bytes, uint before)
    {
        const uint modulus = 65_521;

        // The most bytes whose sums cannot overflow.
        const int stride = 5_552;
        var (low, high) = (before & 0xFFFF, before >> 16);
        while (!bytes.IsEmpty)
        {
            var taken = Math.Min(stride, bytes.Length);
            foreach (var value in bytes[..taken])
                high += low += value;
            (low, high) = (low % modulus, high % modulus);
            bytes = bytes[taken..];
        }

        return (high << 16) | low;
    }

    // A zlib header and the sample as one stored block that is not the last.
    private static byte[] BeginningOf(byte[] sample)
    {
        var length = checked((ushort)sample.Length);
        return [0x78, 0x9C, 0, (byte)length, (byte)(length >> 8), (byte)~length, (byte)(~length >> 8), .. sample];
    }
}
