using System.Text.Json.Serialization;

namespace DroitsAmeli.Simulators.FranceConnect;

/// <summary>What a checktoken does wrong, on demand.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<Faute>))]
internal enum Faute
{
    [JsonStringEnumMemberName("aucune")] Aucune,
    [JsonStringEnumMemberName("erreur_500")] Erreur500,
    [JsonStringEnumMemberName("erreur_503")] Erreur503,
    [JsonStringEnumMemberName("identifiants_refuses")] IdentifiantsRefuses,
    [JsonStringEnumMemberName("sans_reponse")] SansReponse,
    [JsonStringEnumMemberName("coupure")] Coupure,
    [JsonStringEnumMemberName("charabia")] Charabia,
    [JsonStringEnumMemberName("trop_grand")] TropGrand,
    [JsonStringEnumMemberName("redirection")] Redirection,
    [JsonStringEnumMemberName("mauvais_type")] MauvaisType,
    [JsonStringEnumMemberName("mauvais_iss")] MauvaisIss,
    [JsonStringEnumMemberName("mauvais_aud")] MauvaisAud,
    [JsonStringEnumMemberName("vieux_iat")] VieuxIat,
    [JsonStringEnumMemberName("mauvais_jti")] MauvaisJti,
    [JsonStringEnumMemberName("alg_none")] AlgNone,
    [JsonStringEnumMemberName("alg_hs256")] AlgHs256,
    [JsonStringEnumMemberName("mauvais_enc")] MauvaisEnc,
    [JsonStringEnumMemberName("jws_seul")] JwsSeul,
    [JsonStringEnumMemberName("json_nu")] JsonNu,
}

/// <summary>The switches of <c>PUT /sandbox/reglages</c>; what the body leaves out goes back to normal.</summary>
internal sealed record Reglages
{
    [JsonPropertyName("faute")] public Faute Faute { get; init; }

    /// <summary>How many checktokens the fault spoils; null for all.</summary>
    [JsonPropertyName("nombre")] public int? Nombre { get; init; }

    /// <summary>Added to every checktoken.</summary>
    [JsonPropertyName("latence_ms")] public int LatenceMs { get; init; }

    /// <summary>Whether <c>GET /api/v2/jwks</c> answers 503.</summary>
    [JsonPropertyName("jwks_en_panne")] public bool JwksEnPanne { get; init; }
}

/// <summary>The present switches.</summary>
internal sealed class ReglagesCourants
{
    private readonly Lock gate = new();
    private Reglages current = new();
    private int left;

    public Reglages Current
    {
        get
        {
            lock (gate)
                return current;
        }
    }

    public void Set(Reglages wanted)
    {
        lock (gate)
        {
            current = wanted;
            left = wanted.Nombre ?? int.MaxValue;
        }
    }

    /// <summary>The fault of this checktoken.</summary>
    public Faute Draw()
    {
        lock (gate)
        {
            if (current.Faute == Faute.Aucune || left == 0)
                return Faute.Aucune;
            if (left != int.MaxValue)
                left--;
            return current.Faute;
        }
    }
}
