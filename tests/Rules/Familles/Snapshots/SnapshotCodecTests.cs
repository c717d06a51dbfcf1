using System.IO.Compression;
using System.Text;
using CsCheck;
using DroitsAmeli.Grains.Familles;
using DroitsAmeli.Simulators;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace DroitsAmeli.Tests.Rules.Familles.Snapshots;

public sealed class SnapshotCodecTests(ITestOutputHelper output)
{
    private const int Families = 3_000;
    private const int Budget = 450;

    private static readonly Gen<DateTimeOffset> Instants = Gen.Long[
            DateTimeOffset.MinValue.ToUnixTimeMilliseconds(), DateTimeOffset.MaxValue.ToUnixTimeMilliseconds()]
        .Select(DateTimeOffset.FromUnixTimeMilliseconds);

    private static readonly Gen<SnapshotPart> Parts = Gen.Select(
        Gen.Char[' ', 'ÿ'].Array[0, 13].Select(text => new string(text)).Null(),
        Gen.Long,
        Gen.Long,
        Instants,
        Instants,
        Gen.Byte.Array[0, 400],
        Gen.Select(Gen.Bool, Instants),
        (nir, version, currentAt, loaded, fresh, payload, given) =>
            new SnapshotPart(nir, version, currentAt, loaded, fresh, payload) { GivenAt = given.Item1 ? given.Item2 : loaded });

    private static readonly Gen<FamilleSnapshot> Snapshots = Gen.Select(
        Gen.Long, Parts.Array[0, 6], (newest, parts) => new FamilleSnapshot(newest, parts));

    public static TheoryData<byte> Formats => [.. Enumerable.Range(1, SnapshotCodec.Newest).Select(format => (byte)format)];

    [Fact]
    public void Gives_back_any_snapshot() =>
        Snapshots.Sample(snapshot => AssertEqual(snapshot, SnapshotCodec.Decode(SnapshotCodec.Encode(snapshot))), iter: 2_000);

    [Fact]
    public void Gives_back_the_population_within_its_budget()
    {
        var population = new Population(11, 1_000_000, new FakeTimeProvider(SampleFamilles.LoadedAt));
        var sizes = new Dictionary<int, List<int>>();
        for (var index = 0; index < Families; index++)
        {
            var famille = population.Get(index * 331L);
            var snapshot = SampleFamilles.Of(famille, 1795392550205 + index);

            var bytes = SnapshotCodec.Encode(snapshot);

            AssertEqual(snapshot, SnapshotCodec.Decode(bytes));
            if (!sizes.TryGetValue(famille.Membres.Count, out var known))
                sizes.Add(famille.Membres.Count, known = []);
            known.Add(bytes.Length);
        }

        foreach (var (members, bytes) in sizes.OrderBy(entry => entry.Key))
            output.WriteLine($"{members} members, rights of one: {bytes.Count} families, mean {bytes.Average():F0} bytes, largest {bytes.Max()}");
        var typical = sizes.Where(entry => entry.Key is 3 or 4).SelectMany(entry => entry.Value).ToList();
        Assert.True(typical.Count > Families / 20, $"Only {typical.Count} families have 3 or 4 members.");
        Assert.True(typical.Average() < Budget, $"A typical family takes {typical.Average()} bytes.");
    }

    [Theory]
    [MemberData(nameof(Formats))]
    public void Reads_every_format_up_to_the_newest(byte format)
    {
        var released = SampleFamilles.Released($"format-{format}");

        Assert.Equal(format, released[0]);
        Assert.False(SnapshotCodec.IsNewer(released));
        AssertEqual(SampleFamilles.Known(), SnapshotCodec.Decode(released));
    }

    [Theory]
    [MemberData(nameof(Formats))]
    public void Reads_when_it_was_given_and_when_it_was_confirmed_in_every_format(byte format)
    {
        var released = SampleFamilles.Released($"format-{format}-confirmed");

        Assert.Equal(format, released[0]);
        AssertEqual(SampleFamilles.Confirmed(), SnapshotCodec.Decode(released));
    }

    [Fact]
    public void Writes_a_format_that_it_reads_as_the_version_before_does()
    {
        Assert.Equal(SnapshotCodec.Written, SnapshotCodec.Encode(SampleFamilles.Known())[0]);
        Assert.InRange(SnapshotCodec.Written, SnapshotCodec.Newest - 1, SnapshotCodec.Newest);
    }

