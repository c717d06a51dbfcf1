namespace DroitsAmeli.Load.Capacity;

/// <summary>What can be asked of measured costs, in the words of the command line.</summary>
public static class CapacityQuestions
{
    public const string Plan = "--plan";
    public const string Measured = "--measured";

    private static readonly string[] PlanOptions =
    [
        "--visits-per-second", "--families", "--cold", "--stale", "--silo-cores", "--silo-gib", "--front-end-cores", "--postgres-cores", "--busy",
        "--si-calls", "--si-call-seconds", "--si-share",
    ];

    /// <summary>The answer, in lines.</summary>
    /// <param name="args"><c>--measured</c> alone, or <c>--plan</c> and its options.</param>
    /// <param name="costs">What was measured.</param>
    /// <exception cref="ArgumentException">It is no question, or has no answer.</exception>
    public static string Answer(string[] args, MeasuredCosts costs) => args switch
    {
        [Measured] => CapacityText.Of(costs),
        [Plan, .. var options] => Planned(Arguments.Read(options, PlanOptions), costs),
        _ => throw new ArgumentException($"{string.Join(' ', args)} is no question."),
    };

    private static string Planned(Arguments options, MeasuredCosts costs)
    {
        var demand = new Demand(
            options.Number("--visits-per-second", 15), options.Number("--families", 360_000), options.Number("--cold", 0.8), options.Number("--stale", 0));
        var usual = new Site();
        var site = new Site
        {
            SiloCores = options.Number("--silo-cores", usual.SiloCores),
            SiloGiB = options.Number("--silo-gib", usual.SiloGiB),
            FrontEndCores = options.Number("--front-end-cores", usual.FrontEndCores),
            PostgresCores = options.Number("--postgres-cores", usual.PostgresCores),
            BusyShare = options.Number("--busy", usual.BusyShare),
            SiCalls = options.Number("--si-calls", usual.SiCalls),
            SiCallSeconds = options.Number("--si-call-seconds", usual.SiCallSeconds),
            SiShare = options.Number("--si-share", usual.SiShare),
        };
        return CapacityText.Of(demand, site, new CapacityModel(costs).Plan(demand, site));
    }
}
