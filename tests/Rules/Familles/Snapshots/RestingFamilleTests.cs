using System.Text;
using DroitsAmeli.Grains.Familles;
using DroitsAmeli.Grains.Storage;
using DroitsAmeli.Tests.Rules.Storage;
using Xunit;

namespace DroitsAmeli.Tests.Rules.Familles.Snapshots;

[Collection(StorageCounters.Name)]
public sealed class RestingFamilleTests : IDisposable
{
    private static readonly FamilleSnapshot Known = SampleFamilles.Known();

    private readonly Counts counts = new();

    public void Dispose() => counts.Dispose();

    [Fact]
    public void An_order_about_any_instant_of_any_part_concerns_what_is_stored()
    {
        var parts = Known.Parts.Select((part, number) => part with
        {
            LoadedAt = SampleFamilles.LoadedAt.AddHours(2 * number),
            GivenAt = SampleFamilles.LoadedAt.AddHours((2 * number) - 1),
        }).ToList();

        var instants = RestingFamille.Kind.Instants(RestingFamille.Of(Known with { Parts = parts }).ToStore());

        Assert.Equal(parts.SelectMany(part => (DateTimeOffset[])[part.GivenAt, part.LoadedAt]), instants.Distinct().Order());
    }

    [Fact]
    public void A_composition_that_this_build_cannot_read_stays_as_it_is_beside_an_older_one()
    {
        var stored = Known with { Newest = Known.Newest + 1, Parts = [OfANewerBuild(Known.Parts[0]), Known.Parts[1]] };
        var mine = Known with { Parts = [Known.Parts[0], Known.Parts[1] with { Version = stored.Newest }] };

        var merged = Merge(stored, mine);

        Assert.Equal(stored.Newest, merged.Newest);
        Assert.Equal([(null, stored.Parts[0].Version), (Known.Parts[1].Nir, stored.Newest)], merged.Parts.Select(part => (part.Nir, part.Version)));
        Assert.True(stored.Parts[0].Payload.Span.SequenceEqual(merged.Parts[0].Payload.Span));
        Assert.Equal(1, counts["storage.reads:refused:newer"]);
    }

    [Fact]
    public void A_newer_composition_takes_the_place_of_one_that_this_build_cannot_read()
    {
        var unread = OfANewerBuild(Known.Parts[0]);
        var newer = Known.Parts[0] with { Version = unread.Version + 1 };

        var merged = Merge(Known with { Newest = unread.Version, Parts = [unread] }, Known with { Newest = newer.Version, Parts = [newer] });

        Assert.Equal(newer.Version, Assert.Single(merged.Parts).Version);
        Assert.True(newer.Payload.Span.SequenceEqual(merged.Parts[0].Payload.Span));
    }

    [Fact]
    public void What_is_older_than_a_composition_that_this_build_cannot_read_changes_nothing_of_what_is_stored()
    {
        var stored = Snapshot(Known with { Newest = Known.Newest + 1, Parts = [OfANewerBuild(Known.Parts[0]), Known.Parts[1]] });

        Assert.Same(stored, RestingFamille.Kind.Merge(stored, Snapshot(Known)));
    }

    [Fact]
    public void Beside_a_composition_that_this_build_cannot_read_the_rights_stay()
    {
        var stored = Known with { Parts = [OfANewerBuild(Known.Parts[0])] };

        Assert.Equal([null, Known.Parts[1].Nir], Merge(stored, Known with { Parts = [Known.Parts[1]] }).Parts.Select(part => part.Nir));
    }

    [Fact]
    public void A_stored_snapshot_of_a_newer_format_stays_as_it_is()
    {
        var content = RestingFamille.Of(Known).Content;
        content[0]++;
        var stored = Snapshot(Known) with { Content = content };

        Assert.Same(stored, RestingFamille.Kind.Merge(stored, Snapshot(Known)));
        Assert.Equal(1, counts["storage.reads:refused:newer"]);
    }

    [Fact]
    public void A_stored_snapshot_that_is_broken_is_replaced()
    {
        var content = RestingFamille.Of(Known).Content;
        content[^1]++;
        var mine = Snapshot(Known);

        Assert.Same(mine, RestingFamille.Kind.Merge(mine with { Content = content }, mine));
        Assert.Equal((1, 0), (counts["storage.reads:refused:malformed"], counts["storage.reads:refused:newer"]));
    }

    [Fact]
    public void A_stored_snapshot_that_adds_nothing_stays_as_it_is()
    {
        var stored = Snapshot(Known);
        Assert.Same(stored, RestingFamille.Kind.Merge(stored, Snapshot(Known)));
    }

    [Fact]
    public void Expires_with_its_oldest_part_and_goes_on_without_it()
    {
        var (composition, droits) = (Known.Parts[0], Known.Parts[1] with { LoadedAt = SampleFamilles.LoadedAt.AddHours(-70), GivenAt = SampleFamilles.LoadedAt.AddHours(-71) });
        var rest = RestingFamille.Of(Known with { Parts = [composition, droits] });
        Assert.Equal(droits.LoadedAt.AddHours(72), rest.ExpiresAt);
        Assert.Same(rest, rest.Without(rest.ExpiresAt.AddMilliseconds(-1), announced: 0));

        var left = rest.Without(rest.ExpiresAt, announced: 0)!;
        var snapshot = SnapshotCodec.Decode(left.Content)!;
        Assert.Equal((Known.Newest, null), (snapshot.Newest, Assert.Single(snapshot.Parts).Nir));
        Assert.Equal(composition.LoadedAt.AddHours(72), left.ExpiresAt);
        Assert.Null(left.Without(left.ExpiresAt, announced: 0));
        Assert.Equal(Known.Newest + 1, SnapshotCodec.Decode(rest.Without(rest.ExpiresAt, Known.Newest + 1)!.Content)!.Newest);
    }

    private static FamilleSnapshot Merge(FamilleSnapshot stored, FamilleSnapshot mine) =>
        SnapshotCodec.Decode(RestingFamille.Kind.Merge(Snapshot(stored), Snapshot(mine)).Content.Span)!;

    private static Snapshot Snapshot(FamilleSnapshot snapshot) => RestingFamille.Of(snapshot).ToStore();

    private static SnapshotPart OfANewerBuild(SnapshotPart composition) => composition with
    {
        Version = composition.Version + 1,
        Payload = Encoding.UTF8.GetBytes(Encoding.UTF8.GetString(composition.Payload.Span).Replace("\"assure\"", "\"pupille\"", StringComparison.Ordinal)),
    };
}
