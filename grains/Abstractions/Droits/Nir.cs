using System.Diagnostics.CodeAnalysis;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace DroitsAmeli.Grains.Droits;

/// <summary>
/// A NIR (numéro d'inscription au répertoire) without its key: 13 characters, upper case.
/// Its text form is redacted; <see cref="Value"/> is for the answer, the SI's header and HMACs only, never for logs, URLs or keys.
/// </summary>
[GenerateSerializer, Immutable, Alias("droits.nir")]
[JsonConverter(typeof(NirJsonConverter))]
public sealed record Nir
{
    private const int LengthWithoutKey = 13;
    private const int LengthWithKey = 15;

    private Nir(string value) => Value = value;

    /// <summary>The 13 characters: sex 1, year 2, month 2, département 2, commune 3, order 3.</summary>
    [Id(0)]
    public string Value { get; }

    /// <summary>The control key, from 1 to 97: 97 − (N mod 97), where Corsica's 2A counts as 19 and 2B as 18.</summary>
    public int Key => KeyOf(Value);

    /// <summary>
    /// Reads a NIR of 13 characters, or of 15 with its key; spaces are ignored, and 2a/2b may be in lower case.
    /// </summary>
    /// <returns>False when a rule of the numbering, or the key, does not hold.</returns>
    public static bool TryParse(string? text, [NotNullWhen(true)] out Nir? nir)
    {
        nir = null;
        if (text is null)
            return false;

        var compact = text.Replace(" ", "", StringComparison.Ordinal).ToUpperInvariant();
        if (compact.Length is not (LengthWithoutKey or LengthWithKey))
            return false;

        var number = compact[..LengthWithoutKey];
        if (!IsWellFormed(number))
            return false;

        if (compact.Length == LengthWithKey)
        {
            var key = compact.AsSpan(LengthWithoutKey);
            if (!AllDigits(key) || (key[0] - '0') * 10 + (key[1] - '0') != KeyOf(number))
                return false;
        }

        nir = new Nir(number);
        return true;
    }

    /// <inheritdoc/>
    public override string ToString() => "NIR(redacted)";

    private static bool IsWellFormed(string number)
    {
        var departement = number.AsSpan(5, 2);
        var corsica = departement is "2A" or "2B";
        if (!AllDigits(number.AsSpan(0, 5)) || !AllDigits(number.AsSpan(7)) || !(corsica || AllDigits(departement)))
            return false;

        var month = int.Parse(number.AsSpan(3, 2), System.Globalization.CultureInfo.InvariantCulture);
        return number[0] is >= '1' and <= '8'
            && month is (>= 1 and <= 12) or (>= 20 and <= 99)
            && departement is not "00";
    }

    private static bool AllDigits(ReadOnlySpan<char> text) => !text.ContainsAnyExceptInRange('0', '9');

    private static int KeyOf(string number)
    {
        var digits = number.AsSpan(5, 2) switch
        {
            "2A" => string.Concat(number.AsSpan(0, 5), "19", number.AsSpan(7)),
            "2B" => string.Concat(number.AsSpan(0, 5), "18", number.AsSpan(7)),
            _ => number,
        };
        return 97 - (int)(long.Parse(digits, System.Globalization.CultureInfo.InvariantCulture) % 97);
    }
}

/// <summary>Writes a NIR with 13 characters; refuses to read one that breaks the numbering.</summary>
public sealed class NirJsonConverter : JsonConverter<Nir>
{
    /// <inheritdoc/>
    public override Nir Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
        reader.TokenType == JsonTokenType.String && Nir.TryParse(reader.GetString(), out var nir)
            ? nir
            : throw new JsonException("Not a NIR.");

    /// <inheritdoc/>
    public override void Write(Utf8JsonWriter writer, Nir value, JsonSerializerOptions options) =>
        writer.WriteStringValue(value.Value);
}
