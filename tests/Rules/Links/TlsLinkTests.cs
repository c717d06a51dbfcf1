using System.Diagnostics;
using System.Diagnostics.Metrics;
using System.Net;
using System.Net.Sockets;
using System.Security.Authentication;
using DroitsAmeli.Grains;
using DroitsAmeli.Grains.Links;
using Microsoft.AspNetCore.Connections;
using Xunit;

namespace DroitsAmeli.Tests.Rules.Links;

/// <summary>What passes a link under mutual TLS, and what does not, over real sockets.</summary>
public sealed class TlsLinkTests : IAsyncDisposable
{
    private static readonly TimeSpan Soon = TimeSpan.FromSeconds(10);

    private readonly TestCa ca = new(TimeProvider.System.GetUtcNow());
    private readonly TestCa stranger = new(TimeProvider.System.GetUtcNow());
    private readonly TlsFiles siloFiles;
    private readonly TlsFiles frontEndFiles;
    private readonly LinkBench gateway;
    private readonly LinkBench siloPort;

    public TlsLinkTests()
    {
        siloFiles = new(ca.Silo(), ca.Root);
        frontEndFiles = new(ca.FrontEnd(), ca.Root);
        gateway = new(siloFiles, LinkRole.Silo, LinkRole.FrontEnd);
        siloPort = new(siloFiles, LinkRole.Silo, LinkRole.Silo);
    }

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public async ValueTask DisposeAsync()
    {
        await gateway.DisposeAsync();
        await siloPort.DisposeAsync();
        siloFiles.Dispose();
        frontEndFiles.Dispose();
        ca.Dispose();
        stranger.Dispose();
    }

    [Fact]
    public async Task A_front_end_and_a_silo_that_prove_themselves_talk()
    {
        await using var frontEnd = new LinkBench(frontEndFiles, LinkRole.FrontEnd, LinkRole.Silo);
        var much = string.Concat(Enumerable.Range(0, 100_000).Select(number => number.ToString("x8", null)));

        Assert.Equal("bonjour", await LinkBench.Ask(frontEnd, gateway.Address, LinkRole.Silo, "bonjour"));
        Assert.Equal(much, await LinkBench.Ask(frontEnd, gateway.Address, LinkRole.Silo, much));
        Assert.Equal("salut", await LinkBench.Ask(siloPort, siloPort.Address, LinkRole.Silo, "salut"));
        Assert.Empty(gateway.Log.All);
    }

    [Fact]
    public async Task The_newest_protocol_that_both_know_is_spoken_and_none_before_1_2()
    {
        await using (var tls = await gateway.Open(ca.FrontEnd()))
            Assert.Equal(SslProtocols.Tls13, tls.SslProtocol);
        await using (var tls = await gateway.Open(ca.FrontEnd(), SslProtocols.Tls12))
        {
            Assert.Equal(SslProtocols.Tls12, tls.SslProtocol);
            Assert.Equal("bonjour", await LinkBench.Echo(tls, "bonjour"));
        }

#pragma warning disable SYSLIB0039, CA5397 // What is obsolete must be refused.
        await Assert.ThrowsAnyAsync<Exception>(() => gateway.Open(ca.FrontEnd(), SslProtocols.Tls11));
#pragma warning restore SYSLIB0039, CA5397
    }

    [Fact]
    public async Task Who_does_not_prove_the_role_that_the_port_is_for_is_refused()
    {
        await AssertRefused(gateway, null, LinkRefusal.NoCertificate);
        await AssertRefused(gateway, stranger.FrontEnd(), LinkRefusal.UnknownIssuer);
        await AssertRefused(gateway, ca.Silo(), LinkRefusal.WrongName);
        await AssertRefused(siloPort, ca.FrontEnd(), LinkRefusal.WrongName);
        await AssertRefused(siloPort, stranger.Silo(), LinkRefusal.UnknownIssuer);
        await AssertRefused(siloPort, ca.Issue([TestCa.SiloName], from: -2, to: -1), LinkRefusal.Expired);
        await AssertRefused(siloPort, ca.Issue([TestCa.SiloName], client: false), LinkRefusal.Certificate);
    }

    [Fact]
    public async Task A_name_counts_to_the_letter_and_nobody_bears_both()
    {
        foreach (var names in new string[][] { ["*.droits.internal"], [TestCa.SiloName + ".example"], [TestCa.SiloName, TestCa.FrontEndName], [] })
        {
            await using var port = new LinkBench(siloFiles, LinkRole.Silo, LinkRole.Silo);
            await AssertRefused(port, ca.Issue(names), LinkRefusal.WrongName);
        }
    }

