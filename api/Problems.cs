using System.Buffers;
using System.Diagnostics;
using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;
using DroitsAmeli.Grains;
using DroitsAmeli.Grains.Familles;
using DroitsAmeli.Grains.FranceConnect;
using Microsoft.Extensions.Options;

namespace DroitsAmeli.Api;

/// <summary>An answer other than 200: one row of the contract's error table.</summary>
/// <param name="Status">HTTP status.</param>
/// <param name="Code">Stable and machine-readable.</param>
/// <param name="Title">French; the same for every occurrence of the code.</param>
/// <param name="Detail">French; never holds a text of an upstream, a NIR or a name.</param>
/// <param name="Retryable">True when the same call may succeed later without any change.</param>
public sealed record Problem(int Status, string Code, string Title, string Detail, bool Retryable = false)
{
    /// <summary>The parameter to blame, for a 400.</summary>
    public string? Parametre { get; init; }

    public TimeSpan? RetryAfter { get; init; }

    public string? WwwAuthenticate { get; init; }
}

/// <summary>Settings of <c>Regimes:*</c>: who is served.</summary>
public sealed class RegimesOptions
{
    internal const string HebergesSetting = "Regimes:Heberges";

    /// <summary>
    /// The régimes whose beneficiaries are served, as they are named to a person; an array, or one text with commas. The default is that of the
    /// contract.
    /// </summary>
    public IReadOnlyList<string> Heberges { get; set; } = [];

    internal string Enumeration => string.Join(", ", Heberges.Count > 0 ? Heberges : ByDefault);

    private static readonly string[] ByDefault =
    [
        "régime général (01)", "CNMSS (08)", "CAMIEG (01928)", "MNH (01459, 95)", "CAVIMAC (90)",
    ];
}

/// <summary>What an error looks like: the contract's table, in the order of its checks, and how a row is written.</summary>
public sealed class Problems(IOptions<RegimesOptions> regimes)
{
    private const string NothingConcluded =
        " Rien ne peut en être conclu sur les droits de la personne : présentez la carte Vitale ou une attestation de droits.";

    private static readonly JsonWriterOptions Writing = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    public static Problem CheminInconnu { get; } = new(
        404, "chemin_inconnu", "Chemin inconnu", "Aucune ressource de l'API ne porte ce chemin ; voir /openapi/v1.json." + NothingConcluded);

    public static Problem MethodeRefusee { get; } = new(
        405, "methode_refusee", "Méthode refusée", "Cette ressource se lit avec GET seulement.");

    public static Problem CorpsRefuse { get; } = new(
        413, "corps_refuse", "Corps refusé", "Un GET de cette API ne porte pas de corps : retirez-le, ainsi que Content-Length ou Transfer-Encoding.");

    public static Problem CleApiAbsente { get; } = new(
        401, "cle_api_absente", "Clé d'API absente", "L'en-tête X-API-Key manque : il porte la clé remise avec la convention d'usage.")
    {
        WwwAuthenticate = "ApiKey realm=\"droits\"",
    };

    public static Problem CleApiInvalide { get; } = new(
        401, "cle_api_invalide", "Clé d'API invalide", "La clé de l'en-tête X-API-Key est inconnue ou révoquée.")
    {
        WwwAuthenticate = "ApiKey realm=\"droits\"",
    };

    public static Problem ConventionNonEligible { get; } = new(
        403, "convention_non_eligible", "Convention non éligible", "La convention liée à cette clé n'ouvre pas l'API : elle est suspendue, hors de ses dates ou d'un autre type.");

    public static Problem JetonAbsent { get; } = new(
        401, "jeton_absent", "Jeton absent", "L'en-tête Authorization manque : il porte « Bearer » et le jeton d'accès FranceConnect de l'usager présent.")
    {
        WwwAuthenticate = "Bearer realm=\"droits\"",
    };

    public static Problem JetonInvalide { get; } = new(
        401, "jeton_invalide", "Jeton invalide", "Le jeton d'accès FranceConnect est mal formé, expiré, révoqué ou inconnu : l'usager doit se reconnecter.")
    {
        WwwAuthenticate = "Bearer realm=\"droits\", error=\"invalid_token\"",
    };

    public static Problem DonneeReservee { get; } = new(
        403, "donnee_reservee", "Donnée réservée", "Cette donnée est réservée aux établissements de soins, ou ne fait pas partie de la convention.");

