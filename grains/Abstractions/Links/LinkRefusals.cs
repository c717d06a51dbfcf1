using System.Collections.Concurrent;
using System.Net;
using Microsoft.Extensions.Logging;

namespace DroitsAmeli.Grains.Links;

/// <summary>Counts the connections that were not taken, and logs them without letting whoever knocks fill the log.</summary>
internal sealed partial class LinkRefusals(TimeProvider time, ILogger<LinkRefusals> logger)
{
    private static readonly TimeSpan Quiet = TimeSpan.FromSeconds(10);

    private readonly ConcurrentDictionary<(LinkSide, LinkRole, LinkRefusal), long> spoken = new();

    /// <summary>One connection was not taken.</summary>
    public void Add(LinkSide side, LinkRole peer, LinkRefusal refusal, EndPoint? remote)
    {
        Telemetry.LinksRefused.Add(1, new("side", side.ToString()), new("peer", peer.ToString()), new("reason", refusal.ToString()));

        var now = time.GetTimestamp();
        var kind = (side, peer, refusal);
        if (spoken.TryGetValue(kind, out var last) ? time.GetElapsedTime(last, now) >= Quiet && spoken.TryUpdate(kind, now, last) : spoken.TryAdd(kind, now))
            LogRefused(remote?.ToString() ?? "?", side is LinkSide.Accepts ? "from" : "to", peer, refusal);
    }

    [LoggerMessage(
        Level = LogLevel.Warning,
        Message = "The connection {Direction} {Remote} was refused: it did not prove to be a {Peer}, {Reason}. See that its certificate comes from a root of Cluster:Tls:CaFile and bears the name of its role; a stranger has to be kept from this port. Others like it are counted, one in 10 s is told.")]
    private partial void LogRefused(string remote, string direction, LinkRole peer, LinkRefusal reason);
}
