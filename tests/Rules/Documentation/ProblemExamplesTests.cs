using System.Reflection;
using System.Text.Json.Nodes;
using DroitsAmeli.Api;
using Microsoft.Extensions.Options;
using Xunit;
using Described = DroitsAmeli.Api.Documentation.Documentation;

namespace DroitsAmeli.Tests.Rules.Documentation;

public sealed class ProblemExamplesTests
{
    private static readonly Problems Configured = new(Options.Create(new RegimesOptions()));

    public static TheoryData<string> Codes => [.. All().Select(problem => problem.Code).Distinct()];

    [Theory]
    [MemberData(nameof(Codes))]
    public void The_documented_example_is_what_the_api_writes(string code)
    {
        var example = Assert.Single(Examples(JsonNode.Parse(Described.Document(""))!), example => (string)example["code"]! == code);
        var parametre = (string?)example["parametre"];
        var problem = All().First(problem => problem.Code == code && problem.Parametre == parametre && problem.Title == (string?)example["title"]);

        Assert.Equal("urn:droits-ameli:probleme:" + code, (string)example["type"]!);
        Assert.Equal(problem.Status, (int)example["status"]!);
        Assert.Equal(problem.Detail, (string)example["detail"]!);
        Assert.Equal(problem.Retryable, (bool)example["retryable"]!);
    }

    [Fact]
    public void Details_that_a_person_may_read_say_that_nothing_may_be_concluded() => Assert.All(
        All().Where(problem => problem.Status is 404 or 429 or >= 500),
        problem => Assert.Contains("Rien ne peut en être conclu", problem.Detail, StringComparison.Ordinal));

    [Fact]
    public void Somebody_not_attached_is_told_who_is_served()
    {
        var options = new RegimesOptions { Heberges = ["Régime d'essai (42)"] };
        var detail = new Problems(Options.Create(options)).IdentiteNonRattachee.Detail;
        Assert.Contains("Régime d'essai (42)", detail, StringComparison.Ordinal);
        Assert.DoesNotContain("CAMIEG", detail, StringComparison.Ordinal);
        Assert.Contains("MSA", detail, StringComparison.Ordinal);
        Assert.Contains("MGEN", detail, StringComparison.Ordinal);
    }

    private static IEnumerable<Problem> All() =>
    [
        .. typeof(Problems).GetProperties(BindingFlags.Public | BindingFlags.Static | BindingFlags.Instance)
            .Where(property => property.PropertyType == typeof(Problem))
            .Select(property => (Problem)property.GetValue(Configured)!),
        Problems.QuotaDepasse(TimeSpan.FromSeconds(1)),
        Problems.DateInvalide("dateDebut"),
        Problems.DateInvalide("dateFin"),
        Problems.SiIndisponible(null),
    ];

    private static IEnumerable<JsonObject> Examples(JsonNode node) => node switch
    {
        JsonObject example when example["code"] is JsonValue && example["title"] is JsonValue => [example],
        JsonObject inner => inner.SelectMany(member => member.Value is null ? [] : Examples(member.Value)),
        JsonArray array => array.SelectMany(item => item is null ? [] : Examples(item)),
        _ => [],
    };
}
