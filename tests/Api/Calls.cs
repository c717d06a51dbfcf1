using System.Net.Sockets;
using System.Text;

namespace DroitsAmeli.Tests.Api;

/// <summary>One call as a partner makes it; what a test leaves out is what a correct call has.</summary>
public sealed record Call(string Path = "/me")
{
    public const string Base = "/v1/droits/beneficiaires";

    public static readonly string[] Resources = ["/me", "/me/beneficiaires", "", "/caisse", "/contrats", "/exonerations", "/medecin-traitant"];

    public HttpMethod Method { get; init; } = HttpMethod.Get;

    public string Root { get; init; } = Base;

    public string? Key { get; init; } = TestPartners.Chu.Key;

    public string KeyHeader { get; init; } = "X-Api-Key";

    public string? Token { get; init; }

    /// <summary>The whole Authorization header, in place of the token.</summary>
    public string? Authorization { get; init; }

    public string? Nir { get; init; }

    public string? Accept { get; init; }

    public string? CorrelationId { get; init; }

    public HttpContent? Content { get; init; }

    public async Task<Answer> Send(Bench bench)
    {
        using var request = new HttpRequestMessage(Method, new Uri(bench.ApiUrl, Root + Path)) { Content = Content };
        Add(request, KeyHeader, Key);
        Add(request, "Authorization", Authorization ?? (Token is null ? null : "Bearer " + Token));
        Add(request, "nir", Nir);
        Add(request, "Accept", Accept);
        Add(request, "X-Correlation-Id", CorrelationId);
        using var response = await bench.Api.SendAsync(request, Bench.Stop);
        var headers = response.Headers.Concat(response.Content.Headers)
            .ToDictionary(header => header.Key, header => header.Value.ToArray(), StringComparer.OrdinalIgnoreCase);
        return new Answer((int)response.StatusCode, headers, await response.Content.ReadAsStringAsync(Bench.Stop));
    }

    /// <summary>Sends header lines to the letter, for what an HTTP client would put right; the connection is closed after it.</summary>
    public static Task<Answer> SendLines(Bench bench, params string[] lines) => SendLines(bench, Encoding.UTF8, lines);

    /// <inheritdoc cref="SendLines(Bench, string[])"/>
    public static async Task<Answer> SendLines(Bench bench, Encoding encoding, params string[] lines)
    {
        using var client = new TcpClient();
        await client.ConnectAsync(bench.ApiUrl.Host, bench.ApiUrl.Port, Bench.Stop);
        await using var stream = client.GetStream();
        var text = string.Join("\r\n", [lines[0], "Host: " + bench.ApiUrl.Authority, "Connection: close", .. lines[1..]]) + "\r\n\r\n";
        await stream.WriteAsync(encoding.GetBytes(text), Bench.Stop);
        using var reader = new StreamReader(stream, Encoding.UTF8);
        var parts = (await reader.ReadToEndAsync(Bench.Stop)).Split("\r\n\r\n", 2);
        var head = parts[0].Split("\r\n");
        var headers = head[1..].Select(line => line.Split(": ", 2)).GroupBy(line => line[0], StringComparer.OrdinalIgnoreCase)
            .ToDictionary(group => group.Key, group => group.Select(line => line[1]).ToArray(), StringComparer.OrdinalIgnoreCase);
        return new Answer(int.Parse(head[0].Split(' ')[1], System.Globalization.CultureInfo.InvariantCulture), headers, parts[1]);
    }

    private static void Add(HttpRequestMessage request, string name, string? value)
    {
        if (value is not null)
            request.Headers.TryAddWithoutValidation(name, value);
    }
}
