using System.ComponentModel.DataAnnotations;
using Microsoft.Extensions.Configuration;

namespace DroitsAmeli.Grains.Links;

/// <summary>
/// Settings of <c>Cluster:Tls:*</c>: mutual TLS between silos, and from front ends to silos. It is on as soon as one of them has a value, and then
/// they must be complete, so that a name that is misspelt does not leave the links in clear.
/// </summary>
public sealed class TlsSettings : IValidatableObject
{
    public const string Section = "Cluster:Tls";

    private const string DnsName = "[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?(\\.[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?)*";
    private const string DnsNameRule = "{0} must be a DNS name without a wildcard.";

    private static readonly HashSet<string> Names = typeof(TlsSettings).GetProperties()
        .Where(property => property.CanWrite)
        .Select(property => property.Name)
        .ToHashSet(StringComparer.OrdinalIgnoreCase);

    /// <summary>PEM: the certificate of this process, then those between it and the root, if any.</summary>
    [Required]
    public string? CertificateFile { get; set; }

    /// <summary>PEM: its private key, not encrypted.</summary>
    [Required]
    public string? KeyFile { get; set; }

    /// <summary>PEM: the roots that are trusted, and no others.</summary>
    [Required]
    public string? CaFile { get; set; }

    /// <summary>The DNS name that the certificate of a silo bears, and that of a front end does not.</summary>
    [Required, RegularExpression(DnsName, ErrorMessage = DnsNameRule)]
    public string SiloName { get; set; } = "silo.droits.internal";

    /// <summary>The DNS name that the certificate of a front end bears, and that of a silo does not.</summary>
    [Required, RegularExpression(DnsName, ErrorMessage = DnsNameRule)]
    public string FrontEndName { get; set; } = "front-end.droits.internal";

    /// <summary>Within which a connection has proved who it is, or is closed. The runtime gives up its own attempts after 5 s.</summary>
    [Range(0.5, 30)]
    public double HandshakeSeconds { get; set; } = 4;

    /// <summary>Whether links are to be encrypted.</summary>
    public static bool IsOn(IConfiguration configuration) =>
        configuration.GetSection(Section).GetChildren().Any(setting => !string.IsNullOrWhiteSpace(setting.Value) || setting.GetChildren().Any());

    /// <summary>What stands in the section and is no setting.</summary>
    internal static IEnumerable<string> Unknown(IConfiguration configuration) =>
        configuration.GetSection(Section).GetChildren().Where(setting => !Names.Contains(setting.Key)).Select(setting => setting.Path);

    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        if (string.Equals(SiloName, FrontEndName, StringComparison.OrdinalIgnoreCase))
            yield return new("Cluster:Tls:SiloName and Cluster:Tls:FrontEndName must differ: a front end could join as a silo.", [nameof(SiloName)]);
    }

    /// <summary>The name that those of a role bear.</summary>
    internal string NameOf(LinkRole role) => role is LinkRole.Silo ? SiloName : FrontEndName;
}

/// <summary>What a process is to the cluster.</summary>
public enum LinkRole
{
    Silo,
    FrontEnd,
}
