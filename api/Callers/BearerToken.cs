using System.Buffers;

namespace DroitsAmeli.Api.Callers;

/// <summary>The header that carries the FranceConnect access token of the user who is present.</summary>
public static class BearerToken
{
    private const string Scheme = "Bearer";
    private const int Longest = 4096;

    private static readonly SearchValues<char> TokenCharacters =
        SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~+/");

    /// <summary>
    /// Reads the token to the letter: exactly one header, the scheme in any case, spaces, then at most 4 KiB of RFC 6750's b64token,
    /// never decoded. Only a header that is not there is absent; anything else is invalid. Source: RFC 6750, and this product's rule of one header.
    /// </summary>
    public static Credential Read(IHeaderDictionary headers)
    {
        var values = headers.Authorization;
        if (values.Count == 0)
            return Credential.Absent;
        if (values.Count > 1 || values[0] is not { } header)
            return Credential.Invalid;
        if (!header.StartsWith(Scheme, StringComparison.OrdinalIgnoreCase))
            return Credential.Invalid;

        var afterScheme = header.AsSpan(Scheme.Length);
        var token = afterScheme.TrimStart(' ');
        var spaced = token.Length < afterScheme.Length;
        return spaced && token.Length <= Longest && IsB64Token(token) ? Credential.Given(token.ToString()) : Credential.Invalid;
    }

    private static bool IsB64Token(ReadOnlySpan<char> token)
    {
        var body = token.TrimEnd('=');
        return !body.IsEmpty && !body.ContainsAnyExcept(TokenCharacters);
    }
}
