using System.Net;
using System.Net.Sockets;
using System.Security.Authentication;
using DroitsAmeli.Tests.Rules.Links;

namespace DroitsAmeli.Tests.Storage.Links;

/// <summary>What a running cluster under mutual TLS takes, and what it does not.</summary>
public sealed class TlsClusterTests : IClassFixture<TlsCluster>
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);

    private readonly TlsCluster cluster;

    public TlsClusterTests(TlsCluster cluster)
    {
        Databases.SkipWithoutPostgres();
        this.cluster = cluster;
    }

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    private TlsSilo Silo => cluster.Silos[0];

    [Fact]
    public async Task Two_silos_and_a_front_end_answer_a_visit()
    {
        await cluster.AssertAnswersVisits();
        Assert.Equal(2, await cluster.ActiveSilos());

        foreach (var (port, certificate) in new[] { (Silo.GatewayPort, cluster.Ca.FrontEnd()), (Silo.SiloPort, cluster.Ca.Silo()) })
        {
            await using var taken = await TlsCluster.Knock(port, certificate);
            Assert.NotNull(taken);
            Assert.Equal(SslProtocols.Tls13, taken.SslProtocol);
        }
    }

    [Fact]
    public async Task A_front_end_in_clear_is_refused()
    {
        await using var frontEnd = cluster.StartFrontEnd(null);

        await Refused("it did not prove to be a FrontEnd, Handshake");

        Assert.False(await frontEnd.IsReady());
        Assert.False(await Loopback.Accepts(frontEnd.Port));
        await cluster.AssertAnswersVisits();
    }

    [Fact]
    public async Task A_front_end_of_an_unknown_authority_is_refused()
    {
        await using var frontEnd = cluster.StartFrontEnd(cluster.Files(cluster.Stranger.FrontEnd(), cluster.Ca.Root, cluster.Stranger.Root));

        await Refused("it did not prove to be a FrontEnd, UnknownIssuer");

        Assert.False(await frontEnd.IsReady());
        await cluster.AssertAnswersVisits();
    }

    [Fact]
    public async Task Those_who_connect_and_say_nothing_hold_nothing()
    {
        var silent = new List<TcpClient>();
        for (var count = 0; count < 100; count++)
        {
            silent.Add(new TcpClient());
            await silent[^1].ConnectAsync(IPAddress.Loopback, count % 2 == 0 ? Silo.GatewayPort : Silo.SiloPort, Stop);
        }

        await cluster.AssertAnswersVisits();

        await Task.WhenAll(silent.Select(Closed)).WaitAsync(Limit, Stop);
        Assert.DoesNotContain(
            Loopback.ConnectionsOf(Silo.Process.Child.Id), link => silent.Any(client => link.Remote.Equals(client.Client.LocalEndPoint)));
        silent.ForEach(client => client.Dispose());

        static async Task Closed(TcpClient client)
        {
            try
            {
                Assert.Equal(0, await client.GetStream().ReadAsync(new byte[1], Stop));
            }
            catch (IOException)
            {
                // Reset.
            }
        }
    }

    [Fact]
    public async Task A_silo_of_an_unknown_authority_is_no_silo_to_a_front_end_or_a_silo()
    {
        await using var frontEnd = cluster.StartFrontEnd(cluster.Files(cluster.Stranger.FrontEnd(), cluster.Stranger.Root));

        await frontEnd.Child.Line(line => line.Contains("it did not prove to be a Silo, UnknownIssuer", StringComparison.Ordinal));

        Assert.False(await frontEnd.IsReady());
        Assert.Null(await TlsCluster.Knock(Silo.SiloPort, cluster.Stranger.Silo()));
    }

    [Fact]
    public async Task A_certificate_that_has_expired_or_bears_another_name_opens_no_port()
    {
        foreach (var (port, name) in new[] { (Silo.GatewayPort, TestCa.FrontEndName), (Silo.SiloPort, TestCa.SiloName) })
        {
            Assert.Null(await TlsCluster.Knock(port, cluster.Ca.Issue([name], from: -2, to: -1)));
            Assert.Null(await TlsCluster.Knock(port, cluster.Ca.Issue(["*.droits.internal"])));
            Assert.Null(await TlsCluster.Knock(port, cluster.Ca.Issue([TestCa.SiloName, TestCa.FrontEndName])));
            await using var taken = await TlsCluster.Knock(port, cluster.Ca.Issue([name]));
            Assert.NotNull(taken);
        }
    }

    [Fact]
    public async Task A_front_ends_certificate_is_no_silos()
    {
        await using var honest = cluster.Silo(cluster.Ca.FrontEnd(), cluster.Ca.Root).Process;
        Assert.Equal(1, await honest.Child.Exited(Limit));
        Assert.StartsWith("Cluster:Tls:CertificateFile must bear the DNS name silo.droits.internal", honest.Child.Errors, StringComparison.Ordinal);

        // One that takes the names for each other starts, and comes no further.
        var rogue = cluster.Silo(
            cluster.Ca.FrontEnd(), cluster.Ca.Root, $"--Cluster:Tls:SiloName={TestCa.FrontEndName}", $"--Cluster:Tls:FrontEndName={TestCa.SiloName}");
        await using var process = rogue.Process;
        await process.Child.Line(line => line.Contains("it did not prove to be a Silo, WrongName", StringComparison.Ordinal));
        Assert.Null(await TlsCluster.Knock(Silo.SiloPort, cluster.Ca.FrontEnd()));
        await Refused("it did not prove to be a Silo, WrongName");

        Assert.False(await process.IsReady());
        Assert.Equal(2, await cluster.ActiveSilos());
        await cluster.AssertAnswersVisits();
    }

    [Fact]
    public async Task Nothing_that_a_process_prints_tells_a_subject_or_a_key()
    {
        Assert.Null(await TlsCluster.Knock(Silo.GatewayPort, cluster.Ca.Silo()));
        await Refused("it did not prove to be a FrontEnd, WrongName");

        foreach (var printed in cluster.Silos.Select(silo => silo.Process.Child).Append(cluster.FrontEnd.Child).Select(child => child.Output + child.Errors))
        {
            Assert.DoesNotContain("a subject that no log shows", printed, StringComparison.Ordinal);
            Assert.DoesNotContain("PRIVATE KEY", printed, StringComparison.Ordinal);
        }
    }

    private Task Refused(string line) => Eventually.Holds(
        () => cluster.Silos.Any(silo => silo.Process.Child.Output.Contains(line, StringComparison.Ordinal)),
        Limit,
        () => $"No silo refused it.\n{Silo.Process.Child.Output}");
}
