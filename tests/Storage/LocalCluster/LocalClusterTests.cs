using System.Diagnostics;
using System.Globalization;
using System.Text.Json.Nodes;

namespace DroitsAmeli.Tests.Storage.LocalCluster;

/// <summary><c>deploy/local-cluster</c>, as an operator types it.</summary>
public sealed class LocalClusterTests(ITestOutputHelper output)
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Silos_come_and_go_while_visits_are_answered_and_nothing_is_left_in_the_end()
    {
        Databases.SkipWithoutPostgres();
        await using var cluster = new ClusterScript();
        var welcome = await cluster.Succeeds("up", "--silos", "2", "--front-ends", "2", "--", "--Freshness:FreshMinutes=5");
        output.WriteLine(welcome);
        Assert.Contains("\"prenom\":\"Alice\"", await Shell.Run(welcome.Split('\n')[^1]), StringComparison.Ordinal);

        var status = await cluster.Status();
        Assert.Equal(
            ["api-1", "api-2", "franceconnect", "postgres", "regime-si", "silo-1", "silo-2"], Names(status).Order(StringComparer.Ordinal));
        Assert.All(Processes(status), process => Assert.True((bool)process["live"]! && (bool)process["ready"]!, process.ToJsonString()));
        var apis = new[] { Port(status, "api-1", "http"), Port(status, "api-2", "http") };
        using var visitor = new Visitor(Port(status, "franceconnect", "http"));
        foreach (var (api, persona) in apis.Zip(["famille-1", "famille-2"]))
            Assert.Empty(await visitor.Visit(api, persona));

        var again = await cluster.Run("up");
        Assert.Equal(1, again.ExitCode);
        Assert.StartsWith($"There is a cluster in {cluster.State}, ", again.Errors, StringComparison.Ordinal);

        using var enough = new CancellationTokenSource();
        var visits = Enumerable.Range(0, 4).Select(visitorNumber => VisitUntil(visitor, apis, visitorNumber, enough.Token)).ToList();
        Assert.Equal("silo-3 prêt", await cluster.Succeeds("add-silo"));
        Assert.StartsWith("silo-1 arrêté en ", await cluster.Succeeds("drain", "1"), StringComparison.Ordinal);
        await enough.CancelAsync();
        var results = await Task.WhenAll(visits);
        output.WriteLine($"{results.Sum(result => result.Visits)} visits while a silo came and one went");
        Assert.Empty(results.SelectMany(result => result.Wrong));
        Assert.All(results, result => Assert.True(result.Visits > 0));

        Assert.Equal("silo-2 tué", await cluster.Succeeds("kill", "2"));
        Assert.Empty(await visitor.Visit(apis[1], "famille-2"));
        status = await cluster.Status();
        Assert.Equal(("drained", false), End(status, "silo-1"));
        Assert.Equal(("killed", false), End(status, "silo-2"));
        Assert.True((bool)Of(status, "silo-3")["ready"]!);
        Assert.True((int)Of(status, "silo-3")["activations"]! > 0);
        Assert.Contains("tué", await cluster.Succeeds("status"), StringComparison.Ordinal);
        Assert.Equal("silo-2 does not run.", (await cluster.Run("kill", "2")).Errors);
        Assert.StartsWith("There is no silo-9: there are ", (await cluster.Run("drain", "9")).Errors, StringComparison.Ordinal);
        Assert.Empty(await visitor.Visit(apis[0], "famille-1"));

        var database = (string)Json(cluster)["database"]!["folder"]!;
        Assert.True(Directory.Exists(database));
        Assert.Equal("Tout est arrêté.", await cluster.Succeeds("down"));
        Assert.All(Processes(status), process => Assert.False(Directory.Exists($"/proc/{process["pid"]}") && !IsZombie((int)process["pid"]!), process.ToJsonString()));
        Assert.False(Directory.Exists(cluster.State));
        Assert.False(Directory.Exists(database));
        Assert.Equal($"There is no cluster in {cluster.State}.", (await cluster.Run("status")).Errors);
    }

    [Fact]
    public async Task What_is_restarted_is_the_same_program_with_its_ports_and_settings_and_visits_go_on()
    {
        Databases.SkipWithoutPostgres();
        await using var cluster = new ClusterScript();
        await cluster.Succeeds("up", "--silos", "2", "--front-ends", "1", "--", "--Freshness:FreshMinutes=5");
        var before = await cluster.Status();
        var started = Processes(before).ToDictionary(process => (string)process["name"]!, Started);
        int[] api = [Port(before, "api-1", "http")];
        using var visitor = new Visitor(Port(before, "franceconnect", "http"));

        using var enough = new CancellationTokenSource();
        var visits = Enumerable.Range(0, 2).Select(visitorNumber => VisitUntil(visitor, api, visitorNumber, enough.Token)).ToList();
        Assert.Matches("^silo-1 arrêté en [0-9]+,[0-9] s\nsilo-1 prêt$", await cluster.Succeeds("restart", "1"));
        await enough.CancelAsync();
        Assert.Empty((await Task.WhenAll(visits)).SelectMany(result => result.Wrong));

        await cluster.Succeeds("kill", "2");
        Assert.Equal("silo-2 prêt", await cluster.Succeeds("restart", "2"));
        foreach (var name in new[] { "regime-si", "postgres", "api-1" })
            Assert.EndsWith($"\n{name} prêt", await cluster.Succeeds("restart", name), StringComparison.Ordinal);
        Assert.StartsWith("There is no api-9: there are ", (await cluster.Run("restart", "api-9")).Errors, StringComparison.Ordinal);

        var after = await cluster.Status();
        Assert.Equal(Names(before), Names(after));
        foreach (var name in new[] { "silo-1", "silo-2", "regime-si", "postgres", "api-1" })
        {
            Assert.NotEqual((int)Of(before, name)["pid"]!, (int)Of(after, name)["pid"]!);
            Assert.Equal((null, true), End(after, name));
            Assert.Equal(started[name], Started(Of(after, name)));
        }

        Assert.Equal((int)Of(before, "franceconnect")["pid"]!, (int)Of(after, "franceconnect")["pid"]!);
        Assert.Empty(await visitor.Visit(api[0], "famille-1"));
        await cluster.Succeeds("down");
    }

    [Fact]
    public async Task Behind_a_balancer_a_front_end_that_is_drained_costs_no_call()
    {
        Databases.SkipWithoutPostgres();
        Assert.SkipUnless(HasHaProxy(), "No HAProxy: install it (apt-get install haproxy).");
        await using var cluster = new ClusterScript();
        await cluster.Succeeds("up", "--silos", "1", "--front-ends", "2", "--haproxy");
        var status = await cluster.Status();
        using var visitor = new Visitor(Port(status, "franceconnect", "http"));
        int[] balancer = [Port(status, "haproxy", "http")];

        using var enough = new CancellationTokenSource();
        var visits = Enumerable.Range(0, 4).Select(visitorNumber => VisitUntil(visitor, balancer, visitorNumber, enough.Token)).ToList();
        await cluster.Succeeds("drain", "api-1");
        await cluster.Succeeds("status");
        await enough.CancelAsync();

        var results = await Task.WhenAll(visits);
        output.WriteLine($"{results.Sum(result => result.Visits)} visits while a front end went");
        Assert.Empty(results.SelectMany(result => result.Wrong));
        Assert.All(results, result => Assert.True(result.Visits > 0));
        await cluster.Succeeds("down");
    }

    [Fact]
    public async Task A_process_that_has_the_id_of_one_of_the_cluster_is_left_alone()
    {
        await using var cluster = new ClusterScript();
        using var stranger = Process.Start("sleep", ["600"]);
        try
        {
            WriteState(cluster, stranger.Id, bootId: BootId(), startTicks: 1);

            Assert.Equal("silo-1 does not run.", (await cluster.Run("kill", "1")).Errors);
            Assert.Contains("is left over from a cluster of ", (await cluster.Run("up")).Errors, StringComparison.Ordinal);
            Assert.Equal((null, false), End(await cluster.Status(), "silo-1"));
            await cluster.Succeeds("down");

            Assert.False(stranger.HasExited);
            Assert.False(Directory.Exists(cluster.State));
        }
        finally
        {
            stranger.Kill();
            await stranger.WaitForExitAsync(Stop);
        }
    }

    [Fact]
    public async Task A_state_of_before_the_machine_started_anew_is_told_and_cleared()
    {
        await using var cluster = new ClusterScript();
        using var stranger = Process.Start("sleep", ["600"]);
        try
        {
            var ticks = long.Parse((await File.ReadAllTextAsync($"/proc/{stranger.Id}/stat", Stop)).Split(' ')[21], CultureInfo.InvariantCulture);
            WriteState(cluster, stranger.Id, bootId: "another", startTicks: ticks);

            Assert.EndsWith("clear it with down.", (await cluster.Run("kill", "1")).Errors, StringComparison.Ordinal);
            await cluster.Succeeds("down");

            Assert.False(stranger.HasExited);
        }
        finally
        {
            stranger.Kill();
            await stranger.WaitForExitAsync(Stop);
        }
    }

    [Fact]
    public async Task Two_at_once_do_not_start_two_clusters()
    {
        Databases.SkipWithoutPostgres();
        await using var cluster = new ClusterScript();
        using var first = cluster.Begin("up", "--silos", "1", "--front-ends", "1");
        await Eventually.Holds(() => File.Exists(cluster.StateFile), Limit, () => "It did not begin.");

        var second = await cluster.Run("up");
        Assert.Equal((1, $"Another command works on the cluster in {cluster.State}."), (second.ExitCode, second.Errors));

        // SIGINT, as Ctrl+C sends it: what was started goes again.
        await Shell.Run($"kill -INT {first.Id}");
        await first.WaitForExitAsync(Stop);
        Assert.Equal(130, first.ExitCode);
        Assert.False(Directory.Exists(cluster.State));
    }

    [Fact]
    public async Task A_setting_that_keeps_silos_from_starting_is_told_and_nothing_is_left()
    {
        Databases.SkipWithoutPostgres();
        await using var cluster = new ClusterScript();

        var up = await cluster.Run("up", "--silos", "1", "--front-ends", "1", "--", "--Freshness:FreshMinutes=0");

        Assert.Equal(1, up.ExitCode);
        Assert.StartsWith("silo-1 ended before it was ready.", up.Errors, StringComparison.Ordinal);
        Assert.Contains("Freshness:FreshMinutes", up.Errors, StringComparison.Ordinal);
        Assert.False(Directory.Exists(cluster.State));
    }

    [Fact]
    public async Task A_program_that_is_not_installed_is_named_before_anything_starts()
    {
        await using var cluster = new ClusterScript();

        var postgres = await cluster.RunWith(("DROITS_POSTGRES_BIN", "/nowhere"), "up");
        var haProxy = await cluster.RunWith(("DROITS_HAPROXY", "/nowhere/haproxy"), "up", "--haproxy");

        Assert.StartsWith("No PostgreSQL: install it (apt-get install postgresql)", postgres.Errors, StringComparison.Ordinal);
        Assert.StartsWith("No HAProxy: install it (apt-get install haproxy)", haProxy.Errors, StringComparison.Ordinal);
        Assert.Equal((1, 1), (postgres.ExitCode, haProxy.ExitCode));
        Assert.False(Directory.Exists(cluster.State));
    }

    [Fact]
    public async Task A_folder_that_holds_something_else_is_not_touched()
    {
        Databases.SkipWithoutPostgres();
        await using var cluster = new ClusterScript();
        Directory.CreateDirectory(cluster.State);
        var other = Path.Combine(cluster.State, "logs");
        await File.WriteAllTextAsync(other, "mine", Stop);

        var up = await cluster.Run("up");

        Assert.Equal($"{cluster.State} holds logs, which is not a cluster's: choose an empty folder with --state.", up.Errors);
        Assert.Equal("mine", await File.ReadAllTextAsync(other, Stop));
    }

    [Theory]
    [InlineData("upp", "upp is not a command")]
    [InlineData("up --silos 0", "--silos must be from 1 to 64")]
    [InlineData("up --silos", "--silos needs a value")]
    [InlineData("up --front-ends 65", "--front-ends must be from 1 to 64")]
    [InlineData("up -- Freshness:FreshMinutes=5", "Freshness:FreshMinutes=5 is not of the form --Setting=value")]
    [InlineData("up -- --cluster:siloport=11111", "cluster:siloport is chosen by the cluster itself")]
    [InlineData("up -- --Storage:ConnectionString=Host=x", "Storage:ConnectionString is configured, and Cluster:ConnectionString is not")]
    [InlineData("drain", "drain what?")]
    [InlineData("restart", "restart what?")]
    [InlineData("kill 1 2", "2 is not an option of kill")]
    [InlineData("down --silos 1", "--silos is not an option of down")]
    [InlineData("status -- --A=b", "settings are those of up")]
    public async Task What_is_mistyped_is_told_with_the_usage(string line, string message)
    {
        // As it stands: nothing is added to it.
        var start = new ProcessStartInfo(Path.Combine(Repository.Root, "deploy", "local-cluster"), ["--no-build", .. line.Split(' ')])
        {
            RedirectStandardError = true, RedirectStandardOutput = true,
        };
        using var process = Process.Start(start)!;
        var errors = await process.StandardError.ReadToEndAsync(Stop);
        await process.WaitForExitAsync(Stop);

        Assert.Equal(2, process.ExitCode);
        Assert.StartsWith($"local-cluster: {message}\nusage: deploy/local-cluster up ", errors, StringComparison.Ordinal);
    }

    private static async Task<(int Visits, List<string> Wrong)> VisitUntil(Visitor visitor, int[] ports, int number, CancellationToken enough)
    {
        var (visits, wrong) = (0, new List<string>());
        while (!enough.IsCancellationRequested)
        {
            wrong.AddRange(await visitor.Visit(ports[visits % ports.Length], $"famille-{1000 * (number + 1) + visits}"));
            visits++;
        }

        return (visits, wrong);
    }

    private static void WriteState(ClusterScript cluster, int pid, string bootId, long startTicks)
    {
        Directory.CreateDirectory(cluster.State);
        File.WriteAllText(cluster.StateFile, new JsonObject
        {
            ["boot_id"] = bootId,
            ["created_at"] = "2026-01-05T08:00:00Z",
            ["cluster_id"] = "local-1",
            ["operator_key"] = "key",
            ["families"] = 1,
            ["settings"] = new JsonArray(),
            ["processes"] = new JsonArray(new JsonObject
            {
                ["name"] = "silo-1",
                ["role"] = "silo",
                ["number"] = 1,
                ["pid"] = pid,
                ["start_ticks"] = startTicks,
                ["started_at"] = "2026-01-05T08:00:01Z",
                ["ports"] = new JsonObject { ["silo"] = 1, ["gateway"] = 2, ["admin"] = 3 },
                ["log"] = "/nowhere",
            }),
        }.ToJsonString());
    }

    /// <summary>All that a process was started with: its ports, its command line, and its environment, which holds its settings.</summary>
    private static string Started(JsonNode process)
    {
        return string.Join('\n', Words("cmdline").Concat(Words("environ").Order(StringComparer.Ordinal)).Prepend(process["ports"]!.ToJsonString()));

        IEnumerable<string> Words(string file) => File.ReadAllText($"/proc/{process["pid"]}/{file}").Split('\0');
    }

    private static JsonNode Json(ClusterScript cluster) => JsonNode.Parse(File.ReadAllText(cluster.StateFile))!;

    private static string BootId() => File.ReadAllText("/proc/sys/kernel/random/boot_id").Trim();

    private static bool IsZombie(int pid) => File.ReadLines($"/proc/{pid}/status").Any(line => line.StartsWith("State:\tZ", StringComparison.Ordinal));

    private static bool HasHaProxy() => (Environment.GetEnvironmentVariable("PATH") + ":/usr/sbin").Split(':').Any(folder => File.Exists(Path.Combine(folder, "haproxy")));

    private static List<JsonNode> Processes(JsonNode status) => [.. status["processes"]!.AsArray().Select(process => process!)];

    private static IEnumerable<string> Names(JsonNode status) => Processes(status).Select(process => (string)process["name"]!);

    private static JsonNode Of(JsonNode status, string name) => Processes(status).Single(process => (string)process["name"]! == name);

    private static int Port(JsonNode status, string name, string use) => (int)Of(status, name)["ports"]![use]!;

    private static (string? Ended, bool Running) End(JsonNode status, string name) => ((string?)Of(status, name)["ended"], (bool)Of(status, name)["running"]!);
}
