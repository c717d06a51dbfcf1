using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace DroitsAmeli.Tests.Rules.Links;

/// <summary>A certificate with its key, both PEM.</summary>
/// <param name="Chain">The certificate, then those that lead to its root.</param>
/// <param name="Key">Its private key.</param>
internal sealed record TestCertificate(string Chain, string Key)
{
    public X509Certificate2 Open() => X509Certificate2.CreateFromPem(Chain, Key);

    /// <summary>What tells it from any other.</summary>
    public string Thumbprint
    {
        get
        {
            using var certificate = X509Certificate2.CreateFromPem(Chain);
            return certificate.Thumbprint;
        }
    }
}

/// <summary>An authority of one's own, good for ten years around an instant.</summary>
internal sealed class TestCa : IDisposable
{
    public const string SiloName = "silo.droits.internal";
    public const string FrontEndName = "front-end.droits.internal";
    public const string SubjectOfAll = "CN=a subject that no log shows";

    private static readonly Oid Server = new("1.3.6.1.5.5.7.3.1");
    private static readonly Oid Client = new("1.3.6.1.5.5.7.3.2");

    private readonly X509Certificate2 certificate;
    private readonly DateTimeOffset now;
    private readonly TestCa? issuer;

    public TestCa(DateTimeOffset now, TestCa? issuer = null)
    {
        (this.now, this.issuer) = (now, issuer);
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest(SubjectOfAll + (issuer is null ? " (root)" : " (between)"), key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(X509BasicConstraintsExtension.CreateForCertificateAuthority());
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.KeyCertSign, critical: true));
        request.CertificateExtensions.Add(new X509SubjectKeyIdentifierExtension(request.PublicKey, critical: false));
        if (issuer is null)
        {
            certificate = request.CreateSelfSigned(now.AddYears(-5), now.AddYears(5));
            return;
        }

        request.CertificateExtensions.Add(X509AuthorityKeyIdentifierExtension.CreateFromCertificate(issuer.certificate, true, false));
        using var signed = request.Create(issuer.certificate, now.AddYears(-4), now.AddYears(4), Serial());
        certificate = signed.CopyWithPrivateKey(key);
    }

    /// <summary>The root, PEM.</summary>
    public string Root => issuer?.Root ?? certificate.ExportCertificatePem() + "\n";

    public TestCertificate Silo() => Issue([SiloName]);

    public TestCertificate FrontEnd() => Issue([FrontEndName]);

    /// <summary>Issues a certificate for 90 days around now.</summary>
    /// <param name="names">DNS names.</param>
    /// <param name="from">In days from now.</param>
    /// <param name="to">In days from now.</param>
    /// <param name="server">Whether it is good for servers.</param>
    /// <param name="client">Whether it is good for clients.</param>
    public TestCertificate Issue(string[] names, double from = -45, double to = 45, bool server = true, bool client = true)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest(SubjectOfAll, key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(false, false, 0, critical: true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.DigitalSignature, critical: true));
        request.CertificateExtensions.Add(X509AuthorityKeyIdentifierExtension.CreateFromCertificate(certificate, true, false));
        var usages = new OidCollection();
        if (server)
            usages.Add(Server);
        if (client)
            usages.Add(Client);
        request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension(usages, critical: false));
        var alternatives = new SubjectAlternativeNameBuilder();
        foreach (var name in names)
            alternatives.AddDnsName(name);
        if (names.Length > 0)
            request.CertificateExtensions.Add(alternatives.Build());

        using var signed = request.Create(certificate, now.AddDays(from), now.AddDays(to), Serial());
        var between = issuer is null ? "" : certificate.ExportCertificatePem() + "\n";
        return new(signed.ExportCertificatePem() + "\n" + between, key.ExportPkcs8PrivateKeyPem() + "\n");
    }

    public void Dispose() => certificate.Dispose();

    private static byte[] Serial()
    {
        var serial = RandomNumberGenerator.GetBytes(16);
        serial[0] &= 0x7f;
        return serial;
    }
}