    public static Problem NirAbsent { get; } = new(
        400, "nir_absent", "NIR absent", "L'en-tête nir manque : il porte le NIR du bénéficiaire, sur 13 ou 15 caractères.") { Parametre = "nir" };

    public static Problem NirInvalide { get; } = new(
        400, "nir_invalide", "NIR invalide", "L'en-tête nir doit porter un seul NIR, de 13 caractères, ou de 15 avec une clé juste.") { Parametre = "nir" };

    public static Problem NiveauInsuffisant { get; } = new(
        403, "niveau_insuffisant", "Niveau de garantie insuffisant", "Le niveau eIDAS de la connexion FranceConnect est inconnu ou inférieur au minimum exigé.");

    public static Problem ScopeInsuffisant { get; } = new(
        403, "scope_insuffisant", "Scope insuffisant", "Le jeton ne porte pas de scope qui ouvre cette donnée, par exemple droits_assurance_maladie.")
    {
        WwwAuthenticate = "Bearer realm=\"droits\", error=\"insufficient_scope\", scope=\"droits_assurance_maladie\"",
    };

    public static Problem JetonAutrePartenaire { get; } = new(
        403, "jeton_autre_partenaire", "Jeton d'un autre partenaire", "Le jeton a été émis pour un client FranceConnect qui n'est pas de cette convention.");

    public static Problem IdentiteAmbigue { get; } = new(
        409, "identite_ambigue", "Identité ambiguë", "Plusieurs personnes correspondent à l'identité transmise par FranceConnect : aucune n'est choisie.");

    public static Problem BeneficiaireInconnu { get; } = new(
        404, "beneficiaire_inconnu", "Bénéficiaire inconnu", "Ce NIR n'est pas parmi ceux que ce jeton ouvre." + NothingConcluded);

    public static Problem MedecinTraitantAbsent { get; } = new(
        404, "medecin_traitant_absent", "Pas de médecin traitant", "Aucun médecin traitant n'est connu sur la plage demandée." + NothingConcluded);

    public static Problem FranceConnectIndisponible { get; } = new(
        502, "franceconnect_indisponible", "FranceConnect indisponible", "Le jeton n'a pas pu être vérifié auprès de FranceConnect." + NothingConcluded, Retryable: true);

    public static Problem DelaiDepasse { get; } = new(
        504, "delai_depasse", "Délai dépassé", "Le système d'information des régimes ou FranceConnect n'a pas répondu à temps." + NothingConcluded, Retryable: true);

    public static Problem ErreurInterne { get; } = new(
        500, "erreur_interne", "Erreur interne", "Le service a rencontré une erreur ; signalez-la avec son correlation_id." + NothingConcluded);

    /// <summary>404: made from configuration.</summary>
    public Problem IdentiteNonRattachee { get; } = new(
        404,
        "identite_non_rattachee",
        "Identité non rattachée",
        "L'identité n'est pas connue des régimes servis : " + regimes.Value.Enumeration
            + ". Les bénéficiaires de la MSA, de la MGEN et des régimes qui ont leur propre système d'information ne sont pas servis."
            + NothingConcluded);

    /// <summary>What an introspection leads to; null: go on.</summary>
    public static Problem? Of(JetonReply reply) => reply.Outcome switch
    {
        JetonOutcome.Active => null,
        JetonOutcome.Inactive => JetonInvalide,
        JetonOutcome.FranceConnectUnusable => FranceConnectIndisponible,
        JetonOutcome.FranceConnectTooSlow => DelaiDepasse,
        _ => throw new UnreachableException(reply.Outcome.ToString()),
    };

    /// <summary>What an identification leads to; null: go on.</summary>
    public Problem? Of(IdentiteReply reply) => reply.Outcome switch
    {
        IdentiteOutcome.Resolved => null,
        IdentiteOutcome.NotAttached => IdentiteNonRattachee,
        IdentiteOutcome.Ambiguous => IdentiteAmbigue,
        IdentiteOutcome.JetonInactive => JetonInvalide,
        IdentiteOutcome.FranceConnectUnusable => FranceConnectIndisponible,
        IdentiteOutcome.FranceConnectTooSlow or IdentiteOutcome.SiTooSlow => DelaiDepasse,
        IdentiteOutcome.SiUnavailable => SiIndisponible(reply.RetryAfter),
        _ => throw new UnreachableException(reply.Outcome.ToString()),
    };

