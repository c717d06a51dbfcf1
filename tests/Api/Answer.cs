using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Xunit;

namespace DroitsAmeli.Tests.Api;

/// <summary>An answer, read to its end.</summary>
public sealed partial record Answer(int Status, IReadOnlyDictionary<string, string[]> Headers, string Body)
{
    private static readonly string[] MembersOfProblem = ["type", "title", "status", "detail", "code", "correlation_id", "retryable"];

    public JsonNode Json => JsonNode.Parse(Body)!;

    public string Code => Json["code"]!.GetValue<string>();

    public string? Header(string name) => Headers.TryGetValue(name, out var values) ? Assert.Single(values) : null;

    /// <summary>The JSON of a 200.</summary>
    public JsonNode Ok()
    {
        Assert.True(Status == 200, $"{Status} {Body}");
        Assert.Equal("application/json", Header("Content-Type"));
        Assert.Equal("no-store", Header("Cache-Control"));
        Assert.True(Guid.TryParseExact(Header("X-Correlation-Id"), "D", out _));
        Assert.DoesNotContain("null", Tokens(), StringComparer.Ordinal);
        return Json;
    }

    /// <summary>
    /// Everything that the contract says of the problem with this code: status, members, headers, and what must not stand in it.
    /// </summary>
    public Answer Is(string code, params string[] secrets)
    {
        var row = ErrorTable.Rows[code];
        Assert.True(Header("Content-Type") == "application/problem+json", $"{Status} {Header("Content-Type")} {Body}");
        Assert.Equal((row.Status, code), (Status, Code));

        var problem = Json.AsObject();
        Assert.Equal(row.Parametre ? [.. MembersOfProblem, "parametre"] : MembersOfProblem, problem.Select(member => member.Key));
        Assert.DoesNotContain(problem, member => member.Value is null);
        Assert.Equal(row.Status, problem["status"]!.GetValue<int>());
        Assert.Equal(row.Retryable, problem["retryable"]!.GetValue<bool>());
        Assert.Equal(Header("X-Correlation-Id"), problem["correlation_id"]!.GetValue<string>());
        Assert.True(Guid.TryParseExact(Header("X-Correlation-Id"), "D", out _));
        Assert.NotEmpty(problem["title"]!.GetValue<string>());
        if (row.Status is 404 or 429 or >= 500)
            Assert.Contains("Rien ne peut en être conclu", problem["detail"]!.GetValue<string>(), StringComparison.Ordinal);

        Assert.Equal(row.Challenge, Header("WWW-Authenticate"));
        Assert.Equal(row.RetryAfter, Headers.ContainsKey("Retry-After"));
        if (row.RetryAfter)
            Assert.InRange(int.Parse(Header("Retry-After")!, System.Globalization.CultureInfo.InvariantCulture), 1, 24 * 3600);
        Assert.Equal(code == "methode_refusee" ? "GET" : null, Header("Allow"));
        Assert.False(Headers.ContainsKey("Cache-Status") || Headers.ContainsKey("Date-Situation"));

        Assert.DoesNotMatch(AnyNir(), Body);
        foreach (var secret in secrets)
            Assert.DoesNotContain(secret, Body, StringComparison.OrdinalIgnoreCase);
        return this;
    }

    /// <summary>The name of the parameter that a 400 blames.</summary>
    public string Parametre => Json["parametre"]!.GetValue<string>();

    public override string ToString() => $"{Status} {Body}";

    private List<string> Tokens()
    {
        var reader = new Utf8JsonReader(System.Text.Encoding.UTF8.GetBytes(Body));
        var tokens = new List<string>();
        while (reader.Read())
            tokens.Add(reader.TokenType is JsonTokenType.Null ? "null" : reader.TokenType.ToString());
        return tokens;
    }

    [GeneratedRegex("[1-8][0-9]{4}[0-9][0-9AB][0-9]{6}")]
    private static partial Regex AnyNir();
}

/// <summary>The contract's table of errors.</summary>
public static class ErrorTable
{
    private const string ApiKeyChallenge = "ApiKey realm=\"droits\"";
    private const string InvalidToken = "Bearer realm=\"droits\", error=\"invalid_token\"";
    private const string InsufficientScope = "Bearer realm=\"droits\", error=\"insufficient_scope\", scope=\"droits_assurance_maladie\"";

    public sealed record Row(int Status, string? Challenge = null, bool Retryable = false, bool RetryAfter = false, bool Parametre = false);

    public static IReadOnlyDictionary<string, Row> Rows { get; } = new Dictionary<string, Row>
    {
        ["chemin_inconnu"] = new(404),
        ["methode_refusee"] = new(405),
        ["corps_refuse"] = new(413),
        ["cle_api_absente"] = new(401, ApiKeyChallenge),
        ["cle_api_invalide"] = new(401, ApiKeyChallenge),
        ["convention_non_eligible"] = new(403),
        ["jeton_absent"] = new(401, "Bearer realm=\"droits\""),
        ["jeton_invalide"] = new(401, InvalidToken),
        ["quota_depasse"] = new(429, Retryable: true, RetryAfter: true),
        ["donnee_reservee"] = new(403),
        ["date_invalide"] = new(400, Parametre: true),
        ["nir_absent"] = new(400, Parametre: true),
        ["nir_invalide"] = new(400, Parametre: true),
        ["niveau_insuffisant"] = new(403),
        ["scope_insuffisant"] = new(403, InsufficientScope),
        ["jeton_autre_partenaire"] = new(403),
        ["identite_non_rattachee"] = new(404),
        ["identite_ambigue"] = new(409),
        ["beneficiaire_inconnu"] = new(404),
        ["medecin_traitant_absent"] = new(404),
        ["franceconnect_indisponible"] = new(502, Retryable: true),
        ["si_indisponible"] = new(503, Retryable: true, RetryAfter: true),
        ["delai_depasse"] = new(504, Retryable: true),
        ["erreur_interne"] = new(500),
    };
}
