using Xunit;

namespace DroitsAmeli.Tests.Rules.WireContract;

/// <summary>The comparison can fail: each way to break the previous version is found.</summary>
public sealed class ContractTests
{
    private static readonly string[] Text =
    [
        "call droits.a/read = always interleaves",
        "interface droits.a = key string",
        "json Person = object",
        "json Person #Nom = String",
        "method droits.a/read = Task<droits.reply>",
        "method droits.a/read #0 = request droits.request",
        "type droits.request = class",
        "type droits.request #0 = Name string",
        "type droits.request #1 = Age int",
        "type droits.request #10 = Until DateTimeOffset?",
        "json Sorte = text",
        "json Sorte #ville",
        "type droits.outcome = enum int",
        "type droits.outcome #0 = Ok",
        "retired type droits.request #2 = Gone string",
        "retired type droits.old",
    ];

    private static readonly Contract Listed = Contract.Parse(Text);

    [Fact]
    public void The_same_contract_is_no_difference_and_renders_as_it_is_written()
    {
        Assert.True(Listed.CompareTo(Listed with { Retired = new Dictionary<string, string>() }).IsEmpty);
        Assert.Equal(Text.Order(StringComparer.Ordinal), Listed.Render().Order(StringComparer.Ordinal));
        Assert.Equal(
            ["type droits.request", "type droits.request #0", "type droits.request #1", "type droits.request #10"],
            Listed.Render().Where(line => line.StartsWith("type droits.request", StringComparison.Ordinal)).Select(line => line.Split(" = ")[0]));
    }

    [Theory]
    [InlineData("type droits.request #3 = More bool")]
    [InlineData("type droits.other = class")]
    [InlineData("method droits.a/read #1 = more bool")]
    [InlineData("method droits.a/write = Task")]
    [InlineData("json Person #Prenom = String")]
    [InlineData("json Place #Name = String, required")]
    public void What_is_added_must_be_written_to_the_list_and_breaks_nothing(string line)
    {
        var difference = Listed.CompareTo(With(line));
        Assert.Empty(difference.Broken);
        Assert.Equal([$"+ {line}"], difference.Added);
        Assert.True(Contract.Parse(Listed.UpdatedTo(With(line)).Render()).CompareTo(With(line)).IsEmpty);
    }

    [Theory]
    [InlineData("type droits.request #1")]
    [InlineData("type droits.request #10")]
    [InlineData("method droits.a/read")]
    [InlineData("method droits.a/read #0")]
    [InlineData("interface droits.a")]
    [InlineData("json Person #Nom")]
    public void What_is_removed_breaks_the_previous_version(string name) =>
        Assert.StartsWith($"- {name}", Assert.Single(Listed.CompareTo(Without(name)).Broken), StringComparison.Ordinal);

    [Theory]
    [InlineData("type droits.request #1 = Age long")]
    [InlineData("type droits.request #1 = Height int")]
    [InlineData("type droits.request = struct")]
    [InlineData("method droits.a/read = Task")]
    [InlineData("interface droits.a = key guid")]
    [InlineData("json Person #Nom = String, required")]
    public void What_changes_its_shape_breaks_the_previous_version(string line)
    {
        var name = line.Split(" = ")[0];
        Assert.Equal([$"- {name} = {Listed.Lines[name]}", $"+ {line}"], Listed.CompareTo(With(line)).Broken);
    }

    [Fact]
    public void Ids_that_change_places_are_a_change() =>
        Assert.Equal(4, Listed.CompareTo(With("type droits.request #0 = Age int", "type droits.request #1 = Name string")).Broken.Count);

    [Fact]
    public void A_renamed_alias_is_a_removal()
    {
        var renamed = Contract.Of(Listed.Lines.Select(line => KeyValuePair.Create(line.Key.Replace("droits.request", "droits.demand", StringComparison.Ordinal), line.Value)));
        var difference = Listed.CompareTo(renamed);
        Assert.Equal(4, difference.Broken.Count);
        Assert.Equal(4, difference.Added.Count);
    }

    [Theory]
    [InlineData("type droits.outcome #1 = Late")]
    [InlineData("json Sorte #pays")]
    public void A_new_value_of_an_enumeration_breaks_the_previous_version_unless_that_can_read_it(string line)
    {
        Assert.Equal([$"+ {line}"], Listed.CompareTo(With(line)).Broken);

        var marked = Contract.Parse([.. Text, $"readable {line}"]);
        Assert.True(marked.CompareTo(With(line)).IsEmpty);
        Assert.Contains($"readable {line}", marked.UpdatedTo(With(line)).Render());
        Assert.NotEmpty(marked.CompareTo(Listed).Broken);
    }

