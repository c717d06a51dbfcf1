using System.Text.Json;
using System.Text.Json.Nodes;

namespace DroitsAmeli.Simulators.FranceConnect;

/// <summary><c>POST /sandbox/jetons</c> and its revocation: the shortcut around the user's login.</summary>
internal sealed class SandboxJetons(FranceConnectSimulatorOptions options, Jetons jetons)
{
    private const int DefaultLifetimeSeconds = 60;
    private const int LongestLifetimeSeconds = 3600;
    private const string DefaultScope = "droits_assurance_maladie";
    private const string DefaultAcr = "eidas1";

    private const int LargestBatch = 1000;

    private static readonly string[] GrantMembers = ["client_id", "scope", "expires_in", "acr"];
    private static readonly JsonDocumentOptions Strict = new() { AllowDuplicateProperties = false };

    /// <summary>One token for one persona.</summary>
    public async Task<IResult> Issue(HttpRequest request)
    {
        if (await ReadObject(request) is not { } body)
            return Wrong("Le corps doit être un objet JSON, par exemple {\"persona\":\"…\"}.");
        if (Unknown(body, "persona") is { } unknown)
            return unknown;
        if (!TryText(body, "persona", null, out var persona) || persona is null)
            return Wrong($"persona est obligatoire (texte). {KnownPersonas()}");
        if (ReadGrant(body, out var grant) is { } refusal)
            return refusal;
        if (options.FindPersona(persona) is null)
            return Wrong($"Persona inconnu : {persona}. {KnownPersonas()}");

        if (Issue(persona, grant) is not { } token)
            return TooMany();
        return WantsText(request)
            ? Results.Text(token, "text/plain")
            : Results.Json(new { access_token = token, token_type = "Bearer", expires_in = grant.LifetimeSeconds });
    }

    /// <summary>One token for each of many personas, in their order: what a load program needs ahead of its calls.</summary>
    public async Task<IResult> IssueMany(HttpRequest request)
    {
        if (await ReadObject(request) is not { } body)
            return Wrong("Le corps doit être un objet JSON, par exemple {\"personas\":[\"…\"]}.");
        if (Unknown(body, "personas") is { } unknown)
            return unknown;
        if (!TryTexts(body["personas"], out var personas))
            return Wrong($"personas est obligatoire : de 1 à {LargestBatch} textes.");
        if (ReadGrant(body, out var grant) is { } refusal)
            return refusal;
        if (personas.FirstOrDefault(persona => options.FindPersona(persona) is null) is { } stranger)
            return Wrong($"Persona inconnu : {stranger}. {KnownPersonas()}");

        var tokens = new List<string>(personas.Count);
        foreach (var persona in personas)
        {
            if (Issue(persona, grant) is not { } token)
            {
                tokens.ForEach(issued => jetons.Revoke(issued));
                return TooMany();
            }

            tokens.Add(token);
        }

        return Results.Json(new { access_tokens = tokens, token_type = "Bearer", expires_in = grant.LifetimeSeconds });
    }

    public async Task<IResult> Revoke(HttpRequest request) =>
        await ReadObject(request) is { } body && TryText(body, "access_token", null, out var token) && token is not null
            ? Results.Json(new { revoque = jetons.Revoke(token) })
            : Wrong("Le corps doit être {\"access_token\":\"…\"}.");

    internal static async Task<JsonObject?> ReadObject(HttpRequest request)
    {
        try
        {
            return await JsonNode.ParseAsync(request.Body, documentOptions: Strict, cancellationToken: request.HttpContext.RequestAborted) as JsonObject;
        }
        catch (Exception failure) when (failure is JsonException or BadHttpRequestException)
        {
            return null;
        }
    }

    internal static IResult Wrong(string what) => Results.Json(new { erreur = what }, statusCode: StatusCodes.Status400BadRequest);

    private static IResult? Unknown(JsonObject body, string who) =>
        body.Select(member => member.Key).FirstOrDefault(name => name != who && !GrantMembers.Contains(name)) is { } unknown
            ? Wrong($"Membre inconnu : {unknown}. Membres acceptés : {who}, {string.Join(", ", GrantMembers)}.")
            : null;

    private static IResult TooMany() => Results.Json(
        new { erreur = "Trop de jetons en vie : attendre que des jetons expirent." }, statusCode: StatusCodes.Status503ServiceUnavailable);

    private IResult? ReadGrant(JsonObject body, out Grant grant)
    {
        grant = default;
        if (!TryText(body, "client_id", options.DefaultServiceProvider, out var client) || client is null or "")
            return Wrong("client_id doit être un texte : l'identifiant FranceConnect du fournisseur de service.");
        if (!TryText(body, "scope", DefaultScope, out var scope))
            return Wrong("scope doit être un texte : des scopes séparés par des espaces.");
        if (!TryText(body, "acr", DefaultAcr, out var acr))
            return Wrong("acr doit être un texte : eidas1, eidas2 ou eidas3.");
        if (!TryLifetime(body, out var lifetime))
            return Wrong($"expires_in doit être un nombre entier de secondes, de 1 à {LongestLifetimeSeconds}.");
        grant = new(client, scope!, acr!, lifetime);
        return null;
    }

    private string? Issue(string persona, Grant grant) => jetons.Issue(now =>
        new JetonSimule(persona, grant.Client, grant.Scope, grant.Acr, now, now + TimeSpan.FromSeconds(grant.LifetimeSeconds)));

    private static bool TryTexts(JsonNode? node, out IReadOnlyList<string> texts)
    {
        var values = (node as JsonArray)?.Select(item => item is JsonValue value && value.TryGetValue(out string? text) ? text : null).ToList() ?? [];
        texts = [.. values.OfType<string>()];
        return values.Count is >= 1 and <= LargestBatch && texts.Count == values.Count;
    }

    private readonly record struct Grant(string Client, string Scope, string Acr, int LifetimeSeconds);

    private static bool WantsText(HttpRequest request) =>
        request.GetTypedHeaders().Accept.Any(a => a.MediaType.Equals("text/plain", StringComparison.OrdinalIgnoreCase));

    private static bool TryText(JsonObject body, string name, string? fallback, out string? text)
    {
        text = fallback;
        if (!body.TryGetPropertyValue(name, out var node))
            return true;
        text = node is JsonValue value && value.TryGetValue(out string? given) ? given : null;
        return text is not null;
    }

    private static bool TryLifetime(JsonObject body, out int seconds)
    {
        seconds = DefaultLifetimeSeconds;
        if (!body.TryGetPropertyValue("expires_in", out var node))
            return true;
        return node is JsonValue value && value.TryGetValue(out seconds) && seconds is >= 1 and <= LongestLifetimeSeconds;
    }

    private string KnownPersonas() => $"Personas : {string.Join(", ", options.PersonaIds())}.";
}
