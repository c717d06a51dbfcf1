namespace DroitsAmeli.Load.Reads;

/// <summary>Draws ranks from 0 so that rank r comes up in proportion to 1 / (r + 1)^skew. For one thread; the same seed gives the same draws.</summary>
public sealed class Zipf
{
    private readonly double[] cumulated;
    private readonly Random random;

    /// <param name="count">How many ranks.</param>
    /// <param name="skew">0.99 for traffic as it is usually found.</param>
    /// <param name="seed">Of the draws.</param>
    public Zipf(int count, double skew, int seed)
    {
        random = new Random(seed);
        cumulated = new double[count];
        var sum = 0.0;
        for (var rank = 0; rank < count; rank++)
            cumulated[rank] = sum += Math.Pow(rank + 1, -skew);
    }

    /// <summary>The next rank.</summary>
    public int Next()
    {
        var found = Array.BinarySearch(cumulated, random.NextDouble() * cumulated[^1]);
        return Math.Min(found < 0 ? ~found : found + 1, cumulated.Length - 1);
    }
}
