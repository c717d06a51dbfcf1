using System.Diagnostics;
using System.Security.Cryptography;
using System.Text;
using DroitsAmeli.Grains.Links;
using Xunit;

namespace DroitsAmeli.Tests.Rules.Links;

public sealed class LinkCertificatesTests : IDisposable
{
    private readonly TestCa ca = new(TimeProvider.System.GetUtcNow());
    private readonly TestCa between;
    private readonly TestCa stranger = new(TimeProvider.System.GetUtcNow());

    public LinkCertificatesTests() => between = new TestCa(TimeProvider.System.GetUtcNow(), ca);

    public void Dispose()
    {
        ca.Dispose();
        between.Dispose();
        stranger.Dispose();
    }

    [Fact]
    public void What_the_others_will_accept_is_accepted()
    {
        Parse(LinkRole.Silo, ca.Silo(), ca.Root);
        Parse(LinkRole.FrontEnd, ca.FrontEnd(), ca.Root);
        Parse(LinkRole.FrontEnd, ca.Issue([TestCa.FrontEndName], server: false), ca.Root);
        Parse(LinkRole.Silo, ca.Issue(["other.example", TestCa.SiloName.ToUpperInvariant()]), ca.Root);
        Parse(LinkRole.Silo, ca.Silo(), stranger.Root + ca.Root);
    }

    [Fact]
    public void One_that_leads_to_its_root_over_another_needs_that_one_in_its_file()
    {
        var silo = between.Silo();
        Parse(LinkRole.Silo, silo, between.Root);

        var alone = silo with { Chain = silo.Chain[..(silo.Chain.IndexOf("-----END", StringComparison.Ordinal) + 26)] };
        Assert.Contains("CertificateFile does not lead to a root", Refusal(LinkRole.Silo, alone, ca.Root), StringComparison.Ordinal);
    }

    [Fact]
    public void What_the_others_will_refuse_is_refused_and_named()
    {
        AssertRefused("CertificateFile does not lead to a root of CaFile", LinkRole.Silo, stranger.Silo());
        AssertRefused("CertificateFile has expired", LinkRole.Silo, ca.Issue([TestCa.SiloName], from: -2, to: -1));
        AssertRefused("not valid yet", LinkRole.Silo, ca.Issue([TestCa.SiloName], from: 1, to: 2));
        AssertRefused("must bear the DNS name silo.droits.internal", LinkRole.Silo, ca.FrontEnd());
        AssertRefused("must bear the DNS name front-end.droits.internal, and not silo", LinkRole.FrontEnd, ca.Silo());
        AssertRefused("and not front-end.droits.internal", LinkRole.Silo, ca.Issue([TestCa.SiloName, TestCa.FrontEndName]));
        AssertRefused("must bear the DNS name", LinkRole.Silo, ca.Issue(["*.droits.internal"]));
        AssertRefused("must bear the DNS name", LinkRole.Silo, ca.Issue([]));
        AssertRefused("cannot be used for server authentication", LinkRole.Silo, ca.Issue([TestCa.SiloName], server: false));
        AssertRefused("cannot be used for client authentication", LinkRole.Silo, ca.Issue([TestCa.SiloName], client: false));
        AssertRefused("cannot be used for client authentication", LinkRole.FrontEnd, ca.Issue([TestCa.FrontEndName], client: false));
    }

    [Fact]
    public void Files_that_hold_something_else_are_refused_and_named()
    {
        var silo = ca.Silo();
        using var key = ECDsa.Create();
        var encrypted = key.ExportEncryptedPkcs8PrivateKeyPem("secret", new(PbeEncryptionAlgorithm.Aes256Cbc, HashAlgorithmName.SHA256, 1));

        AssertRefused("KeyFile must be the private key", LinkRole.Silo, silo with { Key = ca.Silo().Key });
        AssertRefused("KeyFile must be the private key", LinkRole.Silo, silo with { Key = encrypted });
        AssertRefused("KeyFile must be the private key", LinkRole.Silo, silo with { Key = "" });
        AssertRefused("KeyFile must be the private key", LinkRole.Silo, silo with { Key = silo.Chain });
        AssertRefused("CertificateFile holds no certificate", LinkRole.Silo, silo with { Chain = silo.Key });
        AssertRefused("CertificateFile holds a certificate that cannot be read", LinkRole.Silo, silo with { Chain = Garbled(silo.Chain) });
        Assert.Contains("CaFile holds no certificate", Refusal(LinkRole.Silo, silo, ""), StringComparison.Ordinal);
        Assert.Contains("CaFile holds a certificate that", Refusal(LinkRole.Silo, silo, Garbled(ca.Root)), StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_commands_of_the_guide_make_certificates_that_are_accepted()
    {
        var root = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(root.FullName, "DroitsAmeli.Orleans.sln")))
            root = root.Parent!;
        var guide = await File.ReadAllTextAsync(Path.Combine(root.FullName, "deploy", "README.md"), TestContext.Current.CancellationToken);
        var commands = guide.Split("```bash\n").Single(block => block.Contains("issue()", StringComparison.Ordinal)).Split("```")[0];
        var folder = Directory.CreateTempSubdirectory("droits-tls-");
        try
        {
            using var bash = Process.Start(
                new ProcessStartInfo("bash", ["-ec", commands]) { WorkingDirectory = folder.FullName, RedirectStandardError = true, RedirectStandardOutput = true })!;
            var told = await bash.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
            await bash.WaitForExitAsync(TestContext.Current.CancellationToken);
            Assert.True(bash.ExitCode == 0, told);

            Parse(LinkRole.Silo, new(Read("silo.crt"), Read("silo.key")), Read("ca.crt"));
            Parse(LinkRole.FrontEnd, new(Read("front-end.crt"), Read("front-end.key")), Read("ca.crt"));
        }
        finally
        {
            folder.Delete(recursive: true);
        }

        string Read(string name) => File.ReadAllText(Path.Combine(folder.FullName, name));
    }

    private void AssertRefused(string reason, LinkRole role, TestCertificate certificate) =>
        Assert.Contains(reason, Refusal(role, certificate, ca.Root), StringComparison.Ordinal);

    private static string Refusal(LinkRole role, TestCertificate certificate, string roots)
    {
        var told = Assert.Throws<FormatException>(() => Parse(role, certificate, roots)).Message;
        Assert.StartsWith("Cluster:Tls:", told, StringComparison.Ordinal);
        Assert.DoesNotContain("subject", told, StringComparison.OrdinalIgnoreCase);
        return told;
    }

    private static LinkCertificates Parse(LinkRole role, TestCertificate certificate, string roots) => LinkCertificates.Parse(
        role,
        new TlsSettings(),
        [Encoding.UTF8.GetBytes(certificate.Chain), Encoding.UTF8.GetBytes(certificate.Key), Encoding.UTF8.GetBytes(roots)],
        TimeProvider.System);

    private static string Garbled(string pem) => pem.Replace("\nMII", "\nAAA", StringComparison.Ordinal).Replace("\nMI", "\nAA", StringComparison.Ordinal);
}
