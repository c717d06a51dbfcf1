using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;

namespace DroitsAmeli.Grains.Links;

/// <summary>What a process proves itself with, and whom it believes; immutable.</summary>
public sealed class LinkCertificates
{
    private const string ServerAuthentication = "1.3.6.1.5.5.7.3.1";
    private const string ClientAuthentication = "1.3.6.1.5.5.7.3.2";

    private readonly X509Certificate2Collection roots;

    private LinkCertificates(SslStreamCertificateContext own, X509Certificate2Collection roots) => (Own, this.roots) = (own, roots);

    /// <summary>The certificate of this process with its key and what leads from it to the root.</summary>
    internal SslStreamCertificateContext Own { get; }

    /// <summary>From when to when the certificate of this process is good.</summary>
    internal (DateTimeOffset From, DateTimeOffset To) Validity => (Own.TargetCertificate.NotBefore, Own.TargetCertificate.NotAfter);

    /// <summary>Reads the three files, and checks that the others will accept them.</summary>
    /// <param name="role">What this process is.</param>
    /// <param name="settings">The names.</param>
    /// <param name="files">The contents of <c>CertificateFile</c>, <c>KeyFile</c> and <c>CaFile</c>.</param>
    /// <param name="time">Judges whether a certificate has expired.</param>
    /// <exception cref="FormatException">The message names the setting and what is wrong, and quotes neither a key nor a subject.</exception>
    public static LinkCertificates Parse(LinkRole role, TlsSettings settings, IReadOnlyList<byte[]> files, TimeProvider time)
    {
        var chain = ReadCertificates(nameof(TlsSettings.CertificateFile), files[0]);
        var roots = ReadCertificates(nameof(TlsSettings.CaFile), files[2]);
        var own = WithKey(chain[0], files[1]);
        var intermediates = new X509Certificate2Collection(chain.Skip(1).ToArray());

        var certificates = new LinkCertificates(SslStreamCertificateContext.Create(own, intermediates, offline: true), roots);
        foreach (var purpose in role is LinkRole.Silo ? new[] { LinkSide.Accepts, LinkSide.Connects } : [LinkSide.Connects])
        {
            using var check = new X509Chain { ChainPolicy = certificates.PolicyFor(purpose, time) };
            check.ChainPolicy.ExtraStore.AddRange(intermediates);
            if (!check.Build(own))
                throw new FormatException($"{TlsSettings.Section}:{nameof(TlsSettings.CertificateFile)} {Explain(RefusalOf(check), purpose)}");
        }

        return Bears(own, settings, role)
            ? certificates
            : throw new FormatException(
                $"{TlsSettings.Section}:{nameof(TlsSettings.CertificateFile)} must bear the DNS name {settings.NameOf(role)}, and not {settings.NameOf(Other(role))}.");
    }

    /// <summary>How a certificate of somebody on that side of a link is checked: by these roots alone, nothing fetched.</summary>
    internal X509ChainPolicy PolicyFor(LinkSide side, TimeProvider time)
    {
        var policy = new X509ChainPolicy
        {
            TrustMode = X509ChainTrustMode.CustomRootTrust,
            RevocationMode = X509RevocationMode.NoCheck,
            DisableCertificateDownloads = true,
            VerificationTime = time.GetUtcNow().LocalDateTime,
        };
        policy.CustomTrustStore.AddRange(roots);
        policy.ApplicationPolicy.Add(new Oid(side is LinkSide.Accepts ? ServerAuthentication : ClientAuthentication));
        return policy;
    }

    /// <summary>Whether a certificate bears the name of its role, to the letter, and not that of the other.</summary>
    internal static bool Bears(X509Certificate2 certificate, TlsSettings settings, LinkRole role)
    {
        var names = certificate.Extensions.OfType<X509SubjectAlternativeNameExtension>()
            .SelectMany(extension => extension.EnumerateDnsNames())
            .ToHashSet(StringComparer.OrdinalIgnoreCase);
        return names.Contains(settings.NameOf(role)) && !names.Contains(settings.NameOf(Other(role)));
    }

    /// <summary>Why a chain was not built.</summary>
    internal static LinkRefusal RefusalOf(X509Chain chain)
    {
        var status = chain.ChainStatus.Aggregate(X509ChainStatusFlags.NoError, (all, one) => all | one.Status);
        return status switch
        {
            _ when status.HasFlag(X509ChainStatusFlags.UntrustedRoot) || status.HasFlag(X509ChainStatusFlags.PartialChain) => LinkRefusal.UnknownIssuer,
            _ when status.HasFlag(X509ChainStatusFlags.NotTimeValid) => LinkRefusal.Expired,
            _ => LinkRefusal.Certificate,
        };
    }

    private static LinkRole Other(LinkRole role) => role is LinkRole.Silo ? LinkRole.FrontEnd : LinkRole.Silo;

    private static X509Certificate2Collection ReadCertificates(string setting, byte[] file)
    {
        var certificates = new X509Certificate2Collection();
        try
        {
            certificates.ImportFromPem(Encoding.ASCII.GetString(file));
        }
        catch (CryptographicException)
        {
            throw new FormatException($"{TlsSettings.Section}:{setting} holds a certificate that cannot be read.");
        }

        return certificates.Count > 0 ? certificates : throw new FormatException($"{TlsSettings.Section}:{setting} holds no certificate in PEM form.");
    }

    private static X509Certificate2 WithKey(X509Certificate2 certificate, byte[] key)
    {
        try
        {
            return X509Certificate2.CreateFromPem(certificate.ExportCertificatePem(), Encoding.ASCII.GetString(key));
        }
        catch (Exception exception) when (exception is CryptographicException or ArgumentException)
        {
            throw new FormatException(
                $"{TlsSettings.Section}:{nameof(TlsSettings.KeyFile)} must be the private key, in PEM form and not encrypted, "
                + $"of the first certificate of {nameof(TlsSettings.CertificateFile)}.");
        }
    }

    private static string Explain(LinkRefusal refusal, LinkSide purpose) => refusal switch
    {
        LinkRefusal.UnknownIssuer => $"does not lead to a root of {nameof(TlsSettings.CaFile)}.",
        LinkRefusal.Expired => "has expired, or is not valid yet, or one between it and its root.",
        _ => purpose is LinkSide.Accepts ? "cannot be used for server authentication." : "cannot be used for client authentication.",
    };
}

/// <summary>Which end of a link somebody is.</summary>
public enum LinkSide
{
    /// <summary>Listens: the server of TLS.</summary>
    Accepts,

    /// <summary>Opens the connection: the client of TLS.</summary>
    Connects,
}

/// <summary>Why a connection is not taken.</summary>
internal enum LinkRefusal
{
    /// <summary>Not TLS, or it broke off.</summary>
    Handshake,

    /// <summary>It did not prove who it is in time.</summary>
    Timeout,

    NoCertificate,

    UnknownIssuer,

    /// <summary>Expired, or not valid yet.</summary>
    Expired,

    /// <summary>Not for this purpose, or malformed.</summary>
    Certificate,

    WrongName,
}
