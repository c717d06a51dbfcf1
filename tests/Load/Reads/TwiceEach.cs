namespace DroitsAmeli.Load.Reads;

/// <summary>Families that nobody has asked about, each asked twice: the second time tells whether what the first one got was kept. For one thread.</summary>
/// <param name="first">Index of the first family.</param>
/// <param name="behind">How many other families are asked for the first time in between.</param>
public sealed class TwiceEach(long first, int behind)
{
    private long turn;

    /// <summary>How many families have been asked.</summary>
    public int Asked { get; private set; }

    /// <summary>The next family.</summary>
    public long Next()
    {
        var again = turn++ % 2 == 1 && Asked > behind;
        return again ? first + Asked - behind - 1 : first + Asked++;
    }
}