    [Fact]
    public async Task Whoever_connects_refuses_a_silo_that_does_not_prove_itself()
    {
        using var strangerFiles = new TlsFiles(stranger.FrontEnd(), stranger.Root);
        await using var strangerFrontEnd = new LinkBench(strangerFiles, LinkRole.FrontEnd, LinkRole.Silo);
        await Assert.ThrowsAsync<ConnectionAbortedException>(() => LinkBench.Ask(strangerFrontEnd, gateway.Address, LinkRole.Silo, "bonjour"));
        Assert.Contains(nameof(LinkRefusal.UnknownIssuer), strangerFrontEnd.Log.All, StringComparison.Ordinal);

        // A front end that listens is no silo.
        await using var frontEnd = new LinkBench(frontEndFiles, LinkRole.FrontEnd, LinkRole.Silo);
        await Assert.ThrowsAsync<ConnectionAbortedException>(() => LinkBench.Ask(frontEnd, frontEnd.Address, LinkRole.Silo, "bonjour"));
        Assert.Contains(nameof(LinkRefusal.WrongName), frontEnd.Log.All, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_is_not_TLS_is_refused_at_once()
    {
        await using var clear = await gateway.OpenClear();
        var since = Stopwatch.StartNew();

        // The length of a preamble of the runtime, and its beginning.
        await clear.WriteAsync((byte[])[64, 0, 0, 0, .. new byte[64]], Stop);

        await AssertClosed(clear);
        Assert.True(since.Elapsed < Soon, "It was closed by the limit, or by nobody.");
        Assert.Equal(0, gateway.Taken);
        Assert.Contains(nameof(LinkRefusal.Handshake), gateway.Log.All, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("")]
    [InlineData("16030100")]
    public async Task Who_connects_and_says_no_more_is_let_go_at_the_limit(string saidInHex)
    {
        await using var silent = await gateway.OpenClear();
        await silent.WriteAsync(Convert.FromHexString(saidInHex), Stop);
        var end = AssertClosed(silent);
        await Task.WhenAny(end, Task.Delay(TimeSpan.FromMilliseconds(200), TimeProvider.System, Stop));
        Assert.False(end.IsCompleted);

        await AssertEndsAtTheLimit(gateway, end);

        Assert.Equal(0, gateway.Taken);
        Assert.Contains(nameof(LinkRefusal.Timeout), gateway.Log.All, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Whoever_connects_gives_up_on_who_says_nothing_at_the_limit()
    {
        using var silent = new TcpListener(IPAddress.Loopback, 0);
        silent.Start();
        await using var frontEnd = new LinkBench(frontEndFiles, LinkRole.FrontEnd, LinkRole.Silo);

        var asking = Assert.ThrowsAsync<ConnectionAbortedException>(
            () => LinkBench.Ask(frontEnd, (IPEndPoint)silent.LocalEndpoint, LinkRole.Silo, "bonjour"));

        await AssertEndsAtTheLimit(frontEnd, asking);
        Assert.Contains(nameof(LinkRefusal.Timeout), frontEnd.Log.All, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_rotation_leaves_links_that_are_up_and_new_ones_use_what_is_new()
    {
        var renewed = ca.Silo();
        await using var old = await gateway.Open(ca.FrontEnd());
        Assert.Equal("avant", await LinkBench.Echo(old, "avant"));
        var before = old.RemoteCertificate!.GetCertHashString();

        siloFiles.Write(renewed);
        gateway.Look();

        Assert.Equal("encore", await LinkBench.Echo(old, "encore"));
        await using var next = await gateway.Open(ca.FrontEnd());
        Assert.Equal("ensuite", await LinkBench.Echo(next, "ensuite"));
        Assert.Equal(renewed.Thumbprint, next.RemoteCertificate!.GetCertHashString());
        Assert.NotEqual(before, renewed.Thumbprint);
    }

    [Fact]
    public async Task A_root_that_is_taken_out_is_not_believed_any_more()
    {
        siloFiles.Trust(ca.Root, stranger.Root);
        gateway.Look();
        await using var old = await gateway.Open(ca.FrontEnd());
        await using (var next = await gateway.Open(stranger.FrontEnd()))
            Assert.Equal("nouvelle", await LinkBench.Echo(next, "nouvelle"));

        siloFiles.Write(stranger.Silo());
        siloFiles.Trust(stranger.Root);
        gateway.Look();

        await AssertRefused(gateway, ca.FrontEnd(), LinkRefusal.UnknownIssuer);
        Assert.Equal("ancienne", await LinkBench.Echo(old, "ancienne"));
    }

    [Fact]
    public async Task Files_that_are_broken_or_do_not_fit_never_replace_good_ones_and_raise_an_alarm_once()
    {
        using var alarms = new Count("droits.alarms", "configuration_file");
        await using var before = await gateway.Open(ca.FrontEnd());
        var good = before.RemoteCertificate!.GetCertHashString();
        var renewed = ca.Silo();

        foreach (var (path, content) in new[]
        {
            (siloFiles.Certificate, "broken"), (siloFiles.Certificate, ca.Issue([TestCa.SiloName], from: -2, to: -1).Chain),
            (siloFiles.Certificate, ca.FrontEnd().Chain), (siloFiles.Certificate, renewed.Chain), (siloFiles.Ca, stranger.Root),
        })
        {
            var kept = await File.ReadAllTextAsync(path, Stop);
            var errors = gateway.Log.Errors.Count;
            TlsFiles.Replace(path, content);
            gateway.Look();
            gateway.Look();

            Assert.Equal(errors + 1, gateway.Log.Errors.Count);
            await using (var next = await gateway.Open(ca.FrontEnd()))
                Assert.Equal(good, next.RemoteCertificate!.GetCertHashString());
            TlsFiles.Replace(path, kept);
            gateway.Look();
        }

        Assert.True(alarms.Total >= 5);
        Assert.DoesNotContain("subject", gateway.Log.All, StringComparison.Ordinal);
        Assert.DoesNotContain("PRIVATE KEY", gateway.Log.All, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Refusals_are_counted_each_and_logged_once_in_ten_seconds()
    {
        using var refused = new Count("droits.links.refused");
        for (var knock = 0; knock < 3; knock++)
            await AssertRefused(gateway, stranger.FrontEnd(), LinkRefusal.UnknownIssuer);
        Assert.Single(gateway.Log.All.Split('\n'));

        gateway.Time.Advance(TimeSpan.FromSeconds(10));
        await AssertRefused(gateway, stranger.FrontEnd(), LinkRefusal.UnknownIssuer);

        Assert.Equal(2, gateway.Log.All.Split('\n').Length);
        Assert.True(refused.Total >= 4);
        Assert.DoesNotContain("subject", gateway.Log.All, StringComparison.Ordinal);
    }

    private static async Task AssertRefused(LinkBench port, TestCertificate? certificate, LinkRefusal reason)
    {
        var taken = port.Taken;
        try
        {
            // In TLS 1.3 whoever connects learns of it when it reads.
            await using var tls = await port.Open(certificate);
            await AssertClosed(tls);
        }
        catch (Exception exception) when (exception is AuthenticationException or IOException)
        {
            // Or in the handshake.
        }

        Assert.Equal(taken, port.Taken);
        Assert.Contains(reason.ToString(), port.Log.All, StringComparison.Ordinal);
    }

    private static async Task AssertClosed(Stream stream)
    {
        try
        {
            Assert.Equal(0, await stream.ReadAsync(new byte[1], Stop).AsTask().WaitAsync(Soon, Stop));
        }
        catch (IOException)
        {
            // A reset, or an alert.
        }
    }

    private static async Task AssertEndsAtTheLimit(LinkBench bench, Task end)
    {
        var since = Stopwatch.StartNew();
        while (!end.IsCompleted && since.Elapsed < Soon)
        {
            bench.Time.Advance(TimeSpan.FromSeconds(4));
            await Task.WhenAny(end, Task.Delay(TimeSpan.FromMilliseconds(50), TimeProvider.System, Stop));
        }

        Assert.True(end.IsCompleted, "It still holds its connection.");
        await end;
    }

    private sealed class Count : IDisposable
    {
        private readonly MeterListener listener = new();
        private long total;

        public Count(string counter, string? tag = null)
        {
            listener.InstrumentPublished = (instrument, self) =>
            {
                if (instrument.Meter.Name == Telemetry.MeterName && instrument.Name == counter)
                    self.EnableMeasurementEvents(instrument);
            };
            listener.SetMeasurementEventCallback<long>((_, value, tags, _) =>
            {
                if (tag is null || tags.ToArray().Any(one => Equals(one.Value, tag)))
                    Interlocked.Add(ref total, value);
            });
            listener.Start();
        }

        public long Total => Interlocked.Read(ref total);

        public void Dispose() => listener.Dispose();
    }
}