    [Fact]
    public void Refuses_a_later_format()
    {
        var bytes = SnapshotCodec.Encode(SampleFamilles.Known());
        bytes[0] = SnapshotCodec.Newest + 1;

        Assert.Null(SnapshotCodec.Decode(bytes));
        Assert.True(SnapshotCodec.IsNewer(bytes));
    }

    [Fact]
    public void Refuses_whatever_is_cut_short_or_too_long()
    {
        var bytes = SnapshotCodec.Encode(SampleFamilles.Known());

        for (var length = 0; length < bytes.Length; length++)
            Assert.Null(SnapshotCodec.Decode(bytes.AsSpan(0, length)));
        Assert.Null(SnapshotCodec.Decode([.. bytes, 0]));
    }

    [Fact]
    public void A_bit_that_flips_changes_nothing_or_makes_it_unreadable()
    {
        var known = SampleFamilles.Known();
        var bytes = SnapshotCodec.Encode(known);
        var refused = 0;
        for (var bit = 0; bit < bytes.Length * 8; bit++)
        {
            bytes[bit / 8] ^= (byte)(1 << (bit % 8));
            if (SnapshotCodec.Decode(bytes) is { } read)
                AssertEqual(known, read);
            else
                refused++;
            bytes[bit / 8] ^= (byte)(1 << (bit % 8));
        }

        // A few bits only fill up a byte.
        Assert.InRange(refused, bytes.Length * 8 - 8, bytes.Length * 8);
    }

    [Fact]
    public void Refuses_garbage_without_an_exception() =>
        Gen.Byte.Array[0, 300].Sample(
            garbage =>
            {
                Assert.Null(SnapshotCodec.Decode(garbage));
                Assert.Null(SnapshotCodec.Decode([1, (byte)(garbage.Length & 0x7F), .. garbage.AsSpan(0, garbage.Length & 0x7F)]));
            },
            iter: 5_000);

    [Fact]
    public void Refuses_a_stream_that_breaks_off_where_its_content_could_end()
    {
        byte[] broken = [0xFB, 0x2A, 0xCF, 0x40, 0x97, 0x15];

        Assert.Null(SnapshotCodec.Decode([1, (byte)broken.Length, .. broken]));
    }

    [Fact]
    public void Refuses_a_body_that_is_not_a_snapshot() =>
        Gen.Byte.Array[0, 60].Sample(body => SnapshotCodec.Decode(Fold(body)) is null or { Parts.Count: 0 } or { Parts.Count: 1 }, iter: 5_000);

    [Fact]
    public void Unfolds_8_MiB_and_not_a_byte_more()
    {
        // Newest, one part without NIR, four numbers, the payload's length in four bytes.
        const int around = 11;
        var largest = Large(SnapshotCodec.LargestBody - around);
        AssertEqual(largest, SnapshotCodec.Decode(SnapshotCodec.Encode(largest)));

        var body = new byte[SnapshotCodec.LargestBody + 1];
        body[1] = 1;
        body[7] = 0xF6;
        body[8] = body[9] = 0xFF;
        body[10] = 0x03;
        Assert.Null(SnapshotCodec.Decode(Fold(body)));
        Assert.Throws<ArgumentException>(() => SnapshotCodec.Encode(Large(SnapshotCodec.LargestBody - around + 1)));
    }

    private static FamilleSnapshot Large(int payload) =>
        new(0, [new(null, 0, 0, DateTimeOffset.UnixEpoch, DateTimeOffset.UnixEpoch, new byte[payload])]);

    /// <summary>The bytes of format 1 with that body.</summary>
    private static byte[] Fold(byte[] body)
    {
        using var compressed = new MemoryStream();
        using (var zlib = new ZLibStream(compressed, CompressionLevel.Optimal, leaveOpen: true))
        {
            zlib.Write(Encoding.UTF8.GetBytes(SnapshotSample.Text));
            zlib.Flush();
            compressed.SetLength(0);
            zlib.Write(body);
        }

        using var bytes = new MemoryStream();
        bytes.WriteByte(1);
        Variable.Write(bytes, (ulong)compressed.Length);
        compressed.WriteTo(bytes);
        return bytes.ToArray();
    }

    internal static void AssertEqual(FamilleSnapshot expected, FamilleSnapshot? actual)
    {
        Assert.NotNull(actual);
        Assert.Equal(expected.Newest, actual.Newest);
        Assert.Equal(expected.Parts.Count, actual.Parts.Count);
        foreach (var (one, other) in expected.Parts.Zip(actual.Parts))
        {
            Assert.Equal(one with { Payload = default }, other with { Payload = default });
            Assert.True(one.Payload.Span.SequenceEqual(other.Payload.Span), "The payloads differ.");
        }
    }
}
