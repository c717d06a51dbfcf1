using System.Text.Json;

namespace DroitsAmeli.Grains.Storage;

/// <summary>
/// The AES-256 keys of <c>Storage:KeysFile</c>: <c>{ "active": "2026-11", "keys": { "2026-11": "base64 of 32 bytes", … } }</c>. The active one
/// encrypts, all of them decrypt. To rotate: add the new key on every silo, then make it the active one, and remove the old one once nothing
/// that it encrypted may be served (the maximum age). One key should not encrypt more than 2^32 snapshots: rotate once a month.
/// </summary>
public sealed class StorageKeys
{
    private const int KeySize = 32;
    private const int LongestId = 64;
    private static readonly JsonDocumentOptions Strict = new() { AllowDuplicateProperties = false, MaxDepth = 4 };

    private readonly Dictionary<string, byte[]> keys;

    private StorageKeys(string active, Dictionary<string, byte[]> keys) => (Active, this.keys) = (active, keys);

    /// <summary>The id of the key that encrypts.</summary>
    public string Active { get; }

    /// <summary>The key with that id; null when there is none.</summary>
    internal byte[]? Find(string id) => keys.GetValueOrDefault(id);

    /// <summary>Reads the file.</summary>
    /// <exception cref="FormatException">The message says what is wrong, and quotes no key.</exception>
    public static StorageKeys Parse(byte[] file)
    {
        JsonDocument document;
        try
        {
            document = JsonDocument.Parse(file, Strict);
        }
        catch (JsonException)
        {
            throw new FormatException("It is not JSON, or names something twice.");
        }

        using (document)
        {
            var root = document.RootElement;
            if (root.ValueKind is not JsonValueKind.Object
                || !root.TryGetProperty("active", out var active) || active.ValueKind is not JsonValueKind.String
                || !root.TryGetProperty("keys", out var listed) || listed.ValueKind is not JsonValueKind.Object)
                throw new FormatException("It must be an object with \"active\", the id of a key, and \"keys\", an object of keys by id.");

            var keys = listed.EnumerateObject().ToDictionary(key => CheckedId(key.Name), key => ReadKey(key.Name, key.Value), StringComparer.Ordinal);
            return keys.ContainsKey(active.GetString()!)
                ? new(active.GetString()!, keys)
                : throw new FormatException("\"active\" names none of the \"keys\".");
        }
    }

    private static string CheckedId(string id) =>
        id.Length is > 0 and <= LongestId && id.All(character => char.IsAsciiLetterOrDigit(character) || character is '-' or '_' or '.')
            ? id
            : throw new FormatException($"The id of a key must have 1 to {LongestId} letters, digits, '-', '_' or '.'.");

    private static byte[] ReadKey(string id, JsonElement value) =>
        value.ValueKind is JsonValueKind.String && value.TryGetBytesFromBase64(out var key) && key.Length == KeySize
            ? key
            : throw new FormatException($"The key \"{id}\" is not the base64 of {KeySize} bytes.");
}
