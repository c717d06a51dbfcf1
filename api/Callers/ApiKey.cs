namespace DroitsAmeli.Api.Callers;

/// <summary>The header that tells the partner.</summary>
public static class ApiKey
{
    /// <summary>The header's name; its case does not matter.</summary>
    public const string Header = "X-API-Key";

    private const int Longest = 256;

    /// <summary>
    /// Reads the key: exactly one header, at most 256 printable ASCII characters. An empty value is no key. Source: the contract.
    /// </summary>
    public static Credential Read(IHeaderDictionary headers)
    {
        if (!headers.TryGetValue(Header, out var values) || values.Count == 0)
            return Credential.Absent;
        if (values.Count > 1)
            return Credential.Invalid;
        return values[0] switch
        {
            null or "" => Credential.Absent,
            { Length: <= Longest } key when !key.AsSpan().ContainsAnyExceptInRange(' ', '~') => Credential.Given(key),
            _ => Credential.Invalid,
        };
    }
}
