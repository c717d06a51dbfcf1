using System.Security.Cryptography;
using System.Text;
using Microsoft.Extensions.Options;

namespace DroitsAmeli.Silo.Admin;

/// <summary>The operators' keys: looked up by hash, then compared in fixed time.</summary>
public sealed class AdminKeys(IOptions<AdminOptions> options)
{
    /// <summary>The header that carries the key.</summary>
    public const string Header = "X-Admin-Key";

    private const int LongestKey = 256;
    private const int NameDigits = 8;

    private readonly ILookup<int, byte[]> hashes =
        options.Value.KeysSha256.Select(Convert.FromHexString).ToLookup(hash => BitConverter.ToInt32(hash));

    /// <summary>False: nobody may do anything.</summary>
    public bool AreConfigured => hashes.Count > 0;

    /// <summary>Who holds that key: the first 8 digits of its hash, as they stand in the action log. Null when nobody does.</summary>
    public string? Find(IHeaderDictionary headers)
    {
        if (!headers.TryGetValue(Header, out var values) || values is not [{ Length: > 0 and <= LongestKey } key])
            return null;

        var given = SHA256.HashData(Encoding.UTF8.GetBytes(key));
        string? operatorName = null;
        foreach (var known in hashes[BitConverter.ToInt32(given)])
        {
            if (CryptographicOperations.FixedTimeEquals(known, given))
                operatorName = Convert.ToHexStringLower(given)[..NameDigits];
        }

        return operatorName;
    }
}
