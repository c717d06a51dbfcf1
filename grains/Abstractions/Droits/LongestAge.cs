namespace DroitsAmeli.Grains.Droits;

/// <summary>
/// The age from which on no copy of rights is shown to anybody, whatever a convention says and however long the SI fails. What is kept for the
/// sake of copies, such as orders and keys, is kept as long.
/// </summary>
public static class LongestAge
{
    public const int Hours = 72;

    public static readonly TimeSpan Span = TimeSpan.FromHours(Hours);
}
