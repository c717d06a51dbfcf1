using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text;
using DroitsAmeli.Load.Processes;

namespace DroitsAmeli.Load.Reads;

/// <summary>
/// The right answers. The first answer to a question must be about the person who asked, as the simulated population knows them; each
/// later one must be the same to the byte. Answers depend on the day in Paris, so each day has its own page.
/// </summary>
/// <param name="si">Knows the people.</param>
/// <param name="reader">Who reads; null: an établissement, which may see everything.</param>
public sealed class AnswerBook(SimulatedSi si, Partner? reader = null)
{
    private static readonly TimeZoneInfo Paris = TimeZoneInfo.FindSystemTimeZoneById("Europe/Paris");

    private readonly ConcurrentDictionary<(DateOnly, Question), byte[]> known = new();

    /// <summary>Whether this body answers that question; learns it when it is the first.</summary>
    public bool IsRight(Question question, Reading reading)
    {
        if (ShowsTooMuch(reading))
            return false;
        var day = DateOnly.FromDateTime(TimeZoneInfo.ConvertTime(reading.ReceivedAt, Paris).DateTime);
        var hash = SHA256.HashData(reading.Body);
        if (known.TryGetValue((day, question), out var expected))
            return expected.AsSpan().SequenceEqual(hash);
        return IsAboutTheUser(question, reading.Body) && known.GetOrAdd((day, question), hash).AsSpan().SequenceEqual(hash);
    }

    /// <summary>Forgets what was right of a family that has changed.</summary>
    public void Forget(long famille)
    {
        foreach (var (entry, _) in known)
        {
            if (entry.Item2.Famille == famille)
                known.TryRemove(entry, out _);
        }
    }

    // An organisme learns neither the reason of an exemption nor the state of the cache.
    private bool ShowsTooMuch(Reading reading) =>
        reader is { IsOrganisme: true } && (Encoding.UTF8.GetString(reading.Body).Contains("\"motif\"", StringComparison.Ordinal) || reading.CacheStatus is not null);

    private bool IsAboutTheUser(Question question, byte[] body) =>
        question.Resource switch
        {
            Resource.Me => Says(body, "nir", User(question.Famille).Beneficiaire.Nir!),
            Resource.Caisse when User(question.Famille).Droits.Caisse is { } caisse => Says(body, "codeCentre", caisse.CodeCentre),
            _ => body.Length > 0,
        };

    private DroitsAmeli.Simulators.MembreSimule User(long famille) => si.Population.Get(famille).Membres[0];

    private static bool Says(byte[] body, string name, string value) =>
        Encoding.UTF8.GetString(body).Contains($"\"{name}\":\"{value}\"", StringComparison.Ordinal);
}
