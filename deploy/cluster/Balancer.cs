using System.Globalization;

namespace DroitsAmeli.LocalCluster;

/// <summary>HAProxy before the front ends: it asks each whether it is ready, and sends nothing to one that is not.</summary>
internal static class Balancer
{
    /// <summary>The program, from <c>DROITS_HAPROXY</c> or the PATH; null when it is not installed.</summary>
    public static string? Find()
    {
        var candidates = Environment.GetEnvironmentVariable("DROITS_HAPROXY") is { Length: > 0 } named
            ? [named]
            : (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':', StringSplitOptions.RemoveEmptyEntries)
                .Append("/usr/sbin")
                .Select(folder => Path.Combine(folder, "haproxy"));
        return candidates.FirstOrDefault(File.Exists);
    }

    /// <summary>Its configuration.</summary>
    /// <param name="port">Where it listens, on 127.0.0.1.</param>
    /// <param name="frontEnds">Those that it serves, with their ports on 127.0.0.1.</param>
    public static string Configuration(int port, IEnumerable<(string Name, int Port)> frontEnds)
    {
        var servers = frontEnds.Select(frontEnd => string.Create(
            CultureInfo.InvariantCulture, $"    server {frontEnd.Name} 127.0.0.1:{frontEnd.Port}"));
        return string.Create(CultureInfo.InvariantCulture, $"""
            global
                maxconn 4096

            defaults
                mode http
                timeout connect 1s
                timeout client 30s
                # The front end's own deadline is 8 s.
                timeout server 10s
                timeout check 1s
                # What no front end has begun to answer goes to another one; every call is a read.
                retries 3
                option redispatch 1
                retry-on conn-failure empty-response

            frontend partenaires
                bind 127.0.0.1:{port}
                default_backend api

            backend api
                balance roundrobin
                option httpchk GET /health/ready
                default-server check inter 500ms fastinter 200ms fall 2 rise 1
            {string.Join('\n', servers)}

            """);
    }
}
