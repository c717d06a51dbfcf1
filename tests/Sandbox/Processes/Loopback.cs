using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace DroitsAmeli.Tests.Sandbox.Processes;

/// <summary>TCP ports of this machine.</summary>
internal static class Loopback
{
    // Below those that the kernel lends to outgoing connections: what is free now is not taken by one before a server has started.
    private const int First = 20_000;
    private const int Last = 32_000;
    private const string Established = "01";
    private const string Listening = "0A";
    private const int LocalAddress = 1;
    private const int RemoteAddress = 2;
    private const int State = 3;
    private const int Inode = 9;
    private static readonly HashSet<int> given = [];

    /// <summary>As many different ports as asked for, free now, and given to nobody before.</summary>
    public static int[] FreePorts(int count)
    {
        lock (given)
            return [.. Enumerable.Range(0, Last - First).Select(_ => Random.Shared.Next(First, Last)).Where(port => IsFree(port) && given.Add(port)).Take(count)];
    }

    public static string Url(int port, string path = "") => $"http://127.0.0.1:{port.ToString(CultureInfo.InvariantCulture)}{path}";

    /// <summary>Whether somebody accepts connections there.</summary>
    public static async Task<bool> Accepts(int port)
    {
        using var client = new TcpClient();
        try
        {
            await client.ConnectAsync(IPAddress.Loopback, port, TestContext.Current.CancellationToken);
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }

    /// <summary>Where that process listens, as the kernel tells it.</summary>
    public static IReadOnlyList<IPEndPoint> ListenersOf(int process) => [.. SocketsOf(process, Listening).Select(row => Read(row[LocalAddress]))];

    /// <summary>The connections of that process that are up, both ends, as the kernel tells it.</summary>
    public static IReadOnlyList<(IPEndPoint Local, IPEndPoint Remote)> ConnectionsOf(int process) =>
        [.. SocketsOf(process, Established).Select(row => (Read(row[LocalAddress]), Read(row[RemoteAddress])))];

    private static bool IsFree(int port)
    {
        using var listener = new TcpListener(IPAddress.Loopback, port);
        try
        {
            listener.Start();
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }

    private static IEnumerable<string[]> SocketsOf(int process, string state)
    {
        var sockets = Directory.EnumerateFileSystemEntries($"/proc/{process}/fd")
            .Select(entry => new FileInfo(entry).LinkTarget ?? "")
            .Where(target => target.StartsWith("socket:[", StringComparison.Ordinal))
            .Select(target => target["socket:[".Length..^1])
            .ToHashSet(StringComparer.Ordinal);
        return new[] { "tcp", "tcp6" }
            .SelectMany(table => File.ReadLines($"/proc/{process}/net/{table}").Skip(1))
            .Select(line => line.Split(' ', StringSplitOptions.RemoveEmptyEntries))
            .Where(row => row[State] == state && sockets.Contains(row[Inode]));
    }

    // The kernel prints an address as 32-bit words in the machine's byte order.
    private static IPEndPoint Read(string text)
    {
        var (address, port) = (text.Split(':')[0], text.Split(':')[1]);
        var bytes = address.Chunk(8).SelectMany(word => BitConverter.GetBytes(Convert.ToUInt32(new string(word), 16))).ToArray();
        return new IPEndPoint(new IPAddress(bytes), int.Parse(port, NumberStyles.HexNumber, CultureInfo.InvariantCulture));
    }
}
