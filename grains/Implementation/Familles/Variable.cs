namespace DroitsAmeli.Grains.Familles;

/// <summary>Reads numbers of variable length, seven bits a byte, the lowest first. Never throws: once <see cref="Failed"/>, everything reads as nothing.</summary>
internal ref struct Variable(ReadOnlySpan<byte> bytes)
{
    public bool Failed { get; private set; }

    /// <summary>What has not been read.</summary>
    public ReadOnlySpan<byte> Rest { get; private set; } = bytes;

    public static void Write(Stream output, ulong value)
    {
        for (; value >= 0x80; value >>= 7)
            output.WriteByte((byte)(value | 0x80));
        output.WriteByte((byte)value);
    }

    public static void Write(Stream output, long value) => Write(output, (ulong)(value << 1) ^ (ulong)(value >> 63));

    public byte Byte() => Bytes(1) is [var value] ? value : (byte)0;

    public ReadOnlySpan<byte> Bytes(ulong count)
    {
        if (Failed || count > (ulong)Rest.Length)
        {
            Failed = true;
            return [];
        }

        var taken = Rest[..(int)count];
        Rest = Rest[(int)count..];
        return taken;
    }

    public ulong Unsigned()
    {
        var value = 0UL;
        for (var shift = 0; shift < 64; shift += 7)
        {
            var next = Byte();
            if (shift == 63 && next > 1)
                break;
            value |= (ulong)(next & 0x7F) << shift;
            if (next < 0x80)
                return value;
        }

        Failed = true;
        return 0;
    }

    public long Signed()
    {
        var value = Unsigned();
        return (long)(value >> 1) ^ -(long)(value & 1);
    }
}
