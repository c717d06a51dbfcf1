using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace DroitsAmeli.Simulators.RegimeSi;

/// <summary>An answer before it is written.</summary>
/// <param name="Status">HTTP status.</param>
/// <param name="Body">Written as JSON; null: no body.</param>
/// <param name="Version">The family's, for the ETag; null: none.</param>
/// <param name="RetryAfterSeconds">Null: no such header.</param>
internal sealed record SiReply(int Status, object? Body = null, long? Version = null, int? RetryAfterSeconds = null)
{
    /// <summary>How the SI writes and reads JSON.</summary>
    public static JsonSerializerOptions Json { get; } = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        RespectRequiredConstructorParameters = false,
    };
}

internal sealed record IdentificationSi(string Famille, string Nir);

internal sealed record NonHebergeSi(string Regime);

internal sealed record CompositionSi(string Famille, long Version, IReadOnlyList<BeneficiaireSi> Beneficiaires);

internal sealed record DroitsBeneficiaireSi(
    string Famille,
    string Nir,
    long Version,
    CaisseSi? Caisse,
    IReadOnlyList<ContratSi> Contrats,
    IReadOnlyList<ExonerationSi> Exonerations,
    IReadOnlyList<MedecinTraitantSi> MedecinsTraitants);
