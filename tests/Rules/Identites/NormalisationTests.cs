using DroitsAmeli.Grains.Identites;
using Xunit;

namespace DroitsAmeli.Tests.Rules.Identites;

public sealed class NormalisationTests
{
    private static readonly IdentitePivot Complete = new()
    {
        Gender = "female",
        FamilyName = "Lefèvre-d’Œuvre",
        GivenName = "Anne Marie Zoé",
        GivenNameArray = ["Anne Marie", "Zoé"],
        Birthdate = "1978-02-03",
        Birthplace = "2a004",
        Birthcountry = "99100",
    };

    [Theory]
    [InlineData("Lefèvre", "LEFEVRE")]
    [InlineData("d'Œuvre", "D OEUVRE")]
    [InlineData("d\u2019Œuvre", "D OEUVRE")]
    [InlineData("cœur-læt", "COEUR LAET")]
    [InlineData("  Saint - - Martin ", "SAINT MARTIN")]
    [InlineData("Ş\u0327e\u0301", "SE")]
    [InlineData("Łukasz", "ŁUKASZ")]
    [InlineData("王", "王")]
    [InlineData("\ud835\udc00b", "\ud835\udc00B")]
    public void Names_lose_marks_case_and_separators(string name, string expected) => Assert.Equal(expected, Normalisation.Name(name));

    [Theory]
    [InlineData("1978-02-03", "1978-02-03")]
    [InlineData("1978-01-01", "1978-01-01")]
    [InlineData("1978", "1978")]
    [InlineData("1978-00-00", "1978")]
    [InlineData("1978-02", "1978-02")]
    [InlineData("1978-02-00", "1978-02")]
    [InlineData("1978-02-30", null)]
    [InlineData("1978-13", null)]
    [InlineData("1978-13-00", null)]
    [InlineData("1978-00-12", null)]
    [InlineData("03/02/1978", null)]
    [InlineData("1978-02-03T00:00:00Z", null)]
    [InlineData("1978-02-03\n", null)]
    [InlineData("", null)]
    public void Partial_birth_dates_are_read(string text, string? expected) => Assert.Equal(expected, Normalisation.Birthdate(text));

    [Fact]
    public void The_request_is_canonical()
    {
        var request = Normalisation.ToRequest(Complete)!;
        Assert.Equal("LEFEVRE D OEUVRE", request.FamilyName);
        Assert.Equal(["ANNE MARIE", "ZOE"], request.GivenNames);
        Assert.Equal("female", request.Gender);
        Assert.Equal("2A004", request.Birthplace);
    }

    [Fact]
    public void First_names_come_apart_at_spaces_only_without_their_array() =>
        Assert.Equal(["ANNE", "MARIE", "ZOE"], Normalisation.ToRequest(Complete with { GivenNameArray = null })!.GivenNames);

    [Fact]
    public void A_birth_abroad_has_no_place() =>
        Assert.Equal("", Normalisation.ToRequest(Complete with { Birthcountry = "99351" })!.Birthplace);

    [Fact]
    public void An_unspecified_gender_is_said_so() =>
        Assert.Equal("unspecified", Normalisation.ToRequest(Complete with { Gender = null })!.Gender);

    [Fact]
    public void An_identity_without_name_or_date_leads_to_no_request()
    {
        Assert.Null(Normalisation.ToRequest(Complete with { FamilyName = " - " }));
        Assert.Null(Normalisation.ToRequest(Complete with { Birthdate = "1978-02-30" }));
    }
}
