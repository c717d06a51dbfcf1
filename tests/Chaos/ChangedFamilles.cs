using System.Collections.Concurrent;
using System.Text.Json.Nodes;
using DroitsAmeli.Load.Processes;
using DroitsAmeli.Load.Reads;
using DroitsAmeli.Simulators.RegimeSi;

namespace DroitsAmeli.Tests.Chaos;

/// <summary>Families that change once each while they are read, by an exemption more, and which version each answer shows.</summary>
/// <param name="deployment">The deployment.</param>
/// <param name="first">Index of the first of them in the population.</param>
/// <param name="count">How many.</param>
internal sealed class ChangedFamilles(Deployment deployment, long first, int count)
{
    private readonly ConcurrentDictionary<long, int> before = new();
    private readonly ConcurrentQueue<Answer> answers = new();
    private long next;

    private readonly record struct Answer(long Famille, DateTimeOffset Sent, DateTimeOffset Received, int More);

    /// <summary>Answers that show neither the version from before the change nor the one from after it.</summary>
    public int Wrong => answers.Count(answer => answer.More is not (0 or 1));

    /// <summary>When calls were sent that showed the former version although an earlier call had shown the later one.</summary>
    public IReadOnlyList<DateTimeOffset> WentBack =>
    [
        .. answers.GroupBy(answer => answer.Famille)
            .SelectMany(famille =>
            {
                var later = famille.Where(answer => answer.More > 0).Select(answer => answer.Received).DefaultIfEmpty(DateTimeOffset.MaxValue).Min();
                return famille.Where(answer => answer.More == 0 && answer.Sent > later).Select(answer => answer.Sent);
            })
            .Order(),
    ];

    /// <summary>One of them after the other, without end. Called by one thread.</summary>
    public long Next() => first + (next++ % count);

    /// <summary>Learns what an answer from before any change shows; those of other families, or resources, are left out.</summary>
    public void Learn(Question question, Reading reading)
    {
        if (question.Famille >= first && question.Famille < first + count && question.Resource == Resource.Exonerations)
            before[question.Famille] = Exonerations(reading);
    }

    /// <summary>Keeps what an answer shows.</summary>
    public void See(Question question, Reading reading)
    {
        if (reading.Status == 200)
            answers.Enqueue(new(question.Famille, reading.ReceivedAt - reading.Took, reading.ReceivedAt, Exonerations(reading) - before[question.Famille]));
    }

    /// <summary>Changes each of them, at equal distances over that time.</summary>
    public async Task Change(TimeSpan duration, CancellationToken stop)
    {
        for (var index = 0; index < count; index++)
        {
            await deployment.RegimeSi.Change(first + index, ChangeKind.AddAld, stop);
            await Task.Delay(duration / count, TimeProvider.System, stop);
        }
    }

    /// <summary>Of the calls sent after that instant, how many showed a former version, and how many of the families the later one.</summary>
    public (int Former, int Familles) After(DateTimeOffset instant)
    {
        var after = answers.Where(answer => answer.Sent > instant).ToList();
        return (after.Count(answer => answer.More == 0), after.Where(answer => answer.More == 1).Select(answer => answer.Famille).Distinct().Count());
    }

    private static int Exonerations(Reading reading) => JsonNode.Parse(reading.Body)!.AsArray().Count;
}
