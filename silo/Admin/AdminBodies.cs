using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace DroitsAmeli.Silo.Admin;

/// <summary>A body that cannot be used; its detail is French and quotes nothing of it.</summary>
internal sealed class BodyRefused(int status, string detail) : Exception(detail)
{
    public int Status => status;
}

internal sealed record FamilleBody(string Famille)
{
    private const int Longest = 200;

    public string Valid() => Famille is { Length: > 0 and <= Longest } and not "." and not ".." && !Famille.Any(char.IsControl)
        ? Famille
        : throw new BodyRefused(400, "« famille » est l'identifiant d'une famille chez le régime SI, de 1 à 200 caractères.");
}

internal sealed record EtalementBody(double EtalementMinutes)
{
    public TimeSpan Valid(TimeSpan longest) => EtalementMinutes >= 0 && EtalementMinutes <= longest.TotalMinutes
        ? TimeSpan.FromMinutes(EtalementMinutes)
        : throw new BodyRefused(400, $"« etalement_minutes » va de 0 à {longest.TotalMinutes.ToString(CultureInfo.InvariantCulture)}.");
}

internal sealed record RythmeBody(int ParSeconde)
{
    public int Valid(int highest) => ParSeconde >= 1 && ParSeconde <= highest
        ? ParSeconde
        : throw new BodyRefused(400, $"« par_seconde » va de 1 à {highest.ToString(CultureInfo.InvariantCulture)}, le plafond RegimeSi:MaxConcurrentCalls.");
}

internal sealed record IntervalleBody(string De, string A)
{
    private static readonly string[] Formats = ["yyyy-MM-dd'T'HH:mm", "yyyy-MM-dd'T'HH:mm:ss", "yyyy-MM-dd'T'HH:mm:ss.FFFFFFF"];

    public (DateTimeOffset From, DateTimeOffset To) Valid() => (Instant(De, "de"), Instant(A, "a"));

    private static DateTimeOffset Instant(string text, string name) =>
        text is not null
        && DateTimeOffset.TryParseExact(text, [.. Formats.Select(format => format + "zzz"), .. Formats.Select(format => format + "'Z'")],
            CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var instant)
            ? instant
            : throw new BodyRefused(400, $"« {name} » est un instant ISO 8601 avec son décalage, par exemple 2026-11-23T08:00:00+01:00.");
}

/// <summary>Reads bodies strictly: JSON of a few fields, all of them required, no other, 4 KiB at most.</summary>
internal static class AdminBodies
{
    private const int MostBytes = 4 * 1024;

    private static readonly JsonSerializerOptions Strict = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
        RespectNullableAnnotations = true,
        RespectRequiredConstructorParameters = true,
        AllowDuplicateProperties = false,
        MaxDepth = 4,
    };

    /// <summary>The body.</summary>
    /// <param name="request">Whose.</param>
    /// <param name="example">What a good one looks like.</param>
    /// <exception cref="BodyRefused">It is none.</exception>
    public static async Task<T> Read<T>(HttpRequest request, string example)
        where T : class
    {
        if (!request.HasJsonContentType())
            throw new BodyRefused(StatusCodes.Status415UnsupportedMediaType, "Le corps se donne en Content-Type: application/json.");

        var buffer = new byte[MostBytes + 1];
        var read = await request.Body.ReadAtLeastAsync(buffer, buffer.Length, throwOnEndOfStream: false, request.HttpContext.RequestAborted);
        if (read > MostBytes)
            throw new BodyRefused(StatusCodes.Status413PayloadTooLarge, "Le corps dépasse 4 Kio.");
        try
        {
            return JsonSerializer.Deserialize<T>(buffer.AsSpan(0, read), Strict) ?? throw new JsonException();
        }
        catch (JsonException)
        {
            throw new BodyRefused(StatusCodes.Status400BadRequest, $"Le corps attendu est de la forme {example}");
        }
    }
}
