using System.Buffers.Text;
using System.ComponentModel.DataAnnotations;
using System.Security.Cryptography;
using System.Text.Json;
using DroitsAmeli.Grains.Configuration;
using DroitsAmeli.Grains.RegimeSi;
using Microsoft.Extensions.Options;

namespace DroitsAmeli.Grains.Identites;

/// <summary>Settings of <c>Identities:*</c>.</summary>
public sealed class IdentitiesOptions
{
    public const string Section = "Identities";

    /// <summary>A file with the base64 of at least 32 random bytes, the same on all silos.</summary>
    [Required(ErrorMessage = "Identities:HmacKeyFile is required: a file with the base64 of at least 32 random bytes, the same on all silos.")]
    public string? HmacKeyFile { get; set; }
}

/// <summary>Makes the key of an identity's grain: <c>i-</c> and base64url of the HMAC-SHA-256 of the canonical request.</summary>
public sealed class IdentiteKeys
{
    private const string Prefix = "i-";
    private const int LeastKeyBytes = 32;

    private readonly byte[] key;

    public IdentiteKeys(IOptions<IdentitiesOptions> options) => key = Read(options.Value.HmacKeyFile!);

    /// <summary>The grain key of that identity.</summary>
    public string Of(IdentificationRequest request) =>
        Prefix + Base64Url.EncodeToString(HMACSHA256.HashData(key, JsonSerializer.SerializeToUtf8Bytes(request)));

    /// <summary>Reads the key file.</summary>
    /// <exception cref="SettingException">It cannot be used; the message says why.</exception>
    public static byte[] Read(string path)
    {
        try
        {
            var bytes = Convert.FromBase64String(File.ReadAllText(path).Trim());
            return bytes.Length >= LeastKeyBytes
                ? bytes
                : throw new SettingException($"Identities:HmacKeyFile: {path} holds {bytes.Length} bytes; at least {LeastKeyBytes} are needed.");
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or FormatException)
        {
            throw new SettingException($"Identities:HmacKeyFile: {path} cannot be read as base64 text ({exception.GetType().Name}).", exception);
        }
    }
}