    /// <summary>
    /// What a read of a family leads to; null: there is something to show. A family that stays gone after a second identification is an SI
    /// that contradicts itself.
    /// </summary>
    public Problem? Of(FamilleReply reply) => reply.Outcome switch
    {
        FamilleOutcome.Ok => null,
        FamilleOutcome.UtilisateurDecede => IdentiteNonRattachee,
        FamilleOutcome.BeneficiaireInconnu => BeneficiaireInconnu,
        FamilleOutcome.SiTooSlow => DelaiDepasse,
        FamilleOutcome.SiUnavailable or FamilleOutcome.FamilleGone or FamilleOutcome.UtilisateurAbsent => SiIndisponible(reply.RetryAfter),
        _ => throw new UnreachableException(reply.Outcome.ToString()),
    };

    /// <summary>429.</summary>
    public static Problem QuotaDepasse(TimeSpan retryAfter) => new(
        429, "quota_depasse", "Quota dépassé", "Le quota de la convention est épuisé ; réessayez après Retry-After." + NothingConcluded, Retryable: true)
    {
        RetryAfter = retryAfter,
    };

    /// <summary>400.</summary>
    public static Problem DateInvalide(string parametre) => new(
        400,
        "date_invalide",
        "Date invalide",
        parametre == "dateDebut"
            ? "dateDebut doit être une seule date AAAA-MM-JJ, d'aujourd'hui (Europe/Paris) à dans un an."
            : "dateFin doit être une seule date AAAA-MM-JJ, non antérieure à dateDebut.")
    {
        Parametre = parametre,
    };

    /// <summary>503: more calls than the service can serve. The code is that of rights that cannot be had now: the contract has no other.</summary>
    public static Problem ServiceSature { get; } = new(
        503,
        "si_indisponible",
        "Service saturé",
        "Le service reçoit plus d'appels qu'il ne peut en servir ; réessayez après Retry-After." + NothingConcluded,
        Retryable: true)
    {
        RetryAfter = TimeSpan.FromSeconds(2),
    };

    /// <summary>503; a few seconds when nobody knows better.</summary>
    public static Problem SiIndisponible(TimeSpan? retryAfter) => new(
        503,
        "si_indisponible",
        "Système d'information indisponible",
        "Le système d'information des régimes ne peut pas donner ces droits en ce moment, et aucune donnée assez récente n'est conservée ; réessayez après Retry-After." + NothingConcluded,
        Retryable: true)
    {
        RetryAfter = retryAfter ?? TimeSpan.FromSeconds(5),
    };

    /// <summary>Writes the answer: problem+json whatever Accept says, and nothing of what was prepared before.</summary>
    public static async Task Write(HttpContext context, Problem problem)
    {
        if (context.Response.HasStarted)
        {
            context.Abort();
            return;
        }

        var kept = context.Response.Headers
            .Where(header => header.Key.StartsWith("RateLimit-", StringComparison.OrdinalIgnoreCase) || header.Key is CorrelationId.HeaderName or "Allow" or "Connection")
            .ToArray();
        context.Response.Clear();
        foreach (var (name, value) in kept)
            context.Response.Headers[name] = value;

        var response = context.Response;
        response.StatusCode = problem.Status;
        response.ContentType = "application/problem+json";
        response.Headers.CacheControl = "no-store";
        if (problem.WwwAuthenticate is { } challenge)
            response.Headers.WWWAuthenticate = challenge;
        if (problem.RetryAfter is { } retryAfter)
            response.Headers.RetryAfter = Math.Max(1, (long)Math.Ceiling(retryAfter.TotalSeconds)).ToString(CultureInfo.InvariantCulture);

        var body = Body(problem, CorrelationId.Of(context));
        response.ContentLength = body.Length;
        Telemetry.Answers.Add(1, new("status", problem.Status), new("code", problem.Code));
        await response.Body.WriteAsync(body, context.RequestAborted);
    }

    private static ReadOnlyMemory<byte> Body(Problem problem, string correlationId)
    {
        var buffer = new ArrayBufferWriter<byte>(512);
        using var json = new Utf8JsonWriter(buffer, Writing);
        json.WriteStartObject();
        json.WriteString("type", "urn:droits-ameli:probleme:" + problem.Code);
        json.WriteString("title", problem.Title);
        json.WriteNumber("status", problem.Status);
        json.WriteString("detail", problem.Detail);
        json.WriteString("code", problem.Code);
        json.WriteString("correlation_id", correlationId);
        json.WriteBoolean("retryable", problem.Retryable);
        if (problem.Parametre is { } parametre)
            json.WriteString("parametre", parametre);
        json.WriteEndObject();
        json.Flush();
        return buffer.WrittenMemory;
    }
}
