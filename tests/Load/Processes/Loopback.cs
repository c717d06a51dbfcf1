using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace DroitsAmeli.Load.Processes;

/// <summary>TCP ports of this machine.</summary>
internal static class Loopback
{
    // Below those that the kernel lends to outgoing connections and to whoever asks for any port: what is free now is not given to another program
    // before a server has started, nor while a server that was killed is away.
    private const int First = 20_000;
    private const int Last = 32_000;

    /// <summary>As many different ports as asked for, free now.</summary>
    /// <exception cref="InvalidOperationException">There are not so many.</exception>
    public static int[] FreePorts(int count)
    {
        var range = Last - First;
        var start = Random.Shared.Next(range);
        var ports = Enumerable.Range(0, range).Select(step => First + (start + step) % range).Where(IsFree).Take(count).ToArray();
        return ports.Length == count ? ports : throw new InvalidOperationException($"Fewer than {count} ports of 127.0.0.1 from {First} to {Last} are free.");
    }

    public static Uri Url(int port, string path = "/") => new($"http://127.0.0.1:{port.ToString(CultureInfo.InvariantCulture)}{path}");

    private static bool IsFree(int port)
    {
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            socket.Bind(new IPEndPoint(IPAddress.Loopback, port));
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }
}
