using System.Diagnostics;
using System.Globalization;
using DroitsAmeli.Load.Fill;
using DroitsAmeli.Load.Processes;
using DroitsAmeli.Load.Visits;
using DroitsAmeli.Tests.Postgres;
using Npgsql;

namespace DroitsAmeli.Load.Capacity;

/// <summary>
/// Measures what visits, families and silos cost: for each number of silos real processes with a PostgreSQL server of their own, at rest and
/// under visits at several rates, warm and partly cold, against an SI that answers at once.
/// </summary>
/// <param name="options">What is measured, and for how long.</param>
/// <param name="output">Is told each sample.</param>
public sealed class CapacityRun(CapacityOptions options, TextWriter output)
{
    private const long Population = 2_000_000;
    private const long FirstFilled = 1_000_000;

    // Writes behind the answers, and what else a visit leaves to be done, belongs to it.
    private static readonly TimeSpan Aftermath = TimeSpan.FromSeconds(4);

    private readonly List<LoadSample> samples = [];
    private readonly Dictionary<int, List<(RoleCosts FrontEnd, RoleCosts Silo, RoleCosts Postgres, double AllIn)>> rounds = [];
    private readonly Dictionary<int, Memory> memories = [];
    private readonly List<double> storedFamilyBytes = [];

    private sealed record Memory(double EmptyManaged, double EmptyResident, double Managed, double Resident);

    private sealed record Usage(double FrontEnds, double Silos, double Postgres, double Other);

    /// <summary>All that was measured, in its order.</summary>
    public IReadOnlyList<LoadSample> Samples => samples;

    /// <summary>Measures; the median of the rounds is what it cost.</summary>
    /// <exception cref="InvalidOperationException">A process did not start, or PostgreSQL is missing.</exception>
    public async Task<MeasuredCosts> Measure(CancellationToken stop)
    {
        for (var round = 0; round < options.Rounds; round++)
        {
            foreach (var silos in options.Silos)
                await Measure(silos, withMemory: round == 0, stop);
        }

        var visits = samples.Where(sample => sample.Visits > 0).ToList();
        return new()
        {
            Measured = TimeProvider.System.GetUtcNow().ToString("yyyy-MM-dd", CultureInfo.InvariantCulture),
            How = string.Create(
                CultureInfo.InvariantCulture,
                $"{Environment.ProcessorCount} cores, {options.Rounds} rounds of {options.Duration.TotalSeconds:0.#} s at {string.Join(", ", options.Rates)} visits/s; busy at most {samples.Max(sample => sample.Busy):P0}, load average up to {samples.Max(sample => sample.LoadAverage):0.0}"),
            StoredFamilyBytes = Median(storedFamilyBytes),
            VisitAnswerBytes = visits.Sum(sample => (double)sample.AnswerBytes) / visits.Sum(sample => sample.Visits),
            Clusters = [.. options.Silos.Order().Select(Costs)],
        };
    }

    private ClusterCosts Costs(int silos)
    {
        var (measured, memory) = (rounds[silos], memories[silos]);
        return new()
        {
            Silos = silos,
            FrontEnds = options.FrontEnds,
            FrontEnd = Median(measured, round => round.FrontEnd),
            Silo = Median(measured, round => round.Silo),
            Postgres = Median(measured, round => round.Postgres),
            AllInMs = Median(measured.Select(round => round.AllIn)),
            EmptyManagedBytes = memory.EmptyManaged,
            EmptyResidentBytes = memory.EmptyResident,
            Families = options.Families,
            ManagedBytes = memory.Managed,
            ResidentBytes = memory.Resident,
        };
    }

    private async Task Measure(int silos, bool withMemory, CancellationToken stop)
    {
        await using var server = await PostgresServer.Create();
        var database = await server.CreateDatabase();
        await Deployment.Migrate(database, stop);
        await using var deployment = await Deployment.Start(
            new()
            {
                Silos = silos,
                FrontEnds = options.FrontEnds,
                ConnectionString = database,
                Families = Population,
                MaxConcurrentCalls = 64,
                ReportsMemory = true,

                // A visit is warm or cold, however long this takes.
                SiloSettings = new Dictionary<string, string> { ["Freshness:FreshMinutes"] = "1200", ["Freshness:BehindMinutes"] = "1300" },
            },
            stop);
        var loads = new VisitLoads();
        await deployment.RegimeSi.Set(new(), stop);
        await deployment.RegimeSi.FeedIsFollowed(stop);
        var generator = new VisitGenerator(deployment);
        await generator.Warm(loads.Next(0, 0, TimeSpan.Zero), stop);
        if (withMemory)
            memories[silos] = await Fill(deployment, database, stop);
        await generator.Run(loads.Next(options.Rates[^1], options.ColdShare, options.WarmUp), stop);

        var measured = new List<LoadSample>();
        foreach (var coldShare in (double[])[0, options.ColdShare])
        {
            foreach (var rate in options.Rates)
                await Add(rate, coldShare);
        }

        // Last: what the loads before have left to compile and to collect would be taken for rest.
        await Add(0, 0);

        rounds.TryAdd(silos, []);
        rounds[silos].Add((
            LinearFit.Of([.. measured.Select(sample => sample.Of(role => role.FrontEndSeconds))]),
            LinearFit.Of([.. measured.Select(sample => sample.Of(role => role.SiloSeconds))]),
            LinearFit.Of([.. measured.Select(sample => sample.Of(role => role.PostgresSeconds))]),
            measured.Where(sample => sample is { Rate: > 0, ColdShare: 0 }).MaxBy(sample => sample.Rate)!.AllInMs));

        async Task Add(double rate, double coldShare)
        {
            var sample = await Sample(deployment, server, silos, loads.Next(rate, coldShare, options.Duration), stop);
            samples.Add(sample);
            measured.Add(sample);
            await output.WriteLineAsync(sample.ToString());
        }
    }

