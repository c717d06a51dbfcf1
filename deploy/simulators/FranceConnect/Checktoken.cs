using System.Security.Cryptography;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using Jose;

namespace DroitsAmeli.Simulators.FranceConnect;

/// <summary><c>POST /api/v2/checktoken</c>, as FranceConnect's core (v2) answers it.</summary>
internal sealed class Checktoken(
    FranceConnectSimulatorOptions options, Jetons jetons, SigningKeyRing ring, DataProviderKeys keys, ReglagesCourants reglages, Compteurs compteurs)
{
    private const string MediaType = "application/token-introspection+jwt";
    private const int LargestForm = 16 * 1024;
    private const int TooLargeBytes = 1024 * 1024;

    private static readonly JsonSerializerOptions Unescaped = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    private static readonly string[] RegisteredScopes =
    [
        "droits_assurance_maladie", "cnam_beneficiaires", "cnam_caisse", "cnam_contrats", "cnam_exonerations", "cnam_medecin_traitant",
        "cnam_presence_medecin_traitant",
    ];

    public async Task Answer(HttpContext context, string issuer)
    {
        compteurs.Checktoken();
        var aborted = context.RequestAborted;
        var faute = reglages.Draw();
        if (reglages.Current.LatenceMs is > 0 and var latency)
            await Task.Delay(TimeSpan.FromMilliseconds(latency), options.Time, aborted);
        if (await Spoil(context, faute))
            return;
        if (await ReadForm(context.Request) is not { } form)
        {
            await Error(context, StatusCodes.Status400BadRequest, "invalid_request", "The body must hold exactly client_id, client_secret and token.");
            return;
        }

        if (faute == Faute.IdentifiantsRefuses || form.ClientId != options.ClientId || !SameSecret(form.Secret))
        {
            await Error(context, StatusCodes.Status401Unauthorized, "invalid_client", "Client authentication failed.");
            return;
        }

        var claims = Claims(issuer, form.Token, faute).ToJsonString(Unescaped);
        var jws = faute switch
        {
            Faute.AlgNone => ring.Forge(claims, JwsAlgorithm.none),
            Faute.AlgHs256 => ring.Forge(claims, JwsAlgorithm.HS256),
            _ => ring.Sign(claims, options.SignedResponseAlg),
        };
        var body = await keys.Encrypt(jws, faute == Faute.MauvaisEnc ? JweEncryption.A128GCM : JweEncryption.A256GCM, aborted);
        if (body is null)
        {
            await Error(context, StatusCodes.Status500InternalServerError, "server_error", "The keys of the data provider could not be used.");
            return;
        }

        context.Response.ContentType = faute == Faute.MauvaisType ? "application/jwt" : MediaType;
        await context.Response.WriteAsync(faute switch { Faute.JwsSeul => jws, Faute.JsonNu => claims, _ => body }, aborted);
    }

    private static async Task<bool> Spoil(HttpContext context, Faute faute)
    {
        switch (faute)
        {
            case Faute.Erreur500:
                await Error(context, StatusCodes.Status500InternalServerError, "server_error", "Simulated failure.");
                return true;
            case Faute.Erreur503:
                await Error(context, StatusCodes.Status503ServiceUnavailable, "temporarily_unavailable", "Simulated failure.");
                return true;
            case Faute.SansReponse:
                await Silence(context);
                return true;
            case Faute.Coupure:
                context.Abort();
                return true;
            case Faute.Charabia:
                context.Response.ContentType = MediaType;
                await context.Response.WriteAsync("%%%.<html>.\0");
                return true;
            case Faute.TropGrand:
                context.Response.ContentType = MediaType;
                await context.Response.WriteAsync(new string('A', TooLargeBytes));
                return true;
            case Faute.Redirection:
                context.Response.Redirect("/api/v2/checktoken", permanent: false, preserveMethod: true);
                return true;
            default:
                return false;
        }
    }

    private static async Task Silence(HttpContext context)
    {
        var stopping = context.RequestServices.GetRequiredService<IHostApplicationLifetime>().ApplicationStopping;
        var gone = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using (context.RequestAborted.Register(() => gone.TrySetResult()))
        await using (stopping.Register(() => gone.TrySetResult()))
            await gone.Task;
        context.Abort();
    }

    private static async Task<(string ClientId, string Secret, string Token)?> ReadForm(HttpRequest request)
    {
        if (request.ContentLength > LargestForm || request.ContentType?.Split(';')[0].Trim() != "application/x-www-form-urlencoded")
            return null;
        try
        {
            var form = await request.ReadFormAsync(request.HttpContext.RequestAborted);
            return form.Count == 3 && form["client_id"].Count == 1 && form["client_secret"].Count == 1 && form["token"].Count == 1
                ? (form["client_id"].ToString(), form["client_secret"].ToString(), form["token"].ToString())
                : null;
        }
        catch (Exception failure) when (failure is InvalidDataException or BadHttpRequestException)
        {
            return null;
        }
    }

    private bool SameSecret(string secret) =>
        CryptographicOperations.FixedTimeEquals(Encoding.UTF8.GetBytes(secret), Encoding.UTF8.GetBytes(options.ClientSecret));

    private JsonObject Claims(string issuer, string token, Faute faute)
    {
        var now = options.Time.GetUtcNow();
        if (faute == Faute.VieuxIat)
            now -= TimeSpan.FromMinutes(5);
        return new JsonObject
        {
            ["token_introspection"] = Introspection(token, faute),
            ["iss"] = faute == Faute.MauvaisIss ? "https://autre.exemple.fr/api/v2" : issuer,
            ["aud"] = faute == Faute.MauvaisAud ? "autre-fournisseur-de-donnees" : options.ClientId,
            ["iat"] = now.ToUnixTimeSeconds(),
        };
    }

    private JsonObject Introspection(string token, Faute faute)
    {
        if (jetons.Find(token) is not { } jeton || options.FindPersona(jeton.Persona) is not { } person)
            return new JsonObject { ["active"] = false };
        var claims = new JsonObject
        {
            ["active"] = true,
            ["aud"] = jeton.ServiceProvider,
            ["sub"] = Subject(jeton.Persona),
            ["iat"] = jeton.IssuedAt.ToUnixTimeSeconds(),
            ["exp"] = jeton.ExpiresAt.ToUnixTimeSeconds(),
            ["acr"] = jeton.Acr,
            ["jti"] = faute == Faute.MauvaisJti ? new string('A', token.Length) : token,
            ["scope"] = string.Join(' ', jeton.Scope.Split(' ').Where(RegisteredScopes.Contains)),
            ["gender"] = person.Gender,
            ["family_name"] = person.FamilyName,
            ["given_name"] = person.GivenName,
            ["given_name_array"] = new JsonArray([.. person.GivenNameArray.Select(n => (JsonNode)n)]),
            ["birthdate"] = person.Birthdate,
        };
        if (person.Birthplace is { } birthplace)
            claims["birthplace"] = birthplace;
        claims["birthcountry"] = person.Birthcountry;
        return claims;
    }

    // Pairwise: stable for one person and one data provider, another one for another data provider.
    private string Subject(string persona) =>
        Convert.ToHexStringLower(HMACSHA256.HashData(Encoding.UTF8.GetBytes(options.ClientId), Encoding.UTF8.GetBytes(persona))) + "v1";

    internal static Task Error(HttpContext context, int status, string error, string description)
    {
        context.Response.StatusCode = status;
        return context.Response.WriteAsJsonAsync(new { error, error_description = description });
    }
}

/// <summary>What the simulator was asked.</summary>
internal sealed class Compteurs
{
    private long checktokens;

    public void Checktoken() => Interlocked.Increment(ref checktokens);

    public object Read() => new { checktoken = Interlocked.Read(ref checktokens) };

    public void Reset() => Interlocked.Exchange(ref checktokens, 0);
}
