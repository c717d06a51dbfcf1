using DroitsAmeli.Load.Processes;
using DroitsAmeli.Load.Reads;
using DroitsAmeli.Simulators.RegimeSi;

namespace DroitsAmeli.Tests.Cache;

/// <summary>T4: many callers, one cold family, several silos and front ends.</summary>
public sealed class SingleFlightTests(Database database)
{
    private const int Callers = 1000;
    private const int Tokens = 20;
    private const int FirstOther = 5000;
    private const int OthersBefore = 12;
    private const double FailuresAllowed = 0.01;
    private const string Right = "right";
    private const string Unavailable = "503 si_indisponible";
    private const string TooSlow = "504 delai_depasse";

    // A family without a médecin traitant is rightly told so by a 404.
    private static readonly Resource[] WithBody = [.. Enum.GetValues<Resource>().Where(resource => resource != Resource.MedecinTraitant)];

    private static readonly Latency Latency = new(MedianMs: 300);

    /// <summary>The composition is asked for and does not come: whoever loads it dies before.</summary>
    private static readonly Reglages Unanswered = new()
    {
        Latency = Latency,
        Faults = [new() { Kind = FaultKind.Hang, Target = SiCall.Familles, Next = 1 }],
    };

    // The deadline of a call, and what a busy machine takes to say so.
    private static readonly TimeSpan EveryCallEndsWithin = TimeSpan.FromSeconds(10);
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
            var answered = 0;
            var slowest = TimeSpan.Zero;
            for (var famille = 0; famille < repeats; famille++)
            {
                var (calls, readings) = await Burst(deployment, famille, _ => Task.CompletedTask, stop);

                Assert.All(readings, asked => Assert.True(book.IsRight(asked.Question, asked.Reading), asked.Reading.Outcome));
                Assert.All(
                    readings.Where(asked => asked.Question.Resource == Resource.Me),
                    asked => Assert.False(book.IsRight(asked.Question with { Famille = famille + 1 }, asked.Reading)));
                Assert.Equal((1, 1, 1), calls);
                answered += readings.Count;
                slowest = readings.Select(asked => asked.Reading.Took).Append(slowest).Max();
            }

            Figures.Add(
                "T4", $"{Callers} callers of one cold family, 3 silos, 2 front ends, {repeats} repeats",
                $"1 call of each part, {answered} right answers, slowest {slowest.TotalSeconds:0.0} s", "exactly 1 of each part",
                ("repeats", repeats), ("right", answered), ("slowest_seconds", slowest.TotalSeconds));
        });
    }

    [Fact]
    public async Task A_dying_silo_makes_it_two_at_most()
    {
        var repeats = Scale.Of(2, 100);
        await Scenario.Run(await database.Server(), ThreeSilos, async (deployment, stop) =>
        {
            var book = new AnswerBook(deployment.RegimeSi);
            var (most, slowest, keepers) = (0L, TimeSpan.Zero, 0);
            var outcomes = new Dictionary<string, int>(StringComparer.Ordinal);
            for (var famille = 0; famille < repeats; famille++)
            {
                Node? victim = null;
                var (_, readings) = await Burst(deployment, famille, KillHolder, stop, Unanswered);

                // Whoever was not answered asks again: that counts too.
                var again = await new ClosedLoopReader(deployment, book).Sweep(famille, 1, workers: 1, WithBody, insist: true, stop);
                var calls = (await deployment.RegimeSi.Counters(stop)).Calls;
                Assert.True(again.Good == again.Total, again.Failures());
                Assert.All(readings.Where(asked => asked.Reading.Status is 200 or 404), asked => Assert.True(book.IsRight(asked.Question, asked.Reading), asked.Reading.Outcome));
                Assert.InRange(calls.Identifications, 1, 2);
                Assert.InRange(calls.Familles, 1, 2);
                Assert.InRange(calls.Droits, 1, 2);
                most = Math.Max(most, Math.Max(calls.Identifications, Math.Max(calls.Familles, calls.Droits)));
                foreach (var (question, reading) in readings)
                {
                    var outcome = book.IsRight(question, reading) ? Right : reading.Outcome;
                    outcomes[outcome] = outcomes.GetValueOrDefault(outcome) + 1;
                    slowest = reading.Took > slowest ? reading.Took : slowest;
                }

                await victim!.Launch();
                await victim.Ready(Deployment.StartLimit, stop);

                async Task KillHolder(IReadOnlyList<Task<(Question, Reading Reading)>> asking)
                {
                    await Waiting.Until(
                        async () => (victim = await deployment.HolderOf(famille, stop)) is not null || asking.All(call => call.IsCompleted),
                        SettleLimit,
                        () => "No silo holds the family.");
                    var early = asking.Where(call => call.IsCompleted).Select(call => call.Result.Reading.Outcome).CountBy(outcome => outcome).ToList();

                    // Nobody is answered before: it dies while the family is being loaded.
                    Assert.True(victim is not null && early.Count == 0, $"Repeat {famille}: held by {victim?.Name}, {string.Join(", ", early)}.");
                    keepers += await SlotKeeperTests.KeeperOf(deployment, stop) == victim ? 1 : 0;
                    await victim!.Kill();
                }
            }

            var failed = outcomes.Where(outcome => outcome.Key != Right).Sum(outcome => outcome.Value);
            Figures.Add(
                "T4", $"the same while the silo that loads the family is killed (-9), {repeats} repeats, {keepers} of them the slots' keeper's too",
                $"{most} calls of a part at most; {string.Join(", ", outcomes.Select(outcome => $"{outcome.Key} × {outcome.Value}"))}, slowest {slowest.TotalSeconds:0.0} s",
                "<= 2 of each part, <= 1 % fail",
                ("repeats", repeats), ("keepers", keepers), ("most_calls", most), ("failed", failed), ("slowest_seconds", slowest.TotalSeconds));
            Assert.All(outcomes.Keys, outcome => Assert.Contains(outcome, (string[])[Right, Unavailable, TooSlow]));
            if (Scale.IsFull)
                Assert.InRange(failed, 0, (int)(FailuresAllowed * repeats * Callers));
            Assert.True(slowest < EveryCallEndsWithin, $"The slowest call took {slowest}.");
        });
    }

    /// <summary>Has everybody ask at once; in the meantime, as soon as the composition is being loaded, does something, which is given the calls under way.</summary>
    private static async Task<((long Identifications, long Familles, long Droits) Calls, IReadOnlyList<(Question Question, Reading Reading)> Readings)> Burst(
        Deployment deployment, long famille, Func<IReadOnlyList<Task<(Question, Reading Reading)>>, Task> meanwhile, CancellationToken stop, Reglages? si = null)
    {
        await deployment.RegimeSi.Set(new() { Latency = Latency }, stop);
        // The cluster is at work: its slots are lent, and a silo that was killed is missed by nobody.
        var others = await new ClosedLoopReader(deployment, new(deployment.RegimeSi)).Sweep(
            FirstOther + famille * OthersBefore, OthersBefore, workers: OthersBefore, [Resource.Me, Resource.Exonerations], insist: true, stop);
        Assert.True(others.Good == others.Total, others.Failures());
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

        await deployment.RegimeSi.Set(si ?? new() { Latency = Latency }, stop);
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
            async () => (await deployment.RegimeSi.Counters(stop)).Familles > 0 || calls.All(call => call.IsCompleted), SettleLimit, () => "The SI was not asked.");
        await meanwhile(calls);
        var readings = await Task.WhenAll(calls);
        return (await Waiting.Settled(async () => (await deployment.RegimeSi.Counters(stop)).Calls, Still, SettleLimit), readings);
    }
}
