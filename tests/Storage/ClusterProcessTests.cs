using System.Diagnostics;
using System.Net;
using System.Security.Cryptography;
using System.Text.Json;
using DroitsAmeli.Grains.Storage.Schema;
using DroitsAmeli.Tests.Postgres;

namespace DroitsAmeli.Tests.Storage;

/// <summary>Real processes that find each other in a real database, and are really killed.</summary>
public sealed class ClusterProcessTests(Databases databases, ITestOutputHelper output)
{
    private const int Active = 3;
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan Soon = TimeSpan.FromSeconds(10);

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Silos_that_were_all_killed_join_again_on_their_ports_and_a_front_end_finds_them()
    {
        var database = await Migrated();
        using var files = new ClusterFiles();
        var ports = Loopback.FreePorts(4);

        await using var processes = new Processes();
        var first = Start();
        await using var frontEnd = ClusterProcess.FrontEnd(files, database);
        await Ready(first);
        await frontEnd.Ready();
        var born = await Members(database);
        Assert.Equal(2, born.Count);

        var elapsed = await KillAndRestart(first, Start);

        var reborn = await Members(database);
        Assert.Equal(2, reborn.Count);
        Assert.Empty(born.Intersect(reborn));
        await Eventually.Holds(frontEnd.IsReady, Limit, () => $"The front end found no gateway.\n{frontEnd.Child.Output}");
        output.WriteLine($"2 silos killed, the same ports: ready {elapsed.TotalSeconds:0.0} s after the kill");

        List<ClusterProcess> Start() =>
            [processes.Add(ClusterProcess.Silo(files, database, ports[0], ports[1])), processes.Add(ClusterProcess.Silo(files, database, ports[2], ports[3]))];
    }

    [Fact]
    public async Task Silos_that_were_all_killed_do_not_hold_up_others_on_other_ports()
    {
        var database = await Migrated();
        using var files = new ClusterFiles();
        await using var processes = new Processes();
        var first = Start();
        await Ready(first);
        var born = await Members(database);

        var elapsed = await KillAndRestart(first, Start);

        // The rows of the dead do not stay Active.
        await Eventually.Holds(
            async () => await Members(database) is { Count: 2 } living && !living.Overlaps(born), Limit, () => "The dead are still taken for active.");
        output.WriteLine($"2 silos killed, other ports: ready {elapsed.TotalSeconds:0.0} s after the kill");

        List<ClusterProcess> Start()
        {
            var ports = Loopback.FreePorts(4);
            return [processes.Add(ClusterProcess.Silo(files, database, ports[0], ports[1])), processes.Add(ClusterProcess.Silo(files, database, ports[2], ports[3]))];
        }
    }

    [Fact]
    public async Task A_front_end_without_calls_is_not_ready_without_silos_and_is_soon_after_they_came_back()
    {
        var database = await Migrated();
        using var files = new ClusterFiles();
        var ports = Loopback.FreePorts(2);
        await using var processes = new Processes();
        var silo = Start();
        await using var frontEnd = ClusterProcess.FrontEnd(files, database);
        await Ready([silo]);
        await frontEnd.Ready();

        await silo.Child.Kill();
        var since = Stopwatch.StartNew();
        await Eventually.Holds(async () => await frontEnd.Asked("/health/ready") is HttpStatusCode.ServiceUnavailable, Limit, () => "It still says that it is ready.");
        output.WriteLine($"no silo: the front end says so {since.Elapsed.TotalSeconds:0.0} s after the kill");
        Assert.Equal(HttpStatusCode.OK, await frontEnd.Asked("/health/live"));

        await Ready([Start()]);
        since.Restart();
        await Eventually.Holds(frontEnd.IsReady, Limit, () => $"The front end found no gateway.\n{frontEnd.Child.Output}");
        output.WriteLine($"the silo is back: the front end is ready {since.Elapsed.TotalSeconds:0.0} s later");
        Assert.True(since.Elapsed < Soon, $"It took {since.Elapsed}.");

        ClusterProcess Start() => processes.Add(ClusterProcess.Silo(files, database, ports[0], ports[1]));
    }

