using System.ComponentModel.DataAnnotations;
using DroitsAmeli.Grains.FranceConnect;

namespace DroitsAmeli.Api.FranceConnect;

/// <summary>What the API reads of section <c>FranceConnect</c>.</summary>
public sealed class FranceConnectApiOptions
{
    public const string Section = "FranceConnect";

    /// <summary>A JWK Set with our public encryption keys; without it the public half of <see cref="PrivateJwksFile"/> is published.</summary>
    public string? PublicJwksFile { get; set; }

    public string? PrivateJwksFile { get; set; }

    /// <summary>The algorithm registered with FranceConnect; its key is published first.</summary>
    [AllowedValues(FranceConnectAlgorithms.EcdhEs, FranceConnectAlgorithms.RsaOaep256, FranceConnectAlgorithms.RsaOaep,
        ErrorMessage = "FranceConnect:EncryptedResponseAlg must be ECDH-ES, RSA-OAEP-256 or RSA-OAEP")]
    public string EncryptedResponseAlg { get; set; } = FranceConnectAlgorithms.EcdhEs;

    /// <summary>The least level of the user's authentication.</summary>
    [EnumDataType(typeof(AcrLevel), ErrorMessage = "FranceConnect:MinimumAcr must be eidas1, eidas2 or eidas3")]
    public AcrLevel MinimumAcr { get; set; } = AcrLevel.Eidas1;

    internal string? SourceFile => NonEmpty(PublicJwksFile) ?? NonEmpty(PrivateJwksFile);

    internal string SourceSetting => NonEmpty(PublicJwksFile) is null ? "FranceConnect:PrivateJwksFile" : "FranceConnect:PublicJwksFile";

    private static string? NonEmpty(string? value) => string.IsNullOrWhiteSpace(value) ? null : value;
}
