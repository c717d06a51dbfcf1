using System.Globalization;

namespace DroitsAmeli.LocalCluster;

/// <summary>A command as it was typed.</summary>
/// <param name="Name">Which one.</param>
/// <param name="Target">The process it is about: a silo's number or a process' name.</param>
/// <param name="State">The folder of <c>--state</c>.</param>
/// <param name="Json">Whether the answer is for programs.</param>
/// <param name="Up">What <c>up</c> starts.</param>
internal sealed record CommandLine(string Name, string? Target, string? State, bool Json, UpOptions Up)
{
    public const string Usage = """
        usage: deploy/local-cluster up [--silos 3] [--front-ends 2] [--haproxy] [--families 100000] [--no-build] [-- --Setting=value …]
               deploy/local-cluster add-silo
               deploy/local-cluster drain <number of a silo, or api-1>
               deploy/local-cluster kill <number of a silo, or a process' name>
               deploy/local-cluster restart <number of a silo, or a process' name>
               deploy/local-cluster status [--json]
               deploy/local-cluster down
        Each takes --state <folder>; by default it is droits-ameli below $XDG_STATE_HOME, or below ~/.local/state.
        The settings after -- are given to silos and front ends. Cluster:ConnectionString among them, or in the environment, names the database
        to use; without it a PostgreSQL server is started for the cluster.
        """;

    private const int Most = 64;
    private const long MostFamilies = 100_000_000;
    private const string ClusterDatabase = "Cluster:ConnectionString";
    private const string StorageDatabase = "Storage:ConnectionString";

    private static readonly string[] Chosen =
    [
        "urls", "Admin:Urls", "Admin:KeysSha256", "Cluster:Mode", "Cluster:ClusterId", "Cluster:ServiceId", "Cluster:AdvertisedIPAddress",
        "Cluster:SiloPort", "Cluster:GatewayPort", "Conventions:File", "FranceConnect:Issuer", "FranceConnect:ChecktokenEndpoint",
        "FranceConnect:PrivateJwksFile", "FranceConnect:PublicJwksFile", "Identities:HmacKeyFile", "RegimeSi:BaseUrl", "RegimeSi:ApiKey", "Storage:KeysFile",
    ];

    /// <summary>Reads the arguments.</summary>
    /// <exception cref="UsageException">They are not those of a command; the message is the usage, after what is wrong.</exception>
    public static CommandLine Parse(IReadOnlyList<string> args)
    {
        var own = args.TakeWhile(arg => arg != "--").ToList();
        var line = new CommandLine(own.FirstOrDefault() ?? throw Refuse("there is no command"), null, null, false, new());
        for (var index = 1; index < own.Count; index++)
        {
            line = (line.Name, own[index]) switch
            {
                (_, "--state") => line with { State = Value() },
                ("up", "--silos") => line with { Up = line.Up with { Silos = (int)Number(Most) } },
                ("up", "--front-ends") => line with { Up = line.Up with { FrontEnds = (int)Number(Most) } },
                ("up", "--families") => line with { Up = line.Up with { Families = Number(MostFamilies) } },
                ("up", "--haproxy") => line with { Up = line.Up with { HaProxy = true } },
                ("status", "--json") => line with { Json = true },
                ("drain" or "kill" or "restart", [not '-', ..] target) when line.Target is null => line with { Target = target },
                var (_, unknown) => throw Refuse($"{unknown} is not an option of {line.Name}"),
            };

            string Value() => ++index < own.Count ? own[index] : throw Refuse($"{own[index - 1]} needs a value");

            long Number(long most) =>
                long.TryParse(Value(), NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number >= 1 && number <= most
                    ? number
                    : throw Refuse($"{own[index - 1]} must be from 1 to {most.ToString(CultureInfo.InvariantCulture)}");
        }

        var settings = args.Skip(own.Count + 1).ToList();
        return line.Name switch
        {
            "up" => line with { Up = WithSettings(line.Up, settings) },
            _ when settings.Count > 0 => throw Refuse("settings are those of up"),
            "drain" or "kill" or "restart" when line.Target is null => throw Refuse($"{line.Name} what?"),
            "add-silo" or "drain" or "kill" or "restart" or "status" or "down" => line,
            _ => throw Refuse($"{line.Name} is not a command"),
        };
    }

    private static UpOptions WithSettings(UpOptions up, List<string> settings)
    {
        var kept = new List<string>();
        var databases = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase);
        foreach (var setting in settings)
        {
            if (setting.Split('=', 2) is not [['-', '-', .. { Length: > 0 } name], var value])
                throw Refuse($"{setting} is not of the form --Setting=value");
            if (Chosen.Contains(name, StringComparer.OrdinalIgnoreCase))
                throw Refuse($"{name} is chosen by the cluster itself");
            if (name.Equals(ClusterDatabase, StringComparison.OrdinalIgnoreCase) || name.Equals(StorageDatabase, StringComparison.OrdinalIgnoreCase))
                databases[name] = value;
            else
                kept.Add(setting);
        }

        var cluster = Database(ClusterDatabase);
        var storage = Database(StorageDatabase);
        return cluster is null && storage is not null
            ? throw Refuse($"{StorageDatabase} is configured, and {ClusterDatabase} is not")
            : up with { Settings = kept, ClusterDatabase = cluster, StorageDatabase = storage };

        string? Database(string name) =>
            (databases.GetValueOrDefault(name) ?? Environment.GetEnvironmentVariable(name.Replace(":", "__", StringComparison.Ordinal))) is { Length: > 0 } given ? given : null;
    }

    private static UsageException Refuse(string reason) => new($"local-cluster: {reason}\n{Usage}");
}
