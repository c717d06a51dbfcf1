using System.Collections.Concurrent;
using System.Security.Cryptography;
using DroitsAmeli.Load.Processes;

namespace DroitsAmeli.Load.Reads;

/// <summary>
/// The right answers to an établissement. The first answer to a question must be what the simulated population says of the person who asked;
/// each later one must be the same to the byte. Answers depend on the day in Paris, so each day has its own page.
/// </summary>
public sealed class AnswerBook(SimulatedSi si)
{
    private static readonly TimeZoneInfo Paris = TimeZoneInfo.FindSystemTimeZoneById("Europe/Paris");

    private readonly ConcurrentDictionary<(DateOnly, Question), byte[]> known = new();

    /// <summary>Whether this body answers that question; learns it when it is the first.</summary>
    public bool IsRight(Question question, Reading reading)
    {
        var (sent, received) = (DayOf(reading.ReceivedAt - reading.Took), DayOf(reading.ReceivedAt));
        return IsRight(question, reading, received) || (sent != received && IsRight(question, reading, sent));
    }

    private static DateOnly DayOf(DateTimeOffset instant) => DateOnly.FromDateTime(TimeZoneInfo.ConvertTime(instant, Paris).DateTime);

    private bool IsRight(Question question, Reading reading, DateOnly day)
    {
        var hash = SHA256.HashData(reading.Body);
        if (known.TryGetValue((day, question), out var expected))
            return expected.AsSpan().SequenceEqual(hash);
        return RightAnswers.Is(si.Population.Get(question.Famille).Membres[0], question.Resource, reading.Body, day)
            && known.GetOrAdd((day, question), hash).AsSpan().SequenceEqual(hash);
    }
}
