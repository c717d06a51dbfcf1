using System.Numerics;

namespace DroitsAmeli.Simulators;

/// <summary>
/// A keyed one-to-one scrambling of the numbers from 0 to <c>count</c> − 1 that can be undone, in constant memory:
/// a Feistel network over the next even number of bits, walked until it falls inside.
/// </summary>
internal sealed class Permutation
{
    private const int Rounds = 6;

    private readonly ulong[] _keys = new ulong[Rounds];
    private readonly ulong _count;
    private readonly int _half;
    private readonly ulong _mask;

    public Permutation(long key, long count)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(count, 1);
        _count = (ulong)count;
        _half = Math.Max(1, (65 - BitOperations.LeadingZeroCount(_count)) / 2);
        _mask = (1UL << _half) - 1;
        for (var round = 0; round < Rounds; round++)
            _keys[round] = Draw.Mix((ulong)key + (ulong)(round + 1) * 0x9E3779B97F4A7C15UL);
    }

    public long Count => (long)_count;

    public long Scramble(long value)
    {
        var walked = Checked(value);
        do
        {
            var (left, right) = (walked >> _half, walked & _mask);
            foreach (var key in _keys)
                (left, right) = (right, left ^ (Draw.Mix(right + key) & _mask));
            walked = (left << _half) | right;
        }
        while (walked >= _count);
        return (long)walked;
    }

    public long Unscramble(long value)
    {
        var walked = Checked(value);
        do
        {
            var (left, right) = (walked >> _half, walked & _mask);
            for (var round = Rounds - 1; round >= 0; round--)
                (left, right) = (right ^ (Draw.Mix(left + _keys[round]) & _mask), left);
            walked = (left << _half) | right;
        }
        while (walked >= _count);
        return (long)walked;
    }

    private ulong Checked(long value)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(value);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((ulong)value, _count, nameof(value));
        return (ulong)value;
    }
}
