using System.Diagnostics;
using DroitsAmeli.Load.Processes;
using DroitsAmeli.Load.Reads;

namespace DroitsAmeli.Load.Links;

/// <summary>What is measured, and for how long.</summary>
public sealed record LinkCostOptions
{
    /// <summary>Silos of each of the two clusters; more than one needs a database.</summary>
    public int Silos { get; init; } = 1;

    public int FrontEnds { get; init; } = 1;

    /// <summary>A database with the schema, for both clusters; null: in memory.</summary>
    public string? ConnectionString { get; init; }

    /// <summary>Families that are read, all of them known.</summary>
    public int Familles { get; init; } = 200;

    /// <summary>Calls at once.</summary>
    public int Workers { get; init; } = 8;

    /// <summary>How long each turn lasts.</summary>
    public TimeSpan Turn { get; init; } = TimeSpan.FromSeconds(20);

    /// <summary>Turns of each cluster.</summary>
    public int Repeats { get; init; } = 5;
}

/// <summary>
/// What mutual TLS between the processes costs: hot reads of two clusters that differ in nothing else, one in clear and one under TLS, in turn.
/// </summary>
public static class LinkCost
{
    /// <summary>Starts both clusters, warms them up, and reads them in turn: clear, TLS, clear, TLS…</summary>
    /// <exception cref="InvalidOperationException">An answer was not the right one, or a process did not start.</exception>
    public static async Task<LinkCostReport> Measure(LinkCostOptions options, CancellationToken stop)
    {
        await using var clear = await Deployment.Start(Describe(options, mutualTls: false), stop);
        await using var tls = await Deployment.Start(Describe(options, mutualTls: true), stop);
        return await Measure(options, clear, tls, stop);
    }

    /// <summary>A cluster whose copies stay fresh, with an id of its own.</summary>
    public static DeploymentOptions Describe(LinkCostOptions options, bool mutualTls)
    {
        var id = mutualTls ? "liens-tls" : "liens-clairs";
        return new()
        {
            Silos = options.Silos,
            FrontEnds = options.FrontEnds,
            ConnectionString = options.ConnectionString,
            ClusterSettings = new Dictionary<string, string> { ["Cluster:ClusterId"] = id, ["Cluster:ServiceId"] = id },
            MutualTls = mutualTls,
            SiloSettings = new Dictionary<string, string> { ["Freshness:FreshMinutes"] = "600", ["Freshness:BehindMinutes"] = "700" },
        };
    }

    /// <summary>Warms both clusters up, and reads them in turn.</summary>
    /// <exception cref="InvalidOperationException">An answer was not the right one.</exception>
    public static async Task<LinkCostReport> Measure(LinkCostOptions options, Deployment clear, Deployment tls, CancellationToken stop)
    {
        await Task.WhenAll(clear.RegimeSi.FeedIsFollowed(stop), tls.RegimeSi.FeedIsFollowed(stop));
        var (inClear, underTls) = (new HotReads(clear, options), new HotReads(tls, options));
        _ = await inClear.Take(stop);
        _ = await underTls.Take(stop);

        var pairs = new List<LinkPair>();
        for (var repeat = 0; repeat < options.Repeats; repeat++)
            pairs.Add(new(await inClear.Take(stop), await underTls.Take(stop)));
        return new(options, pairs);
    }

    private sealed class HotReads(Deployment deployment, LinkCostOptions options)
    {
        private static readonly TimeSpan CallLimit = TimeSpan.FromSeconds(20);
        private static readonly Resource[] Resources = [Resource.Me, Resource.Exonerations];

        private readonly AnswerBook book = new(deployment.RegimeSi);
        private readonly TokenPurse purse = new(deployment.FranceConnect, Partner.Hopital, TimeSpan.FromHours(1));
        private readonly DeclaredAge age = DeclaredAge.Of(deployment.SiloSettings, Partner.Hopital);

        /// <summary>Reads for a turn. Tokens and copies are known before it begins: each is read once, uncounted.</summary>
        public async Task<LinkTurn> Take(CancellationToken stop)
        {
            var familles = Enumerable.Range(0, options.Familles).Select(index => (long)index).ToList();
            await purse.Provide(familles, TimeProvider.System.GetUtcNow() + 2 * options.Turn, stop);
            var asked = familles.SelectMany(famille => Resources.Select(resource => new Question(famille, resource))).ToList();

            using var http = Deployment.NewHttp(CallLimit);
            await Read(http, asked, TimeSpan.Zero, stop);
            var (frontEnds, silos) = (CpuTime(deployment.FrontEnds), CpuTime(deployment.Silos));
            var reads = await Read(http, asked, options.Turn, stop);
            return new(reads, CpuTime(deployment.FrontEnds) - frontEnds, CpuTime(deployment.Silos) - silos);
        }

        /// <summary>Reads each at least once, then all again until the time is over; gives how many were read.</summary>
        private async Task<long> Read(HttpClient http, List<Question> asked, TimeSpan duration, CancellationToken stop)
        {
            var report = new ReadReport();
            var clock = Stopwatch.StartNew();
            await Parallel.ForAsync(0, options.Workers, new ParallelOptions { MaxDegreeOfParallelism = options.Workers, CancellationToken = stop }, async (worker, ended) =>
            {
                for (var turn = worker; turn < asked.Count || clock.Elapsed < duration; turn += options.Workers)
                {
                    var question = asked[turn % asked.Count];
                    var frontEnd = deployment.FrontEnds[turn % deployment.FrontEnds.Count];
                    using var request = question.To(frontEnd, Partner.Hopital, purse.Of(question.Famille), deployment.RegimeSi);
                    var reading = await Reading.Of(http, request, ended);
                    report.Add(question, reading, reading.Took, reading.Status != 200 || book.IsRight(question, reading), age);
                }
            });
            return report.Good == report.Total ? report.Total : throw new InvalidOperationException($"Not every read was good.\n{report}\n{report.Failures()}");
        }

        private static TimeSpan CpuTime(IEnumerable<Node> nodes) => nodes.Aggregate(TimeSpan.Zero, (sum, node) => sum + node.Process.CpuTime);
    }
}
