using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace DroitsAmeli.Load.Processes;

/// <summary>TCP ports of this machine.</summary>
internal static class Loopback
{
    /// <summary>As many different ports as asked for, free now.</summary>
    public static int[] FreePorts(int count)
    {
        var listeners = Enumerable.Range(0, count).Select(_ => new TcpListener(IPAddress.Loopback, 0)).ToList();
        try
        {
            listeners.ForEach(listener => listener.Start());
            return [.. listeners.Select(listener => ((IPEndPoint)listener.LocalEndpoint).Port)];
        }
        finally
        {
            listeners.ForEach(listener => listener.Dispose());
        }
    }

    public static Uri Url(int port, string path = "/") => new($"http://127.0.0.1:{port.ToString(CultureInfo.InvariantCulture)}{path}");
}
