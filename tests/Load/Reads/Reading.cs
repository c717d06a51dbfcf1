using System.Diagnostics;
using System.Globalization;
using System.Text.Json;

namespace DroitsAmeli.Load.Reads;

/// <summary>What came back of one call.</summary>
/// <param name="Status">The HTTP status; 0 when there was no answer.</param>
/// <param name="Code">The problem's code, or why there was no answer; null for a 200.</param>
/// <param name="Body">The body of a 200.</param>
/// <param name="Situation">What <c>Date-Situation</c> declares.</param>
/// <param name="CacheStatus">The header, whole.</param>
/// <param name="ReceivedAt">The instant the answer was complete.</param>
/// <param name="Took">Since the call was sent.</param>
public sealed record Reading(
    int Status, string? Code, byte[] Body, DateTimeOffset? Situation, string? CacheStatus, DateTimeOffset ReceivedAt, TimeSpan Took)
{
    /// <summary>Status and code, to be counted.</summary>
    public string Outcome => Code is null ? Status.ToString(CultureInfo.InvariantCulture) : $"{Status.ToString(CultureInfo.InvariantCulture)} {Code}";

    /// <summary>The seconds of life that <c>Cache-Status</c> declares; null when it declares none.</summary>
    public int? TtlSeconds
    {
        get
        {
            const string name = "ttl=";
            var at = CacheStatus?.IndexOf(name, StringComparison.Ordinal) ?? -1;
            return at >= 0 && int.TryParse(CacheStatus!.AsSpan(at + name.Length), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var seconds)
                ? seconds
                : null;
        }
    }

    /// <summary>Sends a request and reads all of its answer; never throws for what the network or the server does.</summary>
    public static async Task<Reading> Of(HttpClient http, HttpRequestMessage request, CancellationToken cancellationToken)
    {
        var sentAt = Stopwatch.GetTimestamp();
        try
        {
            using var answer = await http.SendAsync(request, cancellationToken);
            var body = await answer.Content.ReadAsByteArrayAsync(cancellationToken);
            var status = (int)answer.StatusCode;
            return new(
                status,
                status == 200 ? null : CodeOf(body),
                status == 200 ? body : [],
                Header(answer, "Date-Situation") is { } situation ? DateTimeOffset.Parse(situation, CultureInfo.InvariantCulture) : null,
                Header(answer, "Cache-Status"),
                TimeProvider.System.GetUtcNow(),
                Stopwatch.GetElapsedTime(sentAt));
        }
        catch (Exception failure) when (failure is HttpRequestException or IOException || (failure is OperationCanceledException && !cancellationToken.IsCancellationRequested))
        {
            return new(0, failure is OperationCanceledException ? "no answer in time" : "connection lost", [], null, null, TimeProvider.System.GetUtcNow(), Stopwatch.GetElapsedTime(sentAt));
        }
    }

    private static string? Header(HttpResponseMessage answer, string name) =>
        answer.Headers.TryGetValues(name, out var values) ? values.Single() : null;

    private static string CodeOf(byte[] body)
    {
        try
        {
            using var problem = JsonDocument.Parse(body);
            return problem.RootElement.TryGetProperty("code", out var code) ? code.GetString() ?? "no code" : "no code";
        }
        catch (JsonException)
        {
            return "no problem";
        }
    }
}
