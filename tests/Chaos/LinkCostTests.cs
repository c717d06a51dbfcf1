using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Text.Json.Nodes;
using DroitsAmeli.Load.Links;

namespace DroitsAmeli.Tests.Chaos;

public sealed class LinkCostTests
{
    private static readonly TimeSpan HandshakeLimit = TimeSpan.FromSeconds(10);

    [Fact]
    public async Task It_is_measured_on_right_answers_of_a_cluster_in_clear_and_of_one_under_TLS()
    {
        var options = Scale.Of(new LinkCostOptions { Familles = 20, Turn = TimeSpan.FromSeconds(1), Repeats = 2 }, new LinkCostOptions());
        await Scenario.Run(LinkCost.Describe(options, mutualTls: false), (clear, _) => Scenario.Run(LinkCost.Describe(options, mutualTls: true), async (tls, stop) =>
        {
            Assert.Equal((false, true), (await SpeaksTls(clear.GatewayPort, stop), await SpeaksTls(tls.GatewayPort, stop)));

            var report = await LinkCost.Measure(options, clear, tls, stop);

            Figures.Add(
                "TLS", $"CPU per hot read in clear and under mutual TLS, {options.Repeats} turns each of {options.Turn.TotalSeconds:0} s",
                $"clear {report.Clear.Median:0.0} µs, TLS {report.Tls.Median:0.0}, cost {report.Cost.Median:0.0} ({report.Cost.Least:0.0} to {report.Cost.Most:0.0})", "told",
                ("clear", report.Clear.Median), ("tls", report.Tls.Median), ("cost", report.Cost.Median));
            Assert.Equal(options.Repeats, report.Pairs.Count);
            foreach (var turn in report.Pairs.SelectMany(pair => new[] { pair.Clear, pair.Tls }))
                Assert.True(turn.Reads >= 2 * options.Familles && turn.FrontEnds > TimeSpan.Zero && turn.Silos > TimeSpan.Zero, turn.ToString());
        }));
    }

    [Fact]
    public void It_is_told_by_pairs_of_turns_with_median_and_range()
    {
        var report = new LinkCostReport(new() { Repeats = 3 }, [Pair(40, 46), Pair(50, 54), Pair(60, 65)]);

        Assert.Equal(new Spread(50, 40, 60), report.Clear);
        Assert.Equal(new Spread(5, 4, 6), report.Cost);
        Assert.Contains("median of 3 (range): clear 50.0 (40.0 to 60.0), TLS 54.0 (46.0 to 65.0), cost of TLS 5.0 (4.0 to 6.0)", report.ToString(), StringComparison.Ordinal);
        var json = JsonNode.Parse(report.ToJson((0.5, 1)))!;
        Assert.Equal((5.0, 4.0, 6.0), ((double)json["cost"]!["median"]!, (double)json["cost"]!["least"]!, (double)json["cost"]!["most"]!));
        Assert.Equal(46.0, (double)json["turns"]![0]!["tls"]!["perRead"]!);
    }

    [Fact]
    public void The_median_of_an_even_number_lies_between_the_two_in_the_middle() => Assert.Equal(new Spread(2.5, 1, 9), Spread.Of([9, 2, 1, 3]));

    // The front end's part is three quarters, of 1,000 reads.
    private static LinkPair Pair(double clear, double tls) => new(Turn(clear), Turn(tls));

    private static LinkTurn Turn(double perRead) => new(1000, TimeSpan.FromMilliseconds(perRead * 0.75), TimeSpan.FromMilliseconds(perRead * 0.25));

    /// <summary>Whether a port shows a certificate to who asks for TLS.</summary>
    private static async Task<bool> SpeaksTls(int port, CancellationToken stop)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(stop);
        limit.CancelAfter(HandshakeLimit);
        using var client = new TcpClient();
        await client.ConnectAsync(IPAddress.Loopback, port, stop);
        var shown = false;
        await using var tls = new SslStream(client.GetStream());
        try
        {
            await tls.AuthenticateAsClientAsync(
                new SslClientAuthenticationOptions { TargetHost = "silo", RemoteCertificateValidationCallback = (_, certificate, _, _) => shown = certificate is not null },
                limit.Token);
        }
        catch (Exception refused) when (refused is IOException or AuthenticationException || (refused is OperationCanceledException && !stop.IsCancellationRequested))
        {
            // Whether it was shown is known by then.
        }

        return shown;
    }
}
