using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text;
using DroitsAmeli.Load.Processes;

namespace DroitsAmeli.Load.Reads;

/// <summary>
/// The right answers to one type of partner. The first answer to a question must be what the simulated population says of the person who asked;
/// each later one must be the same to the byte. Answers depend on the day in Paris, so each day has its own page.
/// </summary>
/// <param name="si">Knows the people.</param>
/// <param name="reader">Who reads; null: an établissement, which may see everything.</param>
public sealed class AnswerBook(SimulatedSi si, Partner? reader = null)
{
    private static readonly TimeZoneInfo Paris = TimeZoneInfo.FindSystemTimeZoneById("Europe/Paris");

    private readonly ConcurrentDictionary<(DateOnly, Question), byte[]> known = new();

    private bool ForOrganisme => reader is { IsOrganisme: true };

    /// <summary>Whether this is the answer to that question, be it a body or a refusal; learns it when it is the first.</summary>
    public bool IsRight(Question question, Reading reading)
    {
        if (ForOrganisme && reading.CacheStatus is not null)
            return false;
        var (sent, received) = (DayOf(reading.ReceivedAt - reading.Took), DayOf(reading.ReceivedAt));
        return IsRight(question, reading, received) || (sent != received && IsRight(question, reading, sent));
    }

    private static DateOnly DayOf(DateTimeOffset instant) => DateOnly.FromDateTime(TimeZoneInfo.ConvertTime(instant, Paris).DateTime);

    private bool IsRight(Question question, Reading reading, DateOnly day)
    {
        var hash = SHA256.HashData(reading.Status == 200 ? reading.Body : Encoding.UTF8.GetBytes(reading.Outcome));
        if (known.TryGetValue((day, question), out var expected))
            return expected.AsSpan().SequenceEqual(hash);
        return RightAnswers.Is(si.Population.Get(question.Famille), question.Resource, reading, day, ForOrganisme)
            && known.GetOrAdd((day, question), hash).AsSpan().SequenceEqual(hash);
    }
}
