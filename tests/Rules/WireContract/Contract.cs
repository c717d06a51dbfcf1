using System.Globalization;

namespace DroitsAmeli.Tests.Rules.WireContract;

/// <summary>
/// What processes of two versions must agree on, as lines <c>kind name #part = shape</c>. <see cref="Retired"/> names what an earlier version
/// had and no later one may have again; a name covers its parts. <see cref="Readable"/> names values of enumerations that the previous version
/// is never sent, or can read.
/// </summary>
internal sealed record Contract(IReadOnlyDictionary<string, string> Lines, IReadOnlyDictionary<string, string> Retired)
{
    private const string Separator = " = ";
    private const string RetiredMark = "retired ";
    private const string ReadableMark = "readable ";
    private const string PartMark = " #";

    // How a caller waits is its own affair: no other version sees it.
    private const string Local = "call ";

    // JSON refuses to read an object that lacks such a property, which those of the previous version do.
    private const string RequiredMark = ", required";

    public IReadOnlySet<string> Readable { get; init; } = new HashSet<string>(StringComparer.Ordinal);

    public static Contract Of(IEnumerable<KeyValuePair<string, string>> lines)
    {
        var byName = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var (name, shape) in lines)
        {
            if (!byName.TryAdd(name, shape))
                throw new InvalidDataException($"Two of \"{name}\": {byName[name]}, and {shape}.");
        }

        return new(byName, new Dictionary<string, string>());
    }

    /// <exception cref="InvalidDataException">A line stands there twice.</exception>
    public static Contract Parse(IEnumerable<string> text)
    {
        var (present, retired) = (new List<KeyValuePair<string, string>>(), new List<KeyValuePair<string, string>>());
        var readable = new HashSet<string>(StringComparer.Ordinal);
        foreach (var line in text.Where(line => line.Length > 0 && line[0] != '#'))
        {
            var isRetired = line.StartsWith(RetiredMark, StringComparison.Ordinal);
            var isReadable = line.StartsWith(ReadableMark, StringComparison.Ordinal);
            var parts = (isRetired ? line[RetiredMark.Length..] : isReadable ? line[ReadableMark.Length..] : line).Split(Separator, 2);
            if (isReadable)
                readable.Add(parts[0]);
            (isRetired ? retired : present).Add(KeyValuePair.Create(parts[0], parts.Length == 2 ? parts[1] : ""));
        }

        return Of(present) with { Retired = Of(retired).Lines, Readable = readable };
    }

    /// <summary>The lines as they are checked in.</summary>
    public IEnumerable<string> Render() => Text(Lines, name => Readable.Contains(name) ? ReadableMark : "").Concat(Text(Retired, _ => RetiredMark));

    /// <summary>What stands between this contract, which the list promises, and that of the present build.</summary>
    public ContractDifference CompareTo(Contract present)
    {
        var (added, broken) = (new List<string>(), new List<string>());
        foreach (var (name, shape) in InOrder(present.Lines))
        {
            if (IsRetired(name))
                broken.Add($"! {name}: retired, so it may never be used again");
            else if (!Lines.TryGetValue(name, out var listed))
                (IsNewRequirement(name, shape) || IsValueOfKnownEnum(name) ? broken : added).Add($"+ {Line(name, shape)}");
            else if (listed != shape)
                (name.StartsWith(Local, StringComparison.Ordinal) ? added : broken).AddRange($"- {Line(name, listed)}", $"+ {Line(name, shape)}");
        }

        foreach (var (name, shape) in InOrder(Lines).Where(line => !present.Lines.ContainsKey(line.Key)))
        {
            if (Retired.ContainsKey(name))
                broken.Add($"! {name}: listed, and retired too");
            else
                (name.StartsWith(Local, StringComparison.Ordinal) || IsRetired(name) ? added : broken).Add($"- {Line(name, shape)}");
        }

        return new(added, broken);
    }

    /// <summary>The list once it holds the present contract too; what was retired or marked as readable stays so.</summary>
    public Contract UpdatedTo(Contract present) => present with { Retired = Retired, Readable = Readable };

    /// <summary>Values of an earlier list's enumerations that this one has, that one has not, and nothing marks as readable.</summary>
    public IReadOnlyList<string> UnreadableSince(Contract earlier) =>
    [
        .. InOrder(Lines)
            .Where(line => earlier.IsValueOfKnownEnum(line.Key) && !earlier.Lines.ContainsKey(line.Key) && !Readable.Contains(line.Key))
            .Select(line => Line(line.Key, line.Value)),
    ];

    /// <summary>What an earlier list promised or retired and this one no longer does: a line that was deleted, or written over with another meaning.</summary>
    public IReadOnlyList<string> DroppedSince(Contract earlier) =>
    [
        .. InOrder(earlier.Lines)
            .Where(line => !line.Key.StartsWith(Local, StringComparison.Ordinal) && !IsRetired(line.Key)
                && !(Lines.TryGetValue(line.Key, out var shape) && Meaning(line.Key, shape) == Meaning(line.Key, line.Value)))
            .Select(line => Line(line.Key, line.Value)),
        .. InOrder(earlier.Retired).Where(line => !IsRetired(line.Key)).Select(line => RetiredMark + Line(line.Key, line.Value)),
    ];

    // The name of a member or a parameter does not travel.
    private static string Meaning(string name, string shape) =>
        name.Contains(PartMark, StringComparison.Ordinal) && shape.IndexOf(' ') is > 0 and var at && !name.StartsWith("json ", StringComparison.Ordinal) ? shape[at..] : shape;

    private bool IsNewRequirement(string name, string shape) => shape.EndsWith(RequiredMark, StringComparison.Ordinal) && Lines.ContainsKey(WholeOf(name));

    private bool IsValueOfKnownEnum(string name) =>
        WholeOf(name) is var whole && whole != name && Lines.TryGetValue(whole, out var shape)
        && (shape.StartsWith("enum ", StringComparison.Ordinal) || shape == "text");

    private bool IsRetired(string name) => Retired.ContainsKey(name) || Retired.ContainsKey(WholeOf(name));

    private static string WholeOf(string name) => name.IndexOf(PartMark, StringComparison.Ordinal) is > 0 and var at ? name[..at] : name;

    private static string Line(string name, string shape) => shape.Length == 0 ? name : name + Separator + shape;

    private static IEnumerable<string> Text(IReadOnlyDictionary<string, string> lines, Func<string, string> markOf) =>
        InOrder(lines).Select(line => markOf(line.Key) + Line(line.Key, line.Value));

    // Ids as numbers: 2 before 10.
    private static IEnumerable<KeyValuePair<string, string>> InOrder(IReadOnlyDictionary<string, string> lines) => lines
        .OrderBy(line => WholeOf(line.Key), StringComparer.Ordinal)
        .ThenBy(line => int.TryParse(line.Key.AsSpan(line.Key.IndexOf('#') + 1), NumberStyles.None, CultureInfo.InvariantCulture, out var id) ? id : -1)
        .ThenBy(line => line.Key, StringComparer.Ordinal);
}

/// <summary>Lines with + and −.</summary>
/// <param name="Added">What the list lacks and other versions can live with.</param>
/// <param name="Broken">What processes of the previous version do not survive.</param>
internal sealed record ContractDifference(IReadOnlyList<string> Added, IReadOnlyList<string> Broken)
{
    public bool IsEmpty => Added.Count + Broken.Count == 0;
}
