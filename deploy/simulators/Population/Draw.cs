namespace DroitsAmeli.Simulators;

/// <summary>A stream of pseudo-random numbers that depends on its key alone: the same on every machine and in every run.</summary>
internal struct Draw
{
    private ulong _state;

    public Draw(long seed, long a, long b = 0, long c = 0) =>
        _state = Mix(Mix(Mix(Mix((ulong)seed + 0x5851F42D4C957F2DUL) + (ulong)a) + (ulong)b) + (ulong)c);

    /// <summary>The next number from 0 to <paramref name="count"/> − 1.</summary>
    public int Next(int count) => (int)(NextBits() % (ulong)count);

    /// <summary>The next number from <paramref name="first"/> to <paramref name="last"/>, both included.</summary>
    public int Between(int first, int last) => first + Next(last - first + 1);

    /// <summary>True in <paramref name="percent"/> of 100 draws.</summary>
    public bool Chance(double percent) => Unit() * 100 < percent;

    /// <summary>The next number in [0, 1).</summary>
    public double Unit() => (NextBits() >> 11) * (1.0 / (1UL << 53));

    public T Pick<T>(IReadOnlyList<T> items) => items[Next(items.Count)];

    private ulong NextBits() => Mix(_state += 0x9E3779B97F4A7C15UL);

    /// <summary>A one-to-one scrambling of 64 bits (the finaliser of SplitMix64).</summary>
    public static ulong Mix(ulong value)
    {
        value = (value ^ (value >> 30)) * 0xBF58476D1CE4E5B9UL;
        value = (value ^ (value >> 27)) * 0x94D049BB133111EBUL;
        return value ^ (value >> 31);
    }
}
