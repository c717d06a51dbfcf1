using System.Collections.Frozen;
using System.Globalization;
using System.Reflection;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.Unicode;
using DroitsAmeli.Grains.Droits;

namespace DroitsAmeli.Grains.RegimeSi;

/// <summary>Strict reading of the SI's values. Whatever does not have its type throws <see cref="RefusedAnswerException"/>.</summary>
internal static class SiJson
{
    private const int MaxDepth = 16;

    private static readonly JsonDocumentOptions Options = new() { MaxDepth = MaxDepth, AllowDuplicateProperties = false };

    public static T Read<T>(ReadOnlyMemory<byte> body, Func<JsonElement, T> read)
    {
        if (!Utf8.IsValid(body.Span))
            throw new RefusedAnswerException(RefusalReason.Unparseable);
        try
        {
            using var document = JsonDocument.Parse(body, Options);
            return read(document.RootElement);
        }
        catch (JsonException)
        {
            throw new RefusedAnswerException(RefusalReason.Unparseable);
        }
    }

    public static JsonElement.ObjectEnumerator Properties(JsonElement element) =>
        element.ValueKind == JsonValueKind.Object
            ? element.EnumerateObject()
            : throw new RefusedAnswerException(RefusalReason.WrongType);

    public static List<T> List<T>(JsonElement element, Func<JsonElement, T> read)
    {
        if (element.ValueKind != JsonValueKind.Array)
            throw new RefusedAnswerException(RefusalReason.WrongType);

        var list = new List<T>(element.GetArrayLength());
        foreach (var item in element.EnumerateArray())
            list.Add(read(item));
        return list;
    }

    /// <summary>An object that may be absent or null.</summary>
    public static T? Optional<T>(JsonElement element, Func<JsonElement, T?> read) where T : class =>
        element.ValueKind == JsonValueKind.Null ? null : read(element);

    /// <summary>Free text; empty and null count as absent.</summary>
    public static string? Text(JsonElement element)
    {
        if (element.ValueKind == JsonValueKind.Null)
            return null;
        var text = String(element);
        return text.Length == 0 ? null : text;
    }

    /// <summary>A family id; as a text, but no longer than <see cref="SiPayload.MaxFamilleBytes"/>.</summary>
    public static string? FamilleId(JsonElement element) =>
        Text(element) is { } text
            ? Encoding.UTF8.GetByteCount(text) <= SiPayload.MaxFamilleBytes ? text : throw new RefusedAnswerException(RefusalReason.WrongType)
            : null;

    public static string String(JsonElement element)
    {
        if (element.ValueKind != JsonValueKind.String)
            throw new RefusedAnswerException(RefusalReason.WrongType);
        try
        {
            return element.GetString()!;
        }
        catch (InvalidOperationException)
        {
            // An escaped half of a surrogate pair is JSON, but no text.
            throw new RefusedAnswerException(RefusalReason.Unparseable);
        }
    }

    public static DateOnly? Date(JsonElement element) =>
        element.ValueKind == JsonValueKind.Null ? null
        : DateOnly.TryParseExact(String(element), "yyyy-MM-dd", CultureInfo.InvariantCulture, DateTimeStyles.None, out var date) ? date
        : throw new RefusedAnswerException(RefusalReason.BadDate);

    public static Nir? Nir(JsonElement element) => Text(element) switch
    {
        null => null,
        { } text when Droits.Nir.TryParse(text, out var nir) => nir,
        _ => throw new RefusedAnswerException(RefusalReason.BadNir),
    };

    public static long Version(JsonElement element) =>
        element.ValueKind == JsonValueKind.Number && element.TryGetInt64(out var version) && version >= 0
            ? version
            : throw new RefusedAnswerException(RefusalReason.WrongType);

    public static int? Int32(JsonElement element) =>
        element.ValueKind == JsonValueKind.Null ? null
        : element.ValueKind == JsonValueKind.Number && element.TryGetInt32(out var number) ? number
        : throw new RefusedAnswerException(RefusalReason.WrongType);

    public static T? Named<T>(JsonElement element) where T : struct, Enum =>
        element.ValueKind == JsonValueKind.Null ? null
        : Names<T>.Values.TryGetValue(String(element), out var value) ? value
        : throw new RefusedAnswerException(RefusalReason.UnknownValue);

    public static string? NumeroAm(JsonElement element) => Text(element) switch
    {
        null => null,
        { Length: 9 } text when !text.AsSpan().ContainsAnyExceptInRange('0', '9') => text,
        _ => throw new RefusedAnswerException(RefusalReason.WrongType),
    };

    public static void Unknown() => Telemetry.SiUnknownProperties.Add(1);

    public static void CheckPeriod(DateOnly? debut, DateOnly? fin)
    {
        if (fin < debut)
            throw new RefusedAnswerException(RefusalReason.BadDate);
    }

    public static T Mandatory<T>(T? value) where T : class => value ?? throw new RefusedAnswerException(RefusalReason.MissingPart);

    public static T Mandatory<T>(T? value) where T : struct => value ?? throw new RefusedAnswerException(RefusalReason.MissingPart);

    /// <summary>The names that the contract gives to the values of an enum, to the letter.</summary>
    private static class Names<T> where T : struct, Enum
    {
        public static readonly FrozenDictionary<string, T> Values = typeof(T)
            .GetFields(BindingFlags.Public | BindingFlags.Static)
            .ToFrozenDictionary(
                field => field.GetCustomAttribute<JsonStringEnumMemberNameAttribute>()!.Name,
                field => (T)field.GetValue(null)!,
                StringComparer.Ordinal);
    }
}
