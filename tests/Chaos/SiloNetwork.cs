using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Text.Json.Nodes;
using DroitsAmeli.Load.Processes;

namespace DroitsAmeli.Tests.Chaos;

/// <summary>
/// A network whose silos can be cut off from each other: a network namespace of Linux for each, all plugged into one switch, as is this machine.
/// The switch has a namespace too, so that no firewall of the machine stands between silos. 127.0.0.1 is the machine's for the silos as well: they
/// reach the database and the simulators where these listen. What is cut is lost in silence, nobody is told that a connection has gone.
/// </summary>
internal sealed class SiloNetwork : IDisposable
{
    private const string Prefix = "droits-";
    private const string Switch = "switch";
    private const string Machine = "machine";
    private const string Plug = "eth0";
    private const string Loopback = "127.0.0.1";
    private const int FirstSilo = 10;

    // The address of no interface: what is sent there reaches nobody.
    private const string Nowhere = "02:00:00:00:00:01";

    private readonly Stack<Action> mends = new();
    private readonly EventHandler atExit = (_, _) => Remove(Environment.ProcessId);

    private SiloNetwork(int silos)
    {
        AppDomain.CurrentDomain.ProcessExit += atExit;
        Range = FreeRange();
        Hosts = [.. Enumerable.Range(0, silos).Select(silo => new SiloHost(Address(FirstSilo + silo), ["ip", "netns", "exec", Silo(silo)]))];
    }

    /// <summary>The addresses of the silos, and this machine's among them.</summary>
    public IPNetwork Range { get; }

    /// <summary>Where each silo runs.</summary>
    public IReadOnlyList<SiloHost> Hosts { get; }

    private static string SwitchSpace => Space(Environment.ProcessId, Switch);

    /// <summary>Makes it. The test that asks is skipped where that is not allowed; what runs that have died left behind is removed first.</summary>
    /// <exception cref="InvalidOperationException">It cannot be made; the message holds what <c>ip</c> said.</exception>
    public static SiloNetwork Create(int silos)
    {
        const string cannot = "The network between silos cannot be cut here: ";
        Assert.SkipUnless(Environment.IsPrivilegedProcess, cannot + "only root makes network namespaces.");
        Assert.SkipUnless(
            (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':').Any(folder => File.Exists(Path.Combine(folder, "ip"))),
            cannot + "no ip: install it (apt-get install iproute2).");
        foreach (var owner in Spaces().Select(OwnerOf).Distinct().Where(owner => owner == Environment.ProcessId || !Directory.Exists($"/proc/{Text(owner)}")))
            Remove(owner);

        var network = new SiloNetwork(silos);
        try
        {
            var refused = network.MakeSwitch();
            Assert.SkipWhen(refused is not null, cannot + refused);
            for (var silo = 0; silo < silos; silo++)
                network.Make(silo);
            return network;
        }
        catch
        {
            network.Dispose();
            throw;
        }
    }

    /// <summary>Cuts a silo off from all others; it reaches this machine, and is reached from it.</summary>
    public void CutOffFromSilos(int silo)
    {
        for (var other = 0; other < Hosts.Count; other++)
        {
            if (other == silo)
                continue;
            Lose(silo, other);
            Lose(other, silo);
        }
    }

    /// <summary>Cuts a silo off from everything.</summary>
    public void CutOff(int silo)
    {
        Ip("-n", SwitchSpace, "link", "set", Port(silo), "down");
        mends.Push(() => Ip("-n", SwitchSpace, "link", "set", Port(silo), "up"));
    }

    /// <summary>Joins again whatever was cut.</summary>
    public void Mend()
    {
        while (mends.TryPop(out var mend))
            mend();
    }

    public void Dispose()
    {
        AppDomain.CurrentDomain.ProcessExit -= atExit;
        Remove(Environment.ProcessId);
    }

    /// <summary>The switch, and this machine plugged into it; gives why that is not allowed, null when it is.</summary>
    private string? MakeSwitch()
    {
        var link = Link(Environment.ProcessId);
        string[][] asked =
        [
            ["netns", "add", SwitchSpace],
            ["-n", SwitchSpace, "link", "add", "name", Switch, "type", "bridge"],
            ["link", "add", "name", link, "type", "veth", "peer", "name", Machine, "netns", SwitchSpace],
        ];
        foreach (var command in asked)
        {
            if (Run(command) is (not 0, _, var said))
                return $"ip {string.Join(' ', command)}: {said.Trim()}";
        }

        Ip("-n", SwitchSpace, "link", "set", Switch, "up");
        Ip("-n", SwitchSpace, "link", "set", Machine, "master", Switch, "up");
        Ip("addr", "add", $"{Address(1)}/{Text(Range.PrefixLength)}", "dev", link);
        Ip("link", "set", link, "up");
        File.WriteAllText(TakesLoopback(link), "1");
        return null;
    }

