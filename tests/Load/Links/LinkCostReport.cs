using System.Globalization;
using System.Text;
using System.Text.Json;

namespace DroitsAmeli.Load.Links;

/// <summary>Hot reads of one cluster for some seconds.</summary>
/// <param name="Reads">How many were answered, all of them rightly.</param>
/// <param name="FrontEnds">User and system time of its front ends.</param>
/// <param name="Silos">That of its silos.</param>
public readonly record struct LinkTurn(long Reads, TimeSpan FrontEnds, TimeSpan Silos)
{
    /// <summary>Microseconds of both per read.</summary>
    public double PerRead => (FrontEnds + Silos).TotalMicroseconds / Reads;
}

/// <summary>A turn in clear, and the one under TLS that came after it.</summary>
public readonly record struct LinkPair(LinkTurn Clear, LinkTurn Tls)
{
    /// <summary>Microseconds per read that TLS costs.</summary>
    public double Cost => Tls.PerRead - Clear.PerRead;

    /// <summary>The same as a share of a read in clear.</summary>
    public double Share => Cost / Clear.PerRead;
}

/// <summary>The middle of several figures, and between what they lie.</summary>
public readonly record struct Spread(double Median, double Least, double Most)
{
    /// <exception cref="ArgumentException">There is no figure.</exception>
    public static Spread Of(IEnumerable<double> figures)
    {
        var sorted = figures.Order().ToList();
        if (sorted.Count == 0)
            throw new ArgumentException("There is no figure.", nameof(figures));
        return new((sorted[(sorted.Count - 1) / 2] + sorted[sorted.Count / 2]) / 2, sorted[0], sorted[^1]);
    }
}

/// <summary>What mutual TLS costs per read, turn by turn and in the middle.</summary>
public sealed record LinkCostReport(LinkCostOptions Options, IReadOnlyList<LinkPair> Pairs)
{
    private static readonly JsonSerializerOptions Indented = new(JsonSerializerDefaults.Web) { WriteIndented = true };

    public Spread Clear => Spread.Of(Pairs.Select(pair => pair.Clear.PerRead));

    public Spread Tls => Spread.Of(Pairs.Select(pair => pair.Tls.PerRead));

    public Spread Cost => Spread.Of(Pairs.Select(pair => pair.Cost));

    public Spread Share => Spread.Of(Pairs.Select(pair => pair.Share));

    /// <summary>A readable table, in CPU microseconds per read.</summary>
    public override string ToString()
    {
        var table = new StringBuilder();
        table.AppendLine(
            CultureInfo.InvariantCulture,
            $"hot reads, {Options.Silos} silo(s) and {Options.FrontEnds} front end(s) each, turns of {Options.Turn.TotalSeconds:0.#} s; CPU-µs per read of front ends + silos");
        table.AppendLine("turn    |  clear: front +  silo =    all (  reads) |    TLS: front +  silo =    all (  reads) |   cost");
        foreach (var (index, pair) in Pairs.Index())
            table.AppendLine(CultureInfo.InvariantCulture, $"{index + 1,-7} | {Line(pair.Clear)} | {Line(pair.Tls)} | {pair.Cost,6:+0.0;-0.0}");
        table.Append(
            CultureInfo.InvariantCulture,
            $"median of {Pairs.Count} (range): clear {Text(Clear)}, TLS {Text(Tls)}, cost of TLS {Text(Cost)} = {Share.Median:P1} ({Share.Least:P1} to {Share.Most:P1})");
        return table.ToString();
    }

    /// <summary>All of it for programs.</summary>
    /// <param name="loadAverage">Runnable tasks of the machine, before and after.</param>
    public string ToJson((double Before, double After) loadAverage) => JsonSerializer.Serialize(
        new
        {
            Options.Silos,
            Options.FrontEnds,
            Options.Familles,
            Options.Workers,
            TurnSeconds = Options.Turn.TotalSeconds,
            Unit = "CPU microseconds per read",
            Clear,
            Tls,
            Cost,
            Share,
            Turns = Pairs.Select(pair => new { Clear = Figures(pair.Clear), Tls = Figures(pair.Tls), pair.Cost, pair.Share }),
            LoadAverage = new[] { loadAverage.Before, loadAverage.After },
        },
        Indented);

    private static object Figures(LinkTurn turn) => new
    {
        turn.Reads,
        FrontEnds = turn.FrontEnds.TotalMicroseconds / turn.Reads,
        Silos = turn.Silos.TotalMicroseconds / turn.Reads,
        turn.PerRead,
    };

    private static string Line(LinkTurn turn) => string.Create(
        CultureInfo.InvariantCulture,
        $"{turn.FrontEnds.TotalMicroseconds / turn.Reads,13:0.0} + {turn.Silos.TotalMicroseconds / turn.Reads,5:0.0} = {turn.PerRead,6:0.0} ({turn.Reads,7})");

    private static string Text(Spread spread) => string.Create(CultureInfo.InvariantCulture, $"{spread.Median:0.0} ({spread.Least:0.0} to {spread.Most:0.0})");
}
