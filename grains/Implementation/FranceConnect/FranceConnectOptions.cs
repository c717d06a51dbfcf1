using System.ComponentModel.DataAnnotations;

namespace DroitsAmeli.Grains.FranceConnect;

/// <summary>Section <c>FranceConnect</c> of a silo.</summary>
public sealed class FranceConnectOptions
{
    public const string Section = "FranceConnect";

    /// <summary>FranceConnect's issuer, compared to the letter with <c>iss</c>.</summary>
    [Required(ErrorMessage = "FranceConnect:Issuer is missing")]
    public string Issuer { get; set; } = "";

    /// <summary>Default: the issuer and <c>/checktoken</c>.</summary>
    public string? ChecktokenEndpoint { get; set; }

    /// <summary>FranceConnect's signing keys. Default: the issuer and <c>/jwks</c>.</summary>
    public string? JwksEndpoint { get; set; }

    /// <summary>Our identifier as a data provider; the outer <c>aud</c> of every answer.</summary>
    [Required(ErrorMessage = "FranceConnect:ClientId is missing")]
    public string ClientId { get; set; } = "";

    [Required(ErrorMessage = "FranceConnect:ClientSecret is missing")]
    public string ClientSecret { get; set; } = "";

    [AllowedValues(FranceConnectAlgorithms.Es256, FranceConnectAlgorithms.Rs256,
        ErrorMessage = "FranceConnect:SignedResponseAlg must be ES256 or RS256")]
    public string SignedResponseAlg { get; set; } = FranceConnectAlgorithms.Es256;

    [AllowedValues(FranceConnectAlgorithms.EcdhEs, FranceConnectAlgorithms.RsaOaep256, FranceConnectAlgorithms.RsaOaep,
        ErrorMessage = "FranceConnect:EncryptedResponseAlg must be ECDH-ES, RSA-OAEP-256 or RSA-OAEP")]
    public string EncryptedResponseAlg { get; set; } = FranceConnectAlgorithms.EcdhEs;

    [AllowedValues(FranceConnectAlgorithms.A256Gcm, ErrorMessage = "FranceConnect:EncryptedResponseEnc must be A256GCM")]
    public string EncryptedResponseEnc { get; set; } = FranceConnectAlgorithms.A256Gcm;

    /// <summary>A JWK Set with our private encryption keys, reloaded when it changes.</summary>
    [Required(ErrorMessage = "FranceConnect:PrivateJwksFile is missing")]
    public string PrivateJwksFile { get; set; } = "";

    /// <summary>Seconds for a whole checktoken, verification included; below the API's own deadline.</summary>
    [Range(0.1, 7, ErrorMessage = "FranceConnect:TimeoutSeconds must lie between 0.1 and 7")]
    public double TimeoutSeconds { get; set; } = 3;

    internal TimeSpan Timeout => TimeSpan.FromSeconds(TimeoutSeconds);

    internal Uri Checktoken => new(string.IsNullOrEmpty(ChecktokenEndpoint) ? Issuer.TrimEnd('/') + "/checktoken" : ChecktokenEndpoint);

    internal Uri Jwks => new(string.IsNullOrEmpty(JwksEndpoint) ? Issuer.TrimEnd('/') + "/jwks" : JwksEndpoint);
}
