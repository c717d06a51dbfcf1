using System.Text;
using DroitsAmeli.Grains.Familles;
using DroitsAmeli.Grains.Identites;
using DroitsAmeli.Grains.Storage;
using DroitsAmeli.Tests.Rules.Familles.Snapshots;
using Xunit;

namespace DroitsAmeli.Tests.Rules.Storage;

/// <summary>Rows as the silos of the first version sealed them: they lie in the database when those of this one start.</summary>
public sealed class ReleasedRowsTests
{
    private const string Famille = "6GM91XKX";
    private const string Identite = "i-j2L0fADNGYji9cYtcdQ59NjJbg3EMpm4CbgudPO51Ds";
    private const string Remembered = """{"Famille":"6GM91XKX","Nir":"2780275108005","AskedAt":"2026-03-02T09:30:15.123+00:00"}""";

    private static readonly StorageKeys Keys = StorageBench.Keys("2026-12", "2026-11", "2026-12");

    [Fact]
    public void The_row_of_a_family_is_read()
    {
        var stored = Open(RestingFamille.Kind, Famille, "envelope-1-famille");

        var expected = SampleFamilles.Confirmed();
        SnapshotCodecTests.AssertEqual(expected, FamilleSnapshot.Read(stored.Content.Span));
        Assert.Equal(
            (expected.Parts[1].GivenAt, expected.Parts[0].LoadedAt, Freshness.ExpiresAt(expected.Parts[1].LoadedAt)),
            (stored.OldestLoad, stored.NewestLoad, stored.ExpiresAt));
    }

    [Fact]
    public void The_row_of_an_identity_is_read()
    {
        var stored = Open(RememberedIdentite.Kind, Identite, "envelope-1-identite");

        Assert.Equal(Remembered, Encoding.UTF8.GetString(stored.Content.Span));
        var read = RememberedIdentite.Read(stored);
        Assert.NotNull(read);
        Assert.Equal((Famille, "2780275108005", SampleFamilles.LoadedAt), (read.Famille, read.Nir.Value, read.AskedAt));
        Assert.Equal((read.AskedAt, read.AskedAt, read.AskedAt + RememberedIdentite.For), (stored.OldestLoad, stored.NewestLoad, stored.ExpiresAt));
    }

    [Fact]
    public void An_identity_is_written_as_the_first_version_reads_it()
    {
        var read = RememberedIdentite.Read(Open(RememberedIdentite.Kind, Identite, "envelope-1-identite"))!;

        Assert.Equal(Remembered, Encoding.UTF8.GetString(read.ToStore().Content.Span));
    }

    private static Snapshot Open(SnapshotKind kind, string subject, string file)
    {
        var opened = Envelope.Open(Keys, kind.State, subject, SampleFamilles.Released(file));

        Assert.Equal(EnvelopeFault.None, opened.Fault);
        return opened.Snapshot!;
    }
}
