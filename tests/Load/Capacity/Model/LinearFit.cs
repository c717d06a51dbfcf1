namespace DroitsAmeli.Load.Capacity;

/// <summary>CPU of all processes of one role together.</summary>
/// <param name="FixedCores">What it costs that they are there, in cores.</param>
/// <param name="WarmVisitMs">What a visit of a family whose copies are fresh adds, in CPU milliseconds.</param>
/// <param name="ColdVisitMs">What a visit of a family of which nothing is held adds, in CPU milliseconds.</param>
public sealed record RoleCosts(double FixedCores, double WarmVisitMs, double ColdVisitMs)
{
    /// <summary>The costs of two roles together.</summary>
    public static RoleCosts operator +(RoleCosts one, RoleCosts other) =>
        new(one.FixedCores + other.FixedCores, one.WarmVisitMs + other.WarmVisitMs, one.ColdVisitMs + other.ColdVisitMs);

    /// <summary>CPU milliseconds of one visit among which so many are cold.</summary>
    /// <param name="coldShare">From 0 to 1.</param>
    public double VisitMs(double coldShare) => WarmVisitMs + (ColdVisitMs - WarmVisitMs) * coldShare;
}

/// <summary>What one role used while so many visits were made.</summary>
/// <param name="Seconds">How long it was watched.</param>
/// <param name="WarmVisits">Visits by families whose copies were fresh.</param>
/// <param name="ColdVisits">Visits by families of which nothing was held.</param>
/// <param name="CpuSeconds">User and system time of all its processes.</param>
public readonly record struct CpuSample(double Seconds, double WarmVisits, double ColdVisits, double CpuSeconds);

/// <summary>Splits what was used into what time costs and what visits cost, by least squares.</summary>
public static class LinearFit
{
    private const double MsPerSecond = 1000;

    /// <summary>The costs that explain the samples best; none of them is below zero.</summary>
    /// <exception cref="ArgumentException">The samples do not tell the three costs apart: there must be rest, warm visits and cold ones.</exception>
    public static RoleCosts Of(IReadOnlyCollection<CpuSample> samples)
    {
        var normal = new double[3, 4];
        foreach (var sample in samples)
        {
            double[] row = [sample.Seconds, sample.WarmVisits, sample.ColdVisits, sample.CpuSeconds];
            for (var line = 0; line < 3; line++)
            {
                for (var column = 0; column < 4; column++)
                    normal[line, column] += row[line] * row[column];
            }
        }

        Eliminate(normal);
        return new(Math.Max(0, normal[0, 3]), Math.Max(0, normal[1, 3] * MsPerSecond), Math.Max(0, normal[2, 3] * MsPerSecond));
    }

    // Gauss and Jordan; the matrix is symmetric and, where the samples differ enough, positive definite: no pivot is looked for.
    private static void Eliminate(double[,] normal)
    {
        for (var pivot = 0; pivot < 3; pivot++)
        {
            if (!(normal[pivot, pivot] > 1e-6))
                throw new ArgumentException("The samples do not tell what rest, warm and cold visits cost.");
            for (var column = 3; column >= pivot; column--)
                normal[pivot, column] /= normal[pivot, pivot];
            for (var line = 0; line < 3; line++)
            {
                if (line == pivot)
                    continue;
                for (var column = 3; column >= pivot; column--)
                    normal[line, column] -= normal[line, pivot] * normal[pivot, column];
            }
        }
    }
}
