using DroitsAmeli.Tests.Rules.Links;

namespace DroitsAmeli.Tests.Storage.Links;

/// <summary>Every certificate and the root itself are replaced while the cluster works.</summary>
public sealed class TlsRotationTests : IClassFixture<TlsCluster>
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);

    private readonly TlsCluster cluster;
    private readonly TestCa ca;
    private readonly TestCa next;

    public TlsRotationTests(TlsCluster cluster)
    {
        Databases.SkipWithoutPostgres();
        this.cluster = cluster;
        (ca, next) = (cluster.Ca, cluster.Stranger);
    }

    [Fact]
    public async Task Needs_no_restart_and_leaves_links_that_are_up()
    {
        await cluster.AssertAnswersVisits();
        var (oldFrontEnd, oldSilo) = (ca.FrontEnd(), ca.Silo());
        var before = Links();
        Assert.NotEmpty(before);

        await Change(files => files.Trust(ca.Root, next.Root));
        await Change(files => files.Write(files == cluster.FrontEndFiles ? next.FrontEnd() : next.Silo()));
        await Change(files => files.Trust(next.Root));

        Assert.Subset(Links(), before);
        await cluster.AssertAnswersVisits();
        foreach (var silo in cluster.Silos)
        {
            var written = new TestCertificate(await File.ReadAllTextAsync(silo.Files.Certificate, TestContext.Current.CancellationToken), "");
            await using (var taken = await TlsCluster.Knock(silo.GatewayPort, next.FrontEnd()))
                Assert.Equal(written.Thumbprint, taken?.RemoteCertificate?.GetCertHashString());
            Assert.Null(await TlsCluster.Knock(silo.GatewayPort, oldFrontEnd));
            Assert.Null(await TlsCluster.Knock(silo.SiloPort, oldSilo));
        }

        // A silo that knows the new root alone joins, and is all that is left to the front end.
        var third = cluster.Silo(next.Silo(), next.Root);
        await using var process = third.Process;
        await process.Ready();
        Assert.Equal(3, await cluster.ActiveSilos());
        Assert.Subset(Links(), before);
        foreach (var silo in cluster.Silos)
            Assert.Equal(0, await silo.Process.Child.Terminate(Limit));
        await cluster.AssertAnswersVisits();
        Assert.NotEmpty(LinksOf(cluster.FrontEnd, third.GatewayPort));
    }

    private async Task Change(Action<TlsFiles> change)
    {
        var processes = cluster.Silos.Select(silo => (silo.Process, silo.Files)).Append((Process: cluster.FrontEnd, Files: cluster.FrontEndFiles)).ToList();
        var told = processes.Select(one => Reloads(one.Process)).ToList();
        foreach (var (_, files) in processes)
            change(files);
        await Eventually.Holds(
            () => processes.Select(one => Reloads(one.Process)).Zip(told, (now, then) => now > then).All(done => done),
            Limit,
            () => $"The files were not read again.\n{string.Join('\n', processes.Select(one => one.Process.Child.Output))}");
    }

    private static int Reloads(ClusterProcess process) => process.Child.Output.Split("changed and is in force").Length;

    // The ends of each link between the processes, as the kernel knows them.
    private HashSet<string> Links() =>
        [.. cluster.Silos.SelectMany(silo => LinksOf(cluster.FrontEnd, silo.GatewayPort).Concat(cluster.Silos.SelectMany(other => LinksOf(silo.Process, other.SiloPort))))];

    private static IEnumerable<string> LinksOf(ClusterProcess process, int port) => Loopback.ConnectionsOf(process.Child.Id)
        .Where(link => link.Remote.Port == port)
        .Select(link => $"{link.Local} {link.Remote}");
}