    [Fact]
    public async Task A_silo_that_is_told_to_stop_says_so_for_as_long_as_it_takes()
    {
        var database = await Migrated();
        using var files = new ClusterFiles();
        var ports = Loopback.FreePorts(4);
        await using var processes = new Processes();
        var silo = processes.Add(ClusterProcess.Silo(files, database, ports[0], ports[1]));
        await Ready([silo, processes.Add(ClusterProcess.Silo(files, database, ports[2], ports[3]))]);

        var answers = await AnswersDuring(silo, silo.Child.Terminate(Limit), "/health/ready", "/health/live");

        Assert.Equal([HttpStatusCode.OK, HttpStatusCode.ServiceUnavailable, null], Changes(answers.Select(answer => answer[0])));
        Assert.All(answers.Where(answer => answer[0] is HttpStatusCode.ServiceUnavailable).SkipLast(1), answer => Assert.Equal(HttpStatusCode.OK, answer[1]));
    }

    [Fact]
    public async Task A_front_end_that_is_told_to_stop_says_so_and_serves_until_balancers_have_looked_elsewhere()
    {
        var database = await Migrated();
        using var files = new ClusterFiles();
        var ports = Loopback.FreePorts(2);
        await using var silo = ClusterProcess.Silo(files, database, ports[0], ports[1]);
        await using var frontEnd = ClusterProcess.FrontEnd(files, database);
        await Ready([silo]);
        await frontEnd.Ready();

        var elapsed = Stopwatch.StartNew();
        var answers = await AnswersDuring(frontEnd, frontEnd.Child.Terminate(Limit), "/health/ready", "/openapi/v1.json");

        Assert.True(elapsed.Elapsed > TimeSpan.FromSeconds(2), $"It served for {elapsed.Elapsed}.");
        Assert.Equal([HttpStatusCode.OK, HttpStatusCode.ServiceUnavailable, null], Changes(answers.Select(answer => answer[0])));
        Assert.All(answers.Where(answer => answer[0] is HttpStatusCode.ServiceUnavailable).SkipLast(1), answer => Assert.Equal(HttpStatusCode.OK, answer[1]));
    }

    [Fact]
    public async Task A_silo_that_is_told_to_stop_leaves_in_order()
    {
        var database = await Migrated();
        using var files = new ClusterFiles();
        var ports = Loopback.FreePorts(2);
        await using var silo = ClusterProcess.Silo(files, database, ports[0], ports[1], "--Cluster:Directory=default", "--Cluster:RebalanceSeconds=0");
        await silo.Ready();

        Assert.Equal(0, await silo.Child.Terminate(Limit));

        Assert.Empty(await Members(database));
        Assert.Empty(silo.Child.Errors);
    }

    [Theory]
    [InlineData("Cluster:ConnectionString")]
    [InlineData("Storage:ConnectionString")]
    public async Task A_silo_whose_database_has_no_schema_names_the_command_and_does_not_start(string setting)
    {
        var migrated = await Migrated();
        var empty = await databases.Create();
        using var files = new ClusterFiles();
        var ports = Loopback.FreePorts(2);
        await using var silo = ClusterProcess.Silo(files, setting == "Cluster:ConnectionString" ? empty : migrated, ports[0], ports[1], Storage(files, empty));

        Assert.Equal(1, await silo.Child.Exited(Limit));

        Assert.StartsWith(setting + ": The database ", silo.Child.Errors, StringComparison.Ordinal);
        Assert.EndsWith($"lacks 0001_membership of the schema: apply it with \"{SchemaMigrations.Command}\".", silo.Child.Errors, StringComparison.Ordinal);
        Assert.Single(silo.Child.Errors.Split('\n'));
        Assert.Empty(silo.Child.Output);
    }