    [Fact]
    public void The_values_of_a_new_enumeration_break_nothing() =>
        Assert.Empty(Listed.CompareTo(With("type droits.new = enum int", "type droits.new #0 = Ok", "json Neuf = text", "json Neuf #un")).Broken);

    [Theory]
    [InlineData("type droits.request #2 = New string")]
    [InlineData("type droits.request #2 = Gone string")]
    [InlineData("type droits.old = class")]
    [InlineData("type droits.old #0 = Any string")]
    public void What_was_retired_is_never_used_again(string line) =>
        Assert.Equal([$"! {line.Split(" = ")[0]}: retired, so it may never be used again"], Listed.CompareTo(With(line)).Broken);

    [Fact]
    public void A_removal_is_accepted_once_it_is_retired_and_the_list_keeps_it()
    {
        var retiring = Contract.Parse([.. Text.Where(line => !line.StartsWith("type droits.request #1 ", StringComparison.Ordinal)), "retired type droits.request #1 = Age int"]);
        var present = Without("type droits.request #1");
        Assert.True(retiring.CompareTo(present).IsEmpty);
        Assert.Contains("retired type droits.request #1 = Age int", retiring.UpdatedTo(present).Render());
        Assert.NotEmpty(retiring.CompareTo(Listed).Broken);
    }

    [Fact]
    public void A_type_that_is_retired_takes_its_members_along()
    {
        var retiring = Listed with { Retired = new Dictionary<string, string> { ["type droits.request"] = "class" }, Lines = Without("type droits.request").Lines };
        var present = Contract.Of(Listed.Lines.Where(line => !line.Key.StartsWith("type droits.request", StringComparison.Ordinal)));
        Assert.Empty(retiring.CompareTo(present).Broken);
        Assert.DoesNotContain(retiring.UpdatedTo(present).Render(), line => line.StartsWith("type droits.request", StringComparison.Ordinal));
    }

    [Fact]
    public void A_line_cannot_be_listed_and_retired() =>
        Assert.Single(Contract.Parse([.. Text, "retired type droits.request #1"]).CompareTo(Without("type droits.request #1")).Broken);

    [Fact]
    public void How_callers_wait_is_written_to_the_list_and_breaks_nothing()
    {
        var difference = Listed.CompareTo(With("call droits.a/read = one way"));
        Assert.Empty(difference.Broken);
        Assert.Equal(2, difference.Added.Count);
    }

    [Fact]
    public void A_line_cannot_stand_there_twice() => Assert.Throws<InvalidDataException>(() => Contract.Parse([.. Text, Text[0]]));

    [Fact]
    public void A_line_that_is_deleted_instead_of_retired_is_missed_by_the_list_of_the_previous_version()
    {
        Assert.Equal(["type droits.request #1 = Age int"], Without("type droits.request #1").DroppedSince(Listed with { Retired = new Dictionary<string, string>() }));
        Assert.Equal(["type droits.request #1 = Age int"], With("type droits.request #1 = Age long").DroppedSince(Listed with { Retired = new Dictionary<string, string>() }));
        Assert.Equal(["retired type droits.old", "retired type droits.request #2 = Gone string"], Contract.Of(Listed.Lines).DroppedSince(Listed));
    }

    [Fact]
    public void A_line_that_is_retired_or_only_renames_its_member_is_not_missed()
    {
        var retiring = Without("type droits.request #1") with { Retired = Contract.Parse([.. Text, "retired type droits.request #1"]).Retired };
        Assert.Empty(retiring.DroppedSince(Listed));
        Assert.Empty((With("type droits.request #1 = Years int", "call droits.a/read = one way", "type droits.more = class") with { Retired = Listed.Retired }).DroppedSince(Listed));
    }

    [Fact]
    public void A_new_value_that_was_written_into_the_list_without_the_mark_is_found_by_the_list_of_the_previous_version()
    {
        const string value = "type droits.outcome #1 = Late";
        Assert.Equal([value], Contract.Parse([.. Text, value, "type droits.new = enum int", "type droits.new #0 = Ok"]).UnreadableSince(Listed));
        Assert.Empty(Contract.Parse([.. Text, $"readable {value}"]).UnreadableSince(Listed));
        Assert.Empty(Listed.UnreadableSince(Listed));
    }

    private static Contract With(params string[] lines)
    {
        var changed = new Dictionary<string, string>(Listed.Lines, StringComparer.Ordinal);
        foreach (var line in lines)
            changed[line.Split(" = ")[0]] = line.Split(" = ").ElementAtOrDefault(1) ?? "";
        return Contract.Of(changed);
    }

    private static Contract Without(string name) => Contract.Of(Listed.Lines.Where(line => line.Key != name));
}
