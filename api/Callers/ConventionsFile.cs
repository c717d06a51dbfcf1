using System.Security.Cryptography;
using System.Text.Json;

namespace DroitsAmeli.Api.Callers;

/// <summary>A convention of the file: its keys, and either what it states or the reason why it is disabled.</summary>
/// <param name="Partner">Who the keys belong to.</param>
/// <param name="Convention">Null when the convention is disabled.</param>
/// <param name="Keys">SHA-256 of each live key.</param>
/// <param name="Faults">Names of the fields that disable the convention, known or not; empty when there is one.</param>
public sealed record ConventionEntry(
    Partner Partner,
    Convention? Convention,
    IReadOnlyList<byte[]> Keys,
    IReadOnlyList<string> Faults);

/// <summary>A conventions file that was accepted.</summary>
public sealed class ConventionsFile
{
    private static readonly byte[] ByteOrderMark = [0xEF, 0xBB, 0xBF];
    private static readonly JsonDocumentOptions Strict = new() { AllowDuplicateProperties = false, MaxDepth = 16 };

    private readonly ILookup<long, (byte[] Hash, ConventionEntry Entry)> keys;

    private ConventionsFile(IReadOnlyList<ConventionEntry> entries)
    {
        Entries = entries;
        keys = entries
            .SelectMany(entry => entry.Keys.Select(hash => (hash, entry)))
            .ToLookup(key => BitConverter.ToInt64(key.hash));
    }

    /// <summary>All conventions, disabled ones included, in the order of the file.</summary>
    public IReadOnlyList<ConventionEntry> Entries { get; }

    /// <summary>
    /// Reads a JSON array of conventions. What is wrong within one convention disables that convention alone.
    /// </summary>
    /// <exception cref="FormatException">Not JSON, not an array, or the same id or key twice: the whole file is refused.</exception>
    public static ConventionsFile Parse(byte[] content)
    {
        var json = content.AsMemory(content.AsSpan().StartsWith(ByteOrderMark) ? ByteOrderMark.Length : 0);
        try
        {
            using var document = JsonDocument.Parse(json, Strict);
            if (document.RootElement.ValueKind != JsonValueKind.Array)
                throw new FormatException("the conventions file is not a JSON array.");
            var entries = document.RootElement.EnumerateArray().Select(ConventionReader.Read).ToList();
            RefuseDuplicates(entries);
            return new ConventionsFile(entries);
        }
        catch (InvalidOperationException)
        {
            throw new FormatException("the conventions file holds a text that is not valid Unicode.");
        }
        catch (JsonException exception)
        {
            // The parser's own message may quote the file.
            var place = exception.LineNumber is { } line ? $" (line {line + 1}, byte {exception.BytePositionInLine + 1})" : "";
            throw new FormatException($"the conventions file is not valid JSON, or holds a property twice in one object{place}.");
        }
    }

    /// <summary>Whose key has that SHA-256; candidates are compared in fixed time.</summary>
    public ConventionEntry? Find(ReadOnlySpan<byte> sha256)
    {
        ConventionEntry? found = null;
        foreach (var (hash, entry) in keys[BitConverter.ToInt64(sha256)])
        {
            if (CryptographicOperations.FixedTimeEquals(hash, sha256))
                found = entry;
        }

        return found;
    }

    private static void RefuseDuplicates(List<ConventionEntry> entries)
    {
        if (entries.GroupBy(entry => entry.Partner.Id, StringComparer.Ordinal).FirstOrDefault(group => group.Skip(1).Any()) is { } same)
            throw new FormatException($"the convention id {same.Key} stands twice in the conventions file.");

        var owners = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var entry in entries)
        {
            foreach (var key in entry.Keys)
            {
                if (!owners.TryAdd(Convert.ToHexString(key), entry.Partner.Id))
                {
                    var owner = owners[Convert.ToHexString(key)];
                    throw new FormatException($"the same key stands twice in the conventions file, in {owner} and in {entry.Partner.Id}.");
                }
            }
        }
    }
}
