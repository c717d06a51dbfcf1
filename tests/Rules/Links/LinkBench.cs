using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Text;
using DroitsAmeli.Grains.Configuration;
using DroitsAmeli.Grains.Links;
using DroitsAmeli.Tests.Rules.Callers;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace DroitsAmeli.Tests.Rules.Links;

/// <summary>A process' links over real sockets: one that listens and echoes what it is sent, and one that connects.</summary>
internal sealed class LinkBench : IAsyncDisposable
{
    private readonly TcpListener listener = new(IPAddress.Loopback, 0);
    private readonly SocketConnectionContextFactory sockets = new(new SocketConnectionFactoryOptions(), NullLogger.Instance);
    private readonly CancellationTokenSource stop = new();
    private readonly List<Task> running = [];
    private readonly ReloadedFile<LinkCertificates> certificates;
    private readonly TlsSettings settings;
    private readonly Task accepting;

    /// <param name="files">Those of this process.</param>
    /// <param name="role">What this process is.</param>
    /// <param name="peer">What those that connect to it must be.</param>
    public LinkBench(TlsFiles files, LinkRole role, LinkRole peer)
    {
        settings = new() { CertificateFile = files.Certificate, KeyFile = files.Key, CaFile = files.Ca };
        certificates = new(
            [files.Certificate, files.Key, files.Ca],
            contents => LinkCertificates.Parse(role, settings, contents, Time),
            Time,
            Log);
        listener.Start();
        accepting = AcceptAll(Link(LinkSide.Accepts, peer));
    }

    /// <summary>Judges certificates and paces the looks at the files, and the handshakes when it is told to.</summary>
    public FakeTimeProvider Time { get; } = new(TimeProvider.System.GetUtcNow());

    public ListLogger<LinkRefusals> Log { get; } = new();

    public IPEndPoint Address => (IPEndPoint)listener.LocalEndpoint;

    /// <summary>Connections that reached what stands behind TLS.</summary>
    public int Taken { get; private set; }

    /// <summary>The chain of middleware of one kind of link.</summary>
    public TlsLink Link(LinkSide side, LinkRole peer) => new(side, peer, certificates, Options.Create(settings), new LinkRefusals(Time, Log), Time);

    /// <summary>Looks at the files as often as a fault needs to be told.</summary>
    public void Look()
    {
        for (var second = 0; second < 3; second++)
            Time.Advance(TimeSpan.FromSeconds(1));
    }

    /// <summary>Opens a link of this process to somebody who listens, and asks for an echo.</summary>
    public static async Task<string> Ask(LinkBench from, IPEndPoint to, LinkRole peer, string text)
    {
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
        await socket.ConnectAsync(to, TestContext.Current.CancellationToken);
        await using var context = from.sockets.Create(socket);
        var answer = "";
        await from.Link(LinkSide.Connects, peer).OnConnectionAsync(context, async connection =>
        {
            await using var stream = new DuplexPipeStream(connection.Transport);
            answer = await Echo(stream, text);
        });
        return answer;
    }

    /// <summary>Sends a text and reads as much back.</summary>
    public static async Task<string> Echo(Stream stream, string text)
    {
        var sent = Encoding.ASCII.GetBytes(text);
        var received = new byte[sent.Length];
        var reading = stream.ReadExactlyAsync(received, TestContext.Current.CancellationToken);
        await stream.WriteAsync(sent, TestContext.Current.CancellationToken);
        await stream.FlushAsync(TestContext.Current.CancellationToken);
        await reading;
        return Encoding.ASCII.GetString(received);
    }

    /// <summary>A client that is none of ours, and believes whatever is shown to it.</summary>
    public async Task<SslStream> Open(TestCertificate? certificate, SslProtocols protocols = SslProtocols.Tls13 | SslProtocols.Tls12)
    {
        var client = new TcpClient();
        await client.ConnectAsync(Address, TestContext.Current.CancellationToken);
        var tls = new SslStream(client.GetStream());
        await tls.AuthenticateAsClientAsync(
            new SslClientAuthenticationOptions
            {
                TargetHost = "whoever",
                EnabledSslProtocols = protocols,
                ClientCertificateContext = certificate is null ? null : SslStreamCertificateContext.Create(certificate.Open(), null, offline: true),
                RemoteCertificateValidationCallback = (_, shown, _, _) => shown is not null,
            },
            TestContext.Current.CancellationToken);
        return tls;
    }

    /// <summary>Connects and says nothing yet.</summary>
    public async Task<NetworkStream> OpenClear()
    {
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
        await socket.ConnectAsync(Address, TestContext.Current.CancellationToken);
        return new(socket, ownsSocket: true);
    }

    public async ValueTask DisposeAsync()
    {
        await stop.CancelAsync();
        listener.Dispose();
        await accepting;
        await Task.WhenAll(running);
        certificates.Dispose();
        sockets.Dispose();
        stop.Dispose();
    }

    private async Task AcceptAll(TlsLink link)
    {
        try
        {
            while (true)
                running.Add(Serve(link, await listener.AcceptSocketAsync(stop.Token)));
        }
        catch (Exception) when (stop.IsCancellationRequested)
        {
            // The bench is disposed of.
        }
    }

    // As the runtime does: whatever becomes of the connection, it is closed in the end.
    private async Task Serve(TlsLink link, Socket socket)
    {
        await using var context = sockets.Create(socket);
        await using var ending = stop.Token.Register(() => context.Abort());
        try
        {
            await link.OnConnectionAsync(context, EchoAll);
        }
        catch (Exception exception) when (exception is ConnectionAbortedException or IOException or OperationCanceledException)
        {
            // Refused, or gone.
        }
    }

    private async Task EchoAll(ConnectionContext context)
    {
        Taken++;
        var (input, output) = (context.Transport.Input, context.Transport.Output);
        while (true)
        {
            var result = await input.ReadAsync();
            foreach (var segment in result.Buffer)
                await output.WriteAsync(segment);
            input.AdvanceTo(result.Buffer.End);
            if (result.IsCompleted)
                return;
        }
    }
}
