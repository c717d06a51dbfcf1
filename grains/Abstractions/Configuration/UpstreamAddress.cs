namespace DroitsAmeli.Grains.Configuration;

/// <summary>What an upstream's address must be: https, or http on a loopback host.</summary>
public static class UpstreamAddress
{
    /// <summary>The rule, to follow the name of a setting in a message.</summary>
    public const string Rule = "must be an absolute https URL without query, fragment or credentials; http only for a loopback host.";

    /// <summary>True when the address follows the rule.</summary>
    public static bool IsAcceptable(string text) =>
        Uri.TryCreate(text, UriKind.Absolute, out var url)
        && (url.Scheme == Uri.UriSchemeHttps || (url.Scheme == Uri.UriSchemeHttp && url.IsLoopback))
        && url is { Query: "", Fragment: "", UserInfo: "" };
}
