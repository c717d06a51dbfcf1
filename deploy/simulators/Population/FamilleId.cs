using System.Diagnostics.CodeAnalysis;

namespace DroitsAmeli.Simulators;

/// <summary>
/// Family ids: eight characters of Crockford's base 32, a keyed scrambling of the family's number. They carry nothing of the person
/// and only the simulator can read them.
/// </summary>
internal sealed class FamilleId(long seed)
{
    /// <summary>Numbers from here on are the named personas' families; the bulk population counts from 0.</summary>
    public const long FirstPersona = 1L << 38;

    /// <summary>Numbers from here on are families that a change made while the simulator ran.</summary>
    public const long FirstCreated = 1L << 39;

    private const string Alphabet = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
    private const int Length = 8;
    private readonly Permutation _permutation = new(seed ^ 0x46414D, 1L << 40);

    public string Write(long number) => string.Create(Length, _permutation.Scramble(number), static (text, scrambled) =>
    {
        for (var at = Length - 1; at >= 0; at--, scrambled >>= 5)
            text[at] = Alphabet[(int)(scrambled & 31)];
    });

    public bool TryRead([NotNullWhen(true)] string? id, out long number)
    {
        number = 0;
        if (id?.Length != Length)
            return false;

        long scrambled = 0;
        foreach (var character in id)
        {
            var digit = Alphabet.IndexOf(character, StringComparison.Ordinal);
            if (digit < 0)
                return false;
            scrambled = scrambled << 5 | (uint)digit;
        }

        number = _permutation.Unscramble(scrambled);
        return true;
    }
}
