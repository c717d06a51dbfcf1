using System.Buffers.Binary;
using Orleans.Storage;

namespace DroitsAmeli.Grains.Storage;

/// <summary>A row as the storage provider moves it.</summary>
internal sealed class SnapshotRow
{
    /// <summary>Of a row that was read: the least version the change feed has announced since.</summary>
    public long LeastVersion { get; init; }

    /// <summary>The sealed snapshot.</summary>
    public ReadOnlyMemory<byte> Payload { get; init; }
}

/// <summary>
/// Hands bytes through. What is read has 8 bytes more than what was written: the row's <c>least_version</c>, big-endian, in front.
/// </summary>
internal sealed class SnapshotRowSerializer : IGrainStorageSerializer
{
    public BinaryData Serialize<T>(T? input) =>
        input is SnapshotRow row ? new(row.Payload) : throw new NotSupportedException($"Only {nameof(SnapshotRow)} is stored here.");

    public T Deserialize<T>(BinaryData input)
    {
        var bytes = input.ToMemory();
        var row = bytes.Length < sizeof(long)
            ? new SnapshotRow { Payload = bytes }
            : new SnapshotRow { LeastVersion = BinaryPrimitives.ReadInt64BigEndian(bytes.Span), Payload = bytes[sizeof(long)..] };
        return row is T value ? value : throw new NotSupportedException($"Only {nameof(SnapshotRow)} is stored here.");
    }
}
