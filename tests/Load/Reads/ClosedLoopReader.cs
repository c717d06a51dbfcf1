using DroitsAmeli.Load.Processes;

namespace DroitsAmeli.Load.Reads;

/// <summary>Reads families one after the other with a few workers, as fast as answers come: to fill the cache, or to look at all of it.</summary>
public sealed class ClosedLoopReader(Deployment deployment, AnswerBook book)
{
    private const int Batch = 500;
    private const int Tries = 20;
    private static readonly TimeSpan Lifetime = TimeSpan.FromMinutes(10);
    private static readonly TimeSpan CallLimit = TimeSpan.FromSeconds(20);
    private static readonly TimeSpan PauseBetweenTries = TimeSpan.FromMilliseconds(500);

    /// <summary>Reads these resources of each family, once each.</summary>
    /// <param name="first">Index of the first family.</param>
    /// <param name="count">How many.</param>
    /// <param name="workers">Calls at once.</param>
    /// <param name="resources">What to read of each.</param>
    /// <param name="insist">Whether a read that fails is tried again, some 10 s: for filling.</param>
    /// <param name="cancellationToken">Ends it.</param>
    /// <param name="seen">Gets each answer with its question; called by many threads.</param>
    public async Task<ReadReport> Sweep(
        long first, int count, int workers, IReadOnlyList<Resource> resources, bool insist, CancellationToken cancellationToken,
        Action<Question, Reading>? seen = null)
    {
        var report = new ReadReport();
        using var http = Deployment.NewHttp(CallLimit);
        var options = new ParallelOptions { MaxDegreeOfParallelism = workers, CancellationToken = cancellationToken };
        for (var done = 0; done < count; done += Batch)
        {
            var familles = Enumerable.Range(done, Math.Min(Batch, count - done)).Select(index => first + index).ToList();
            var tokens = await deployment.FranceConnect.Mint(familles, Partner.Hopital, Lifetime, cancellationToken);
            await Parallel.ForEachAsync(familles.Zip(tokens), options, async (asked, stop) =>
            {
                foreach (var resource in resources)
                    await Read(http, new Question(asked.First, resource), asked.Second, report, insist, seen, stop);
            });
        }

        return report;
    }

    private async Task Read(HttpClient http, Question question, string token, ReadReport report, bool insist, Action<Question, Reading>? seen, CancellationToken stop)
    {
        for (var attempt = 1; ; attempt++)
        {
            var entrance = deployment.Entrances[(int)((question.Famille + attempt) % deployment.Entrances.Count)];
            using var request = question.To(entrance, Partner.Hopital, token, deployment.RegimeSi);
            var reading = await Reading.Of(http, request, stop);
            if (reading.Status == 200 || !insist || attempt == Tries)
            {
                seen?.Invoke(question, reading);
                report.Add(question, reading, reading.Took, reading.Status != 200 || book.IsRight(question, reading), DeclaredAge.Of(deployment.SiloSettings, Partner.Hopital));
                return;
            }

            await Task.Delay(PauseBetweenTries, TimeProvider.System, stop);
        }
    }
}
