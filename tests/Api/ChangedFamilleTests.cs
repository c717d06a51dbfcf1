using System.Diagnostics;
using System.Net;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Xunit;

namespace DroitsAmeli.Tests.Api;

/// <summary>
/// A user whose family is no longer theirs is identified again before anything is answered, once: until the change is known here the old
/// family answers, and from then on the truth, never an outage between.
/// </summary>
[Collection(ConventionsCollection.Name)]
public sealed class ChangedFamilleTests(ConventionsBench bench)
{
    private static readonly TimeSpan KnownWithin = TimeSpan.FromSeconds(30);

    [Fact]
    public async Task A_user_who_moved_is_answered_from_the_new_family()
    {
        const string Persona = "francois-roy";
        var asked = await bench.RegimeSiAsked();
        var token = await bench.Token(Persona, lifetime: 600);
        Assert.Equal(["François", "Augustin"], Listed(await Ask("/me/beneficiaires", token, Persona)));
        await Change(Persona, "move_membre");

        await Until(async () => Listed(await Ask("/me/beneficiaires", token, Persona)).SequenceEqual(["François"]));
        Assert.Equal(["François"], Listed(await Ask("/me/beneficiaires", await bench.Token(Persona), Persona)));
        (await Ask("/contrats", token, Persona)).Ok();
        (await Ask("/contrats", token, Persona, "Augustin")).Is("beneficiaire_inconnu");
        Assert.Equal(2, (await bench.RegimeSiAsked() - asked).Identifications);
    }

    [Theory]
    [InlineData("close", "julie-moreau")]
    [InlineData("remove_membre", "isabelle-mercier")]
    public async Task A_user_who_is_nowhere_any_more_is_not_attached(string change, string persona)
    {
        var asked = await bench.RegimeSiAsked();
        var token = await bench.Token(persona, lifetime: 600);
        (await Ask("/contrats", token, persona)).Ok();
        await Change(persona, change);

        await Until(async () =>
        {
            var answer = await Ask("/contrats", token, persona);
            if (answer.Status == 200)
                return false;
            answer.Is("identite_non_rattachee");
            return true;
        });
        (await Ask("/contrats", await bench.Token(persona), persona)).Is("identite_non_rattachee");
        Assert.Equal(2, (await bench.RegimeSiAsked() - asked).Identifications);
    }

    private async Task Change(string persona, string kind)
    {
        using var response = await bench.RegimeSi.PostAsJsonAsync(
            $"/sandbox/familles/{bench.Famille(persona).Id}/changements", new JsonObject { ["kind"] = kind, ["nir"] = bench.Nir(persona) }, Bench.Stop);
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
    }

    private Task<Answer> Ask(string path, string token, string persona, string? prenom = null) =>
        new Call(path) { Token = token, Nir = bench.Nir(persona, prenom) }.Send(bench);

    private static IEnumerable<string> Listed(Answer answer) => answer.Ok().AsArray().Select(member => member!["prenom"]!.GetValue<string>());

    private static async Task Until(Func<Task<bool>> holds)
    {
        var waited = Stopwatch.StartNew();
        while (!await holds())
        {
            Assert.True(waited.Elapsed < KnownWithin, "The change is not known.");
            await Task.Delay(TimeSpan.FromMilliseconds(100), TimeProvider.System, Bench.Stop);
        }
    }
}
