using System.Text;
using CsCheck;
using DroitsAmeli.Grains.Evenements;
using DroitsAmeli.Grains.Familles;
using DroitsAmeli.Grains.RegimeSi;
using Xunit;

namespace DroitsAmeli.Tests.Rules.Evenements;

public sealed class EvenementsPayloadTests
{
    private const string Page = """
        { "evenements": [ { "curseur": "c1", "famille": "F1", "version": 7 }, { "curseur": "c2", "famille": "F2", "version": 0 } ], "curseur": "c2" }
        """;

    [Fact]
    public void Reads_events_in_order_and_the_next_cursor()
    {
        var page = EvenementsPayload.ReadPage(Encoding.UTF8.GetBytes(Page), "c0");

        Assert.Equal([new Evenement("F1", 7), new Evenement("F2", 0)], page.Evenements);
        Assert.Equal("c2", page.Curseur);
    }

    [Fact]
    public void Ignores_properties_that_nobody_knows()
    {
        var page = Read("""{ "evenements": [ { "curseur": "c1", "famille": "F1", "version": 7, "motif": "x" } ], "curseur": "c1", "total": 1 }""");

        Assert.Equal([new Evenement("F1", 7)], page.Evenements);
    }

    [Fact]
    public void Reads_a_page_without_events_whose_cursor_stays()
    {
        var page = Read("""{ "evenements": [], "curseur": "c0" }""");

        Assert.Empty(page.Evenements);
        Assert.Equal("c0", page.Curseur);
    }

    [Theory]
    [InlineData("", RefusalReason.Unparseable)]
    [InlineData("<html>", RefusalReason.Unparseable)]
    [InlineData("[]", RefusalReason.WrongType)]
    [InlineData("{}", RefusalReason.MissingPart)]
    [InlineData("""{ "curseur": "c1" }""", RefusalReason.MissingPart)]
    [InlineData("""{ "evenements": null, "curseur": "c1" }""", RefusalReason.WrongType)]
    [InlineData("""{ "evenements": {}, "curseur": "c1" }""", RefusalReason.WrongType)]
    [InlineData("""{ "evenements": [] }""", RefusalReason.MissingPart)]
    [InlineData("""{ "evenements": [], "curseur": "" }""", RefusalReason.MissingPart)]
    [InlineData("""{ "evenements": [], "curseur": 7 }""", RefusalReason.WrongType)]
    [InlineData("""{ "evenements": [], "curseur": "a\u0000b" }""", RefusalReason.WrongType)]
    [InlineData("""{ "evenements": [], "curseur": "c1", "curseur": "c2" }""", RefusalReason.Unparseable)]
    [InlineData("""{ "evenements": [ null ], "curseur": "c1" }""", RefusalReason.WrongType)]
    [InlineData("""{ "evenements": [ { "famille": "F1", "version": 7 } ], "curseur": "c1" }""", RefusalReason.MissingPart)]
    [InlineData("""{ "evenements": [ { "curseur": "c1", "version": 7 } ], "curseur": "c1" }""", RefusalReason.MissingPart)]
    [InlineData("""{ "evenements": [ { "curseur": "c1", "famille": "", "version": 7 } ], "curseur": "c1" }""", RefusalReason.MissingPart)]
    [InlineData("""{ "evenements": [ { "curseur": "c1", "famille": "F1" } ], "curseur": "c1" }""", RefusalReason.MissingPart)]
    [InlineData("""{ "evenements": [ { "curseur": "c1", "famille": "F1", "version": "7" } ], "curseur": "c1" }""", RefusalReason.WrongType)]
    [InlineData("""{ "evenements": [ { "curseur": "c1", "famille": "F1", "version": -7 } ], "curseur": "c1" }""", RefusalReason.WrongType)]
    [InlineData("""{ "evenements": [ { "curseur": "c1", "famille": "F1", "version": 7 } ], "curseur": "c0" }""", RefusalReason.UnknownValue)]
    public void Refuses(string body, RefusalReason reason)
    {
        var refused = Assert.Throws<RefusedAnswerException>(() => Read(body));

        Assert.Equal(reason, refused.Reason);
    }

    [Fact]
    public void Refuses_a_cursor_or_a_family_too_long_to_be_stored()
    {
        var curseur = new string('c', EvenementsPayload.MaxCurseurLength);
        var famille = new string('é', SiPayload.MaxFamilleBytes / 2);

        Assert.Equal(curseur, Read(One(curseur, "F1")).Curseur);
        Assert.Equal(famille, Read(One("c1", famille)).Evenements[0].Famille);
        Assert.Throws<RefusedAnswerException>(() => Read(One(curseur + "c", "F1")));
        Assert.Throws<RefusedAnswerException>(() => Read(One("c1", famille + "e")));
    }

    [Theory]
    [InlineData("""{ "curseur": "c9" }""", "c9")]
    [InlineData("""{ "curseur": "c9", "motif": 1 }""", "c9")]
    [InlineData("""{ "evenements": [ { "famille": 7 } ], "curseur": "c9" }""", "c9")]
    [InlineData("{}", null)]
    [InlineData("""{ "curseur": 9 }""", null)]
    [InlineData("nonsense", null)]
    [InlineData("", null)]
    public void Reads_the_cursor_of_any_answer_if_there_is_one(string body, string? curseur) =>
        Assert.Equal(curseur, EvenementsPayload.ReadCurseur(Encoding.UTF8.GetBytes(body)));

    [Fact]
    public void A_page_with_any_bytes_changed_is_read_or_refused_and_nothing_else()
    {
        var bytes = Encoding.UTF8.GetBytes(Page);
        Gen.Select(Gen.Int[0, bytes.Length - 1], Gen.Byte).Array[1, 4].Sample(changes =>
        {
            var changed = bytes.ToArray();
            foreach (var (at, value) in changes)
                changed[at] = value;
            try
            {
                EvenementsPayload.ReadPage(changed, null);
            }
            catch (RefusedAnswerException)
            {
            }
        });
    }

    private static string One(string curseur, string famille) =>
        $$"""{ "evenements": [ { "curseur": "c1", "famille": "{{famille}}", "version": 7 } ], "curseur": "{{curseur}}" }""";

    private static FeedAnswer.Page Read(string body) => EvenementsPayload.ReadPage(Encoding.UTF8.GetBytes(body), "c0");
}