    private static async Task<LoadSample> Sample(Deployment deployment, PostgresServer server, int silos, VisitLoad load, CancellationToken stop)
    {
        await deployment.RegimeSi.ResetCounters(stop);
        var checktokens = await deployment.FranceConnect.Checktokens(stop);
        var (before, clock) = (Used(deployment, server), Stopwatch.StartNew());
        var report = new VisitReport(load.Partner.Id);
        if (load.PerSecond > 0)
            report = await new VisitGenerator(deployment).Run(load, stop);
        else
            await Task.Delay(load.Duration, TimeProvider.System, stop);
        await Task.Delay(Aftermath, TimeProvider.System, stop);
        var (after, elapsed) = (Used(deployment, server), clock.Elapsed);
        return new(
            silos,
            load.PerSecond,
            load.UnseenShare,
            elapsed.TotalSeconds,
            report.Finished - report.FinishedUnseen,
            report.FinishedUnseen,
            report.Visits - report.Finished,
            report.SentLate,
            (await deployment.RegimeSi.Counters(stop)).Loads,
            await deployment.FranceConnect.Checktokens(stop) - checktokens,
            after.FrontEnds - before.FrontEnds,
            after.Silos - before.Silos,
            after.Postgres - before.Postgres,
            after.Other - before.Other,
            report.AnswerBytes,
            Machine.LoadAverage());
    }

    private static Usage Used(Deployment deployment, PostgresServer server) => new(
        deployment.FrontEnds.Sum(Cpu),
        deployment.Silos.Sum(Cpu),
        server.CpuTime.TotalSeconds,
        Cpu(deployment.RegimeSi.Node) + Cpu(deployment.FranceConnect.Node) + Environment.CpuUsage.TotalTime.TotalSeconds);

    private static double Cpu(Node node) => node.Process.CpuTime.TotalSeconds;

    private async Task<Memory> Fill(Deployment deployment, string database, CancellationToken stop)
    {
        await using var filler = await FamilleFiller.Connect(deployment, stop);

        // What the first families bring along is theirs alone.
        var first = options.Families / 10;
        await filler.Load(FirstFilled, first, stop);
        await Task.Delay(Aftermath, TimeProvider.System, stop);
        var (empty, stored) = (await Held(deployment, stop), await StoredBytes(database, stop));
        await filler.Load(FirstFilled + first, options.Families, stop);
        await Task.Delay(Aftermath + options.Rest, TimeProvider.System, stop);
        var full = await Held(deployment, stop);
        storedFamilyBytes.Add((double)(await StoredBytes(database, stop) - stored) / options.Families);
        return new(empty.Managed, empty.Resident, full.Managed, full.Resident);
    }

    private static async Task<(double Managed, double Resident)> Held(Deployment deployment, CancellationToken stop)
    {
        var reports = new List<MemoryReport>();
        foreach (var silo in deployment.Silos)
            reports.Add(await MemoryReport.Of(silo, stop));
        return (reports.Sum(report => (double)report.ManagedBytes), reports.Sum(report => (double)report.ResidentBytes));
    }

    private static async Task<long> StoredBytes(string database, CancellationToken stop)
    {
        await using var connection = new NpgsqlConnection(database + ";Pooling=false");
        await connection.OpenAsync(stop);
        await using var command = new NpgsqlCommand("SELECT pg_database_size(current_database())", connection);
        return (long)(await command.ExecuteScalarAsync(stop))!;
    }

    private static RoleCosts Median<T>(IReadOnlyCollection<T> rounds, Func<T, RoleCosts> role) => new(
        Median(rounds.Select(round => role(round).FixedCores)),
        Median(rounds.Select(round => role(round).WarmVisitMs)),
        Median(rounds.Select(round => role(round).ColdVisitMs)));

    private static double Median(IEnumerable<double> values)
    {
        var sorted = values.Order().ToList();
        return (sorted[(sorted.Count - 1) / 2] + sorted[sorted.Count / 2]) / 2;
    }

    // No family that one load has made known is unseen in the next.
    private sealed class VisitLoads
    {
        private long firstUnseen = 1000;

        public VisitLoad Next(double perSecond, double coldShare, TimeSpan duration)
        {
            var first = firstUnseen;
            firstUnseen += (long)(perSecond * duration.TotalSeconds) + 1;
            return new() { Partner = Partner.Hopital, PerSecond = perSecond, Duration = duration, UnseenShare = coldShare, FirstUnseen = first };
        }
    }
}
