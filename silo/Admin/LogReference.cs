using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using DroitsAmeli.Grains.Identites;
using Microsoft.Extensions.Options;

namespace DroitsAmeli.Silo.Admin;

/// <summary>
/// What stands for a family in the action log: <c>ref:</c> and 8 hexadecimal digits of an HMAC, the same on all silos for one month (UTC). Its key
/// is derived from <c>Identities:HmacKeyFile</c>.
/// </summary>
public sealed class LogReference(IOptions<IdentitiesOptions> options, TimeProvider time)
{
    private const int Digits = 8;
    private const int KeyBytes = 32;

    private readonly byte[] secret = IdentiteKeys.Read(options.Value.HmacKeyFile!);

    /// <summary>The reference of that family, this month.</summary>
    public string Of(string famille)
    {
        var month = time.GetUtcNow().ToString("yyyy-MM", CultureInfo.InvariantCulture);
        var key = HKDF.DeriveKey(HashAlgorithmName.SHA256, secret, KeyBytes, info: Encoding.ASCII.GetBytes("droits-ameli log " + month));
        return "ref:" + Convert.ToHexStringLower(HMACSHA256.HashData(key, Encoding.UTF8.GetBytes(famille)))[..Digits];
    }
}
