using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;

namespace DroitsAmeli.Grains.Configuration;

/// <summary>
/// <c>health</c>: asks the process that runs with the same settings on this machine whether it lives, for containers whose image has neither a
/// shell nor an HTTP client.
/// </summary>
public static class HealthCommand
{
    public const string Name = "health";

    private const string Live = "/health/live";
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(4);
    private static readonly HashSet<string> AnyAddress = ["*", "+", "0.0.0.0", "[::]"];

    /// <summary>Asks at the first address of a setting.</summary>
    /// <param name="args">Settings of the process that is asked.</param>
    /// <param name="setting">Where it listens.</param>
    /// <param name="fallback">Where it listens when that is not set.</param>
    /// <returns>The exit code: 0 when it lives, 1 when it does not say so within 4 s, with the reason in one line on the error output.</returns>
    public static async Task<int> Run(string[] args, string setting, string fallback)
    {
        var configured = WebApplication.CreateSlimBuilder(args).Configuration[setting];
        try
        {
            var address = BindingAddress.Parse((string.IsNullOrEmpty(configured) ? fallback : configured).Split(';')[0]);
            var host = AnyAddress.Contains(address.Host) ? IPAddress.Loopback.ToString() : address.Host;
            using var http = new HttpClient(new SocketsHttpHandler { UseProxy = false }) { Timeout = Limit };
            using var answer = await http.GetAsync(new UriBuilder(address.Scheme, host, address.Port, Live).Uri);
            if (answer.IsSuccessStatusCode)
                return 0;
            await Console.Error.WriteLineAsync($"{Live} answered {(int)answer.StatusCode}.");
        }
        catch (Exception exception) when (exception is HttpRequestException or TaskCanceledException or FormatException)
        {
            await Console.Error.WriteLineAsync($"{setting}: {exception.Message}");
        }

        return 1;
    }
}
