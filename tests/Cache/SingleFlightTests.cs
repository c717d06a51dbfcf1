using DroitsAmeli.Load.Processes;
using DroitsAmeli.Load.Reads;
using DroitsAmeli.Simulators.RegimeSi;

namespace DroitsAmeli.Tests.Cache;

/// <summary>T4: many callers, one cold family, several silos and front ends.</summary>
public sealed class SingleFlightTests(Database database)
{
    private const int Callers = 1000;
    private const int Tokens = 20;
    private static readonly TimeSpan CallLimit = TimeSpan.FromSeconds(20);
    private static readonly TimeSpan Still = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan SettleLimit = TimeSpan.FromSeconds(30);

    private static readonly DeploymentOptions ThreeSilos = new() { Silos = 3, FrontEnds = 2, Families = 10_000 };

    [Fact]
    public async Task A_cold_family_costs_one_call_for_each_part_whoever_asks()
    {
        var repeats = Scale.Of(5, 100);
        await Scenario.Run(await database.Server(), ThreeSilos, async (deployment, stop) =>
        {
            var book = new AnswerBook(deployment.RegimeSi);
            await deployment.RegimeSi.Set(new() { Latency = new(MedianMs: 300) }, stop);
            var answered = 0;
            var slowest = TimeSpan.Zero;
            for (var famille = 0; famille < repeats; famille++)
            {
                var (counters, readings) = await Burst(deployment, famille, () => Task.CompletedTask, stop);

                Assert.All(readings, asked => Assert.True(asked.Reading.Status == 200, asked.Reading.Outcome));
                Assert.All(readings, asked => Assert.True(book.IsRight(asked.Question, asked.Reading)));
                Assert.Equal((1, 1, 1), (counters.Identifications, counters.Familles, counters.Droits));
                answered += readings.Count;
                slowest = readings.Select(asked => asked.Reading.Took).Append(slowest).Max();
            }

            Figures.Add(
                "T4", $"{Callers} callers of one cold family, 3 silos, 2 front ends, {repeats} repeats",
                $"1 call of each part, {answered} right answers, slowest {slowest.TotalSeconds:0.0} s", "exactly 1 of each part");
        });
    }

    [Fact]
    public async Task A_dying_silo_makes_it_two_at_most()
    {
        var repeats = Scale.Of(1, 20);
        await Scenario.Run(await database.Server(), ThreeSilos, async (deployment, stop) =>
        {
            var book = new AnswerBook(deployment.RegimeSi);
            await deployment.RegimeSi.Set(new() { Latency = new(MedianMs: 300) }, stop);
            var most = 0L;
            var outcomes = new Dictionary<string, int>(StringComparer.Ordinal);
            for (var famille = 0; famille < repeats; famille++)
            {
                var victim = deployment.Silos[famille % deployment.Silos.Count];
                var (counters, readings) = await Burst(deployment, famille, victim.Kill, stop);

                Assert.All(readings.Where(asked => asked.Reading.Status == 200), asked => Assert.True(book.IsRight(asked.Question, asked.Reading)));
                var largest = new[] { counters.Identifications, counters.Familles, counters.Droits }.Max();
                Assert.InRange(largest, 1, 2);
                most = Math.Max(most, largest);
                foreach (var (_, reading) in readings)
                    outcomes[reading.Outcome] = outcomes.GetValueOrDefault(reading.Outcome) + 1;
                await victim.Launch();
                await victim.Ready(Deployment.StartLimit, stop);
            }

            Figures.Add(
                "T4", $"the same while one of the silos is killed (-9), {repeats} repeats",
                $"{most} calls of a part at most; {string.Join(", ", outcomes.Select(outcome => $"{outcome.Key} × {outcome.Value}"))}", "<= 2 of each part");
        });
    }

    private static async Task<(SiCounters Counters, IReadOnlyList<(Question Question, Reading Reading)> Readings)> Burst(
        Deployment deployment, long famille, Func<Task> meanwhile, CancellationToken stop)
    {
        using var http = Deployment.NewHttp(CallLimit);
        var tokens = await deployment.FranceConnect.Mint([.. Enumerable.Repeat(famille, Tokens)], Partner.Hopital, TimeSpan.FromMinutes(5), stop);

        // Another partner is refused after the introspection and before the identity: the tokens are then known, the family is not.
        foreach (var token in tokens)
        {
            foreach (var frontEnd in deployment.FrontEnds)
            {
                using var early = new Question(famille, Resource.Me).To(frontEnd, Partner.All[1], token, deployment.RegimeSi);
                Assert.Equal("403 jeton_autre_partenaire", (await Reading.Of(http, early, stop)).Outcome);
            }
        }

        await deployment.RegimeSi.ResetCounters(stop);
        Assert.Equal(0, (await deployment.RegimeSi.Counters(stop)).Loads);
        var resources = Enum.GetValues<Resource>();
        var calls = Enumerable.Range(0, Callers).Select(async caller =>
        {
            var question = new Question(famille, resources[caller % resources.Length]);
            using var request = question.To(deployment.FrontEnds[caller % deployment.FrontEnds.Count], Partner.Hopital, tokens[caller / resources.Length % Tokens], deployment.RegimeSi);
            return (question, await Reading.Of(http, request, stop));
        }).ToList();
        await Waiting.Until(
            async () => (await deployment.RegimeSi.Counters(stop)).Loads > 0 || calls.All(call => call.IsCompleted), SettleLimit, () => "The SI was not asked.");
        await meanwhile();
        var readings = await Task.WhenAll(calls);
        return (await Waiting.Settled(() => deployment.RegimeSi.Counters(stop).WithoutFeed(), Still, SettleLimit), readings);
    }
}