    private void Make(int silo)
    {
        Ip("netns", "add", Silo(silo));
        Ip("-n", SwitchSpace, "link", "add", "name", Port(silo), "type", "veth", "peer", "name", Plug, "netns", Silo(silo));
        Ip("-n", SwitchSpace, "link", "set", Port(silo), "master", Switch, "up");
        Ip("-n", Silo(silo), "addr", "add", $"{Hosts[silo].Address}/{Text(Range.PrefixLength)}", "dev", Plug);
        Ip("-n", Silo(silo), "link", "set", Plug, "up");

        // Its own 127.0.0.1 gives way to the machine's.
        Ip("-n", Silo(silo), "link", "set", "lo", "up");
        Ip("-n", Silo(silo), "addr", "del", $"{Loopback}/8", "dev", "lo");
        Ip("-n", Silo(silo), "route", "add", Loopback, "via", Address(1), "dev", Plug);
        Ip("netns", "exec", Silo(silo), "sh", "-c", $"echo 1 >{TakesLoopback(Plug)}");
    }

    private void Lose(int from, int to)
    {
        Ip("-n", Silo(from), "neigh", "replace", Hosts[to].Address, "lladdr", Nowhere, "dev", Plug, "nud", "permanent");
        mends.Push(() => Ip("-n", Silo(from), "neigh", "del", Hosts[to].Address, "dev", Plug));
    }

    private string Address(int host)
    {
        var bytes = Range.BaseAddress.GetAddressBytes();
        bytes[^1] = (byte)host;
        return new IPAddress(bytes).ToString();
    }

    // By process, so that two runs do not meet.
    private static IPNetwork FreeRange()
    {
        var taken = JsonNode.Parse(Ip("-4", "-json", "route", "show", "table", "all"))!.AsArray()
            .Select(route => (string)route!["dst"]!)
            .Select(to => IPNetwork.TryParse(to.Contains('/', StringComparison.Ordinal) ? to : to + "/32", out var range) ? range : default)
            .Where(range => range.PrefixLength > 0)
            .ToList();
        return Enumerable.Range(Environment.ProcessId, 256)
            .Select(number => new IPNetwork(new IPAddress([10, 213, (byte)number, 0]), 24))
            .First(range => !taken.Exists(other => other.Contains(range.BaseAddress) || range.Contains(other.BaseAddress)));
    }

    private static void Remove(int owner)
    {
        foreach (var space in Spaces().Where(space => OwnerOf(space) == owner))
        {
            foreach (var process in Run("netns", "pids", space).Output.Split('\n', StringSplitOptions.RemoveEmptyEntries))
                Kill(int.Parse(process, CultureInfo.InvariantCulture));
            Run("netns", "del", space);
        }

        Run("link", "del", Link(owner));
    }

    private static void Kill(int id)
    {
        try
        {
            using var process = Process.GetProcessById(id);
            process.Kill();
        }
        catch (Exception exception) when (exception is ArgumentException or InvalidOperationException)
        {
            // It has ended by itself.
        }
    }

    private static IEnumerable<string> Spaces() => Run("netns", "list").Output.Split('\n').Select(line => line.Split(' ')[0]).Where(space => OwnerOf(space) > 0);

    private static string Space(int owner, string name) => $"{Prefix}{Text(owner)}-{name}";

    /// <summary>The process that made a namespace; 0 when it is none of ours.</summary>
    private static int OwnerOf(string space) =>
        space.StartsWith(Prefix, StringComparison.Ordinal) && int.TryParse(space[Prefix.Length..].Split('-')[0], NumberStyles.None, CultureInfo.InvariantCulture, out var owner)
            ? owner
            : 0;

    private static string Silo(int silo) => Space(Environment.ProcessId, Port(silo));

    private static string Port(int silo) => $"silo-{Text(silo)}";

    // No longer than 15 characters.
    private static string Link(int owner) => $"droits{Text(owner)}";

    private static string TakesLoopback(string link) => $"/proc/sys/net/ipv4/conf/{link}/route_localnet";

    private static string Ip(params string[] args) => Run(args) switch
    {
        (0, var output, _) => output,
        var (code, _, said) => throw new InvalidOperationException($"ip {string.Join(' ', args)} ended with exit code {Text(code)}: {said.Trim()}"),
    };

    private static (int Code, string Output, string Said) Run(params string[] args)
    {
        using var process = Process.Start(new ProcessStartInfo("ip", args) { RedirectStandardOutput = true, RedirectStandardError = true })!;
        var said = process.StandardError.ReadToEndAsync();
        var output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return (process.ExitCode, output, said.GetAwaiter().GetResult());
    }

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);
}
