using System.IO.Pipelines;
using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using DroitsAmeli.Grains.Configuration;
using Microsoft.AspNetCore.Connections;
using Microsoft.Extensions.Options;
using Orleans.Runtime.Messaging;

namespace DroitsAmeli.Grains.Links;

/// <summary>
/// One kind of link, under mutual TLS: nothing of a connection reaches the runtime before both ends have proved their roles, by chain and by
/// name, within <c>Cluster:Tls:HandshakeSeconds</c>. Each handshake uses the certificates that are in force then; links that are up stay.
/// </summary>
/// <param name="side">Which end of the link this process is.</param>
/// <param name="peer">What the other end must be.</param>
/// <param name="certificates">Followed while the process runs.</param>
/// <param name="options">The names, and the limit.</param>
/// <param name="refusals">Is told of each connection that was not taken.</param>
/// <param name="time">Paces the limit and judges certificates.</param>
internal sealed class TlsLink(
    LinkSide side, LinkRole peer, ReloadedFile<LinkCertificates> certificates, IOptions<TlsSettings> options, LinkRefusals refusals, TimeProvider time)
    : IConnectionMiddleware
{
    private const SslProtocols Accepted = SslProtocols.Tls13 | SslProtocols.Tls12;

    // The most that one record of TLS carries.
    private const int RecordSize = 16 * 1024;

    private readonly TlsSettings settings = options.Value;

    /// <exception cref="ConnectionAbortedException">The other end did not prove its role. The connection is closed.</exception>
    public async Task OnConnectionAsync(ConnectionContext context, ConnectionDelegate next)
    {
        var clear = context.Transport;
        await using var tls = new SslStream(new DuplexPipeStream(clear));
        if (await Handshake(tls) is { } refusal)
        {
            refusals.Add(side, peer, refusal, context.RemoteEndPoint);
            var reason = new ConnectionAbortedException($"The other end did not prove to be a {peer}: {refusal}.");
            context.Abort(reason);
            throw reason;
        }

        var pipe = new TlsPipe(
            PipeReader.Create(tls, new StreamPipeReaderOptions(bufferSize: RecordSize, leaveOpen: true)),
            PipeWriter.Create(tls, new StreamPipeWriterOptions(minimumBufferSize: RecordSize, leaveOpen: true)));
        context.Transport = pipe;
        try
        {
            await next(context);
        }
        finally
        {
            await pipe.Input.CompleteAsync();
            await pipe.Output.CompleteAsync();
            context.Transport = clear;
        }
    }

    private async Task<LinkRefusal?> Handshake(SslStream tls)
    {
        LinkRefusal? refused = null;
        var inForce = certificates.Current;
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(settings.HandshakeSeconds), time);
        try
        {
            await (side is LinkSide.Accepts ? Accept(limit.Token) : Connect(limit.Token));
            return null;
        }
        catch (Exception)
        {
            return refused ?? (limit.IsCancellationRequested ? LinkRefusal.Timeout : LinkRefusal.Handshake);
        }

        Task Accept(CancellationToken cancellationToken) => tls.AuthenticateAsServerAsync(
            new SslServerAuthenticationOptions
            {
                EnabledSslProtocols = Accepted,
                ServerCertificateContext = inForce.Own,
                ClientCertificateRequired = true,
                CertificateChainPolicy = inForce.PolicyFor(LinkSide.Connects, time),
                RemoteCertificateValidationCallback = Check,

                // A session that is resumed would answer for a certificate that may be refused by now.
                AllowTlsResume = false,
                AllowRenegotiation = false,
            },
            cancellationToken);

        Task Connect(CancellationToken cancellationToken) => tls.AuthenticateAsClientAsync(
            new SslClientAuthenticationOptions
            {
                EnabledSslProtocols = Accepted,
                TargetHost = settings.NameOf(peer),
                ClientCertificateContext = inForce.Own,
                CertificateChainPolicy = inForce.PolicyFor(LinkSide.Accepts, time),
                RemoteCertificateValidationCallback = Check,
                AllowTlsResume = false,
                AllowRenegotiation = false,
            },
            cancellationToken);

        bool Check(object sender, X509Certificate? certificate, X509Chain? chain, SslPolicyErrors errors)
        {
            refused = certificate switch
            {
                not X509Certificate2 => LinkRefusal.NoCertificate,
                _ when chain is null || errors.HasFlag(SslPolicyErrors.RemoteCertificateNotAvailable) => LinkRefusal.NoCertificate,
                _ when errors.HasFlag(SslPolicyErrors.RemoteCertificateChainErrors) => LinkCertificates.RefusalOf(chain),
                X509Certificate2 known when !LinkCertificates.Bears(known, settings, peer) => LinkRefusal.WrongName,
                _ => null,
            };
            return refused is null;
        }
    }

    private sealed record TlsPipe(PipeReader Input, PipeWriter Output) : IDuplexPipe;
}
