namespace DroitsAmeli.Tests.Rules.Links;

/// <summary>The three files of <c>Cluster:Tls</c> of one process, in a folder of their own.</summary>
internal sealed class TlsFiles : IDisposable
{
    private readonly DirectoryInfo folder = Directory.CreateTempSubdirectory("droits-tls-");

    public TlsFiles(TestCertificate certificate, params string[] roots)
    {
        Write(certificate);
        Trust(roots);
    }

    public string Certificate => Path.Combine(folder.FullName, "tls.crt");

    public string Key => Path.Combine(folder.FullName, "tls.key");

    public string Ca => Path.Combine(folder.FullName, "ca.crt");

    /// <summary>The settings that name them.</summary>
    public (string Name, string Value)[] Settings =>
        [("Cluster:Tls:CertificateFile", Certificate), ("Cluster:Tls:KeyFile", Key), ("Cluster:Tls:CaFile", Ca)];

    public void Write(TestCertificate certificate)
    {
        Replace(Certificate, certificate.Chain);
        Replace(Key, certificate.Key);
    }

    public void Trust(params string[] roots) => Replace(Ca, string.Concat(roots));

    /// <summary>Replaces one file at once, as a careful operator does.</summary>
    public static void Replace(string path, string content)
    {
        File.WriteAllText(path + ".new", content);
        File.Move(path + ".new", path, overwrite: true);
    }

    public void Dispose() => folder.Delete(recursive: true);
}
