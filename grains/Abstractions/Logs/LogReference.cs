using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using DroitsAmeli.Grains.Familles;

namespace DroitsAmeli.Grains.Logs;

/// <summary>
/// What stands for a personal grain key in a log: <c>ref:</c> and 8 hexadecimal digits of an HMAC, the same for one month (UTC) wherever the secret
/// is the same.
/// </summary>
/// <param name="secret">At least 32 random bytes, from which the key of each month is derived.</param>
/// <param name="time">Tells the month.</param>
public sealed class LogReference(byte[] secret, TimeProvider time)
{
    private const int Digits = 8;
    private const int KeyBytes = 32;

    /// <summary>References that mean nothing outside this process, nor after it.</summary>
    public static LogReference OfThisProcess(TimeProvider time) => new(RandomNumberGenerator.GetBytes(KeyBytes), time);

    /// <summary>The reference of a family, by its id at the régime SI.</summary>
    public string Of(string famille) => OfKey(FamilleKey.Of(famille));

    /// <summary>The reference of a grain key.</summary>
    public string OfKey(string key)
    {
        var month = time.GetUtcNow().ToString("yyyy-MM", CultureInfo.InvariantCulture);
        var monthly = HKDF.DeriveKey(HashAlgorithmName.SHA256, secret, KeyBytes, info: Encoding.ASCII.GetBytes("droits-ameli log " + month));
        return "ref:" + Convert.ToHexStringLower(HMACSHA256.HashData(monthly, Encoding.UTF8.GetBytes(key)))[..Digits];
    }
}