    [Fact]
    public async Task A_silo_whose_storage_does_not_answer_starts_all_the_same_and_says_so()
    {
        var database = await Migrated();
        using var files = new ClusterFiles();
        var ports = Loopback.FreePorts(2);
        await using var silo = ClusterProcess.Silo(
            files, database, ports[0], ports[1], Storage(files, "Host=127.0.0.1;Port=1;Username=droits;Password=a-secret;Database=droits"));

        await silo.Ready();

        Assert.False(silo.Child.HasExited, silo.Child.Errors);
        Assert.Contains("Nothing is stored or read from storage while its database is away", silo.Child.Output, StringComparison.Ordinal);
        Assert.DoesNotContain("a-secret", silo.Child.Output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("--Cluster:ConnectionString=", "Cluster:ConnectionString must be the connection string of a PostgreSQL database in mode postgres.")]
    [InlineData("--Cluster:AdvertisedIPAddress=here", "Cluster:AdvertisedIPAddress must be an IP address.")]
    [InlineData("--Cluster:Directory=yellow-pages", "Cluster:Directory")]
    [InlineData("--Storage:ConnectionString=nonsense", "Storage:ConnectionString must be the connection string of a PostgreSQL database.")]
    public async Task A_wrong_setting_is_named(string setting, string message)
    {
        using var files = new ClusterFiles();
        await using var silo = ClusterProcess.Silo(files, "Host=127.0.0.1", 11111, 30000, setting);

        Assert.Equal(1, await silo.Child.Exited(Limit));
        Assert.Contains(message, silo.Child.Errors, StringComparison.Ordinal);
    }

    private static string[] Storage(ClusterFiles files, string connectionString)
    {
        var key = Convert.ToBase64String(RandomNumberGenerator.GetBytes(32));
        var keys = files.Write("storage.keys.json", JsonSerializer.Serialize(new { active = "k1", keys = new { k1 = key } }));
        return [$"--Storage:ConnectionString={connectionString}", $"--Storage:KeysFile={keys}"];
    }

    private static async Task Ready(IEnumerable<ClusterProcess> silos)
    {
        foreach (var silo in silos)
        {
            await silo.Ready();
            Assert.False(silo.Child.HasExited, silo.Child.Errors);
        }
    }

    private static async Task<List<HttpStatusCode?[]>> AnswersDuring(ClusterProcess process, Task<int> stop, params string[] paths)
    {
        List<HttpStatusCode?[]> answers = [[HttpStatusCode.OK, HttpStatusCode.OK]];
        while (!stop.IsCompleted)
            answers.Add(await Task.WhenAll(paths.Select(process.Asked)));
        Assert.Equal(0, await stop);
        answers.Add(await Task.WhenAll(paths.Select(process.Asked)));
        return answers;
    }

    private static List<HttpStatusCode?> Changes(IEnumerable<HttpStatusCode?> answers)
    {
        var changes = new List<HttpStatusCode?>();
        foreach (var answer in answers)
        {
            if (changes.Count == 0 || changes[^1] != answer)
                changes.Add(answer);
        }

        return changes;
    }

    private static async Task<TimeSpan> KillAndRestart(List<ClusterProcess> silos, Func<List<ClusterProcess>> start)
    {
        await Task.WhenAll(silos.Select(silo => silo.Child.Kill()));
        var sinceKill = Stopwatch.StartNew();
        await Ready(start());
        return sinceKill.Elapsed;
    }

    private async Task<string> Migrated()
    {
        var database = await databases.Create();
        await SchemaMigrations.OfThisBuild.Apply(database, Stop);
        return database;
    }

    private static async Task<HashSet<string>> Members(string database)
    {
        var text = await PostgresServer.Scalar<string>(
            database, $"SELECT string_agg(port || '@' || generation, ',') FROM orleansmembershiptable WHERE status = {Active}");
        return [.. (text ?? "").Split(',', StringSplitOptions.RemoveEmptyEntries)];
    }

    private sealed class Processes : IAsyncDisposable
    {
        private readonly List<ClusterProcess> all = [];

        public ClusterProcess Add(ClusterProcess process)
        {
            all.Add(process);
            return process;
        }

        public async ValueTask DisposeAsync()
        {
            foreach (var process in all)
                await process.DisposeAsync();
        }
    }
}
