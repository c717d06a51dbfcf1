using System.Buffers.Binary;
using System.Text;
using CsCheck;
using DroitsAmeli.Grains.Storage;
using Xunit;

namespace DroitsAmeli.Tests.Rules.Storage;

public sealed class EnvelopeTests
{
    private const string State = "famille-1";
    private const string Subject = "6GM91XKX";
    private static readonly StorageKeys Keys = StorageBench.Keys("2026-11", "2026-10", "2026-11");
    private static readonly Snapshot Sample = StorageBench.Snapshot("rights", age: TimeSpan.FromMinutes(3)) with { NewestLoad = StorageBench.Start };

    [Fact]
    public void Gives_back_what_was_sealed() => Gen.Select(Gen.Byte.Array[0, 2_000], Gen.String).Sample(
        (content, subject) =>
        {
            var opened = Envelope.Open(Keys, State, subject, Envelope.Seal(Keys, State, subject, Sample with { Content = content }));

            Assert.Equal(EnvelopeFault.None, opened.Fault);
            Assert.Equal(content, opened.Snapshot!.Content.ToArray());
            Assert.Equal(Sample with { Content = default }, opened.Snapshot with { Content = default });
            Assert.Equal(Sample.ExpiresAt, opened.StatedExpiry);
        },
        iter: 500);

    [Fact]
    public void Shows_three_instants_and_the_key_in_clear_and_nothing_of_the_content()
    {
        var bytes = Envelope.Seal(Keys, State, Subject, Sample);

        Assert.Equal([0xDA, 1], bytes[..2]);
        Assert.Equal(Sample.OldestLoad.ToUnixTimeMilliseconds(), BinaryPrimitives.ReadInt64BigEndian(bytes.AsSpan(2)));
        Assert.Equal(Sample.NewestLoad.ToUnixTimeMilliseconds(), BinaryPrimitives.ReadInt64BigEndian(bytes.AsSpan(10)));
        Assert.Equal(Sample.ExpiresAt.ToUnixTimeMilliseconds(), BinaryPrimitives.ReadInt64BigEndian(bytes.AsSpan(18)));
        Assert.Equal([7, .. "2026-11"u8], bytes[26..34]);
        Assert.Equal(34 + 12 + Sample.Content.Length + 16, bytes.Length);
        Assert.DoesNotContain(Sample.Text(), Encoding.Latin1.GetString(bytes), StringComparison.Ordinal);
        Assert.DoesNotContain(Subject, Encoding.Latin1.GetString(bytes), StringComparison.Ordinal);
    }

    [Fact]
    public void Never_seals_twice_alike() => Assert.NotEqual(Envelope.Seal(Keys, State, Subject, Sample), Envelope.Seal(Keys, State, Subject, Sample));

    [Fact]
    public void Refuses_it_when_any_bit_has_flipped()
    {
        var bytes = Envelope.Seal(Keys, State, Subject, Sample);
        for (var bit = 0; bit < bytes.Length * 8; bit++)
        {
            bytes[bit / 8] ^= (byte)(1 << (bit % 8));
            var opened = Envelope.Open(Keys, State, Subject, bytes);
            Assert.Null(opened.Snapshot);
            Assert.NotEqual(EnvelopeFault.None, opened.Fault);
            bytes[bit / 8] ^= (byte)(1 << (bit % 8));
        }
    }

    [Fact]
    public void Refuses_it_when_it_is_cut_short()
    {
        var bytes = Envelope.Seal(Keys, State, Subject, Sample);
        for (var length = 0; length < bytes.Length; length++)
            Assert.Null(Envelope.Open(Keys, State, Subject, bytes.AsSpan(0, length)).Snapshot);
    }

    [Fact]
    public void Refuses_garbage_without_an_exception() => Gen.Byte.Array[0, 200].Sample(
        garbage =>
        {
            Assert.Null(Envelope.Open(Keys, State, Subject, garbage).Snapshot);
            Assert.Null(Envelope.Open(Keys, State, Subject, [0xDA, 1, .. garbage]).Snapshot);
        },
        iter: 5_000);

    [Theory]
    [InlineData("famille-1", "6GM91XKY")]
    [InlineData("famille-2", "6GM91XKX")]
    [InlineData("famille-16", "GM91XKX")]
    [InlineData("famille-1", "")]
    public void Belongs_to_one_subject_and_one_state(string state, string subject) => Assert.Equal(
        EnvelopeFault.NotAuthentic,
        Envelope.Open(Keys, state, subject, Envelope.Seal(Keys, State, Subject, Sample)).Fault);

    [Fact]
    public void Old_keys_read_and_the_active_one_writes()
    {
        var old = Envelope.Seal(StorageBench.Keys("2026-10", "2026-10"), State, Subject, Sample);

        Assert.NotNull(Envelope.Open(Keys, State, Subject, old).Snapshot);
        Assert.Equal("2026-10", KeyOf(old));
        Assert.Equal("2026-11", KeyOf(Envelope.Seal(Keys, State, Subject, Sample)));
        Assert.Equal(EnvelopeFault.UnknownKey, Envelope.Open(StorageBench.Keys("2026-11", "2026-11"), State, Subject, old).Fault);
    }

    [Fact]
    public void Another_key_of_the_same_id_is_not_authentic()
    {
        var other = StorageKeys.Parse(Encoding.UTF8.GetBytes(StorageBench.KeysFile("2026-11", "2026-11").Replace(
            Convert.ToBase64String(Keys.Find("2026-11")!), Convert.ToBase64String(new byte[32]), StringComparison.Ordinal)));

        Assert.Equal(EnvelopeFault.NotAuthentic, Envelope.Open(other, State, Subject, Envelope.Seal(Keys, State, Subject, Sample)).Fault);
    }

    [Fact]
    public void Of_a_later_version_only_the_expiry_is_read()
    {
        var bytes = Envelope.Seal(Keys, State, Subject, Sample);
        bytes[1] = 2;

        Assert.Equal(new(null, EnvelopeFault.Newer, Sample.ExpiresAt), Envelope.Open(Keys, State, Subject, bytes));
    }

    private static string KeyOf(byte[] bytes) => Encoding.ASCII.GetString(bytes, 27, bytes[26]);
}
