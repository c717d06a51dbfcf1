using System.Text.Json.Nodes;
using Xunit;

namespace DroitsAmeli.Tests.Api;

/// <summary>The window of a search over HTTP; the day of the call is 23 November 2026, the horizon 23 November 2027.</summary>
[Collection(DefaultCollection.Name)]
public sealed class WindowTests(DefaultBench bench)
{
    [Theory]
    [InlineData("")]
    [InlineData("?dateDebut=2026-11-23")]
    [InlineData("?dateDebut=2026-11-23&dateFin=2026-11-23")]
    [InlineData("?dateDebut=2027-11-23")]
    [InlineData("?dateFin=2099-12-31")]
    public async Task A_valid_window_is_accepted(string query)
    {
        var contrat = (await Ask("alice-martin", "/contrats" + query)).Ok().AsArray().Single()!;
        Assert.Equal("2027-11-23", Text(contrat, "date_fin"));
        Assert.Equal("2027-11-23", Text(contrat["periodes_droits"]![0]!, "date_fin"));
    }

    [Fact]
    public async Task A_beginning_is_shown_only_when_it_is_in_the_future()
    {
        var contrats = (await Ask("emma-futur", "/contrats")).Ok().AsArray();
        Assert.Equal(["2026-12-23", "2027-01-07"], contrats.Select(contrat => Text(contrat!, "date_debut")));
        Assert.Null((await Ask("alice-martin", "/contrats")).Ok()[0]!["date_debut"]);
    }

    [Fact]
    public async Task What_does_not_overlap_the_window_is_out()
    {
        Assert.Equal("[]", (await Ask("emma-futur", "/contrats?dateFin=2026-12-22")).Body);
        Assert.Single((await Ask("emma-futur", "/contrats?dateFin=2026-12-23")).Ok().AsArray());
        Assert.Equal("2027-02-21", Text((await Ask("olivier-droits-finissants", "/contrats")).Ok()[0]!, "date_fin"));
        Assert.Single((await Ask("olivier-droits-finissants", "/contrats?dateDebut=2027-02-21")).Ok().AsArray());
        Assert.Equal("[]", (await Ask("olivier-droits-finissants", "/contrats?dateDebut=2027-02-22")).Body);
    }

    [Fact]
    public async Task The_booleans_follow_the_window()
    {
        Assert.True(await Boolean("", "presence_CMUC_ACS"));
        Assert.False(await Boolean("?dateFin=2027-01-06", "presence_CMUC_ACS"));
        Assert.True(await Boolean("?dateFin=2027-01-07", "presence_CMUC_ACS"));
        Assert.False(await Boolean("?dateFin=2027-01-01", "medecin_traitant_choisi"));
        Assert.True(await Boolean("?dateFin=2027-01-02", "medecin_traitant_choisi"));

        async Task<bool> Boolean(string query, string name) => (await Ask("emma-futur", "/me" + query)).Ok()[name]!.GetValue<bool>();
    }

    [Fact]
    public async Task A_doctor_who_has_ended_without_successor_is_given_with_that_end()
    {
        Assert.Equal("2026-12-13", Text((await Ask("andre-roux", "/medecin-traitant?dateDebut=2027-01-15")).Ok(), "date_fin"));
        Assert.Equal("2026-12-13", Text((await Ask("andre-roux", "/medecin-traitant")).Ok(), "date_fin"));
    }

    [Fact]
    public async Task The_doctor_of_the_first_day_is_given_and_else_the_next_to_come()
    {
        var now = (await Ask("monique-faure", "/medecin-traitant")).Ok();
        var later = (await Ask("monique-faure", "/medecin-traitant?dateDebut=2027-01-15")).Ok();
        Assert.Equal(("2026-12-13", "2026-12-14"), (Text(now, "date_fin"), Text(later, "date_debut")));
        Assert.Null(later["date_fin"]);
        (await Ask("emma-futur", "/medecin-traitant?dateFin=2027-01-01")).Is("medecin_traitant_absent");
        Assert.Equal("2027-01-02", Text((await Ask("emma-futur", "/medecin-traitant")).Ok(), "date_debut"));
    }

    [Fact]
    public async Task The_caisse_does_not_follow_the_window() =>
        Assert.Equal((await Ask("emma-futur", "/caisse")).Body, (await Ask("emma-futur", "/caisse?dateFin=2026-11-24")).Body);

    [Fact]
    public async Task Exonerations_are_sorted_by_the_dates_that_are_shown()
    {
        Assert.Equal(["EXP", "EXC"], bench.Famille("pierre-polypathologie").Membres[0].Droits.Exonerations.Select(exoneration => exoneration.Motif.Code));
        var shown = (await Ask("pierre-polypathologie", "/exonerations")).Ok().AsArray();
        Assert.Equal(
            ["EXC 2027-03-23", "EXP 2027-11-23"],
            shown.Select(exoneration => $"{exoneration!["motif"]!["code"]} {Text(exoneration, "date_fin")}"));
    }

    private async Task<Answer> Ask(string persona, string path) => await new Call(path)
    {
        Token = await bench.Token(persona),
        Nir = bench.Nir(persona),
    }.Send(bench);

    private static string Text(JsonNode node, string name) => node[name]!.GetValue<string>();
}
