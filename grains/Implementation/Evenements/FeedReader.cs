using System.Threading.Channels;
using DroitsAmeli.Grains.Familles;

namespace DroitsAmeli.Grains.Evenements;

/// <summary>A page on its way from the reader.</summary>
/// <param name="Reading">In which it was read: what was read before the feed is read again counts no more.</param>
/// <param name="Evenements">What it tells.</param>
/// <param name="Curseur">Where it ends.</param>
/// <param name="Restart">Why it does not follow the one before, see <see cref="RestartReason"/>; null when it does.</param>
internal sealed record PageRead(int Reading, Evenement[] Evenements, string Curseur, string? Restart);

/// <summary>Why the feed is followed from a cursor that has nothing to do with the last one.</summary>
internal static class RestartReason
{
    /// <summary>Nobody has followed it before, and nothing can be held from before.</summary>
    public const string First = "first";

    /// <summary>Where the last follower got to is not known.</summary>
    public const string Lost = "lost";

    /// <summary>The SI no longer knows the cursor.</summary>
    public const string Gone = "gone";

    /// <summary>The SI gives a page that cannot be read, and goes on giving it.</summary>
    public const string Refused = "refused";
}

/// <summary>Reads the feed ahead of what is done with it, and paces the polls. Lives on one scheduler; not thread-safe.</summary>
/// <param name="client">Polls.</param>
/// <param name="alarms">Are told of each poll.</param>
/// <param name="time">The clock.</param>
internal sealed class FeedReader(EvenementsClient client, FeedAlarms alarms, TimeProvider time) : IDisposable
{
    private const int PagesAhead = 16;

    // With the pauses between them some 15 s: who gives a wrong page may notice.
    private const int RefusalsOfAPage = 5;

    private static readonly TimeSpan ShortestPause = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(30);

    private readonly Channel<PageRead> pages = Channel.CreateBounded<PageRead>(PagesAhead);
    private CancellationTokenSource? poll;
    private string? readUpTo;
    private string? restart;
    private bool finishing;
    private int reading;

    /// <summary>What was read and nobody has taken yet.</summary>
    public ChannelReader<PageRead> Pages => pages.Reader;

    /// <summary>False when the feed is read again from before that page.</summary>
    public bool Counts(PageRead page) => page.Reading == reading;

    /// <summary>Where the first poll begins; to be called before <see cref="Run"/>.</summary>
    /// <param name="curseur">Null: now.</param>
    /// <param name="reason">Why it begins now, see <see cref="RestartReason"/>.</param>
    public void BeginAt(string? curseur, string? reason) => (readUpTo, restart) = (curseur, reason);

    /// <summary>Forgets what was read, and goes on from there; null: from now, since the cursor is lost.</summary>
    public void ReadAgainFrom(string? curseur)
    {
        reading++;
        readUpTo = curseur;
        if (curseur is null)
            restart = RestartReason.Lost;
        poll?.Cancel();
    }

    /// <summary>Reads no more.</summary>
    public void Finish()
    {
        finishing = true;
        poll?.Cancel();
    }

    /// <summary>Reads until it is told to stop.</summary>
    public async Task Run(CancellationToken stopping)
    {
        var (pause, pauseWhenGone) = (ShortestPause, ShortestPause);
        var wasGone = false;
        var refusals = 0;
        (string? Asked, string? End) refusedPage = default;
        while (true)
        {
            if (finishing)
                await Task.Delay(Timeout.InfiniteTimeSpan, time, stopping);
            var began = time.GetTimestamp();
            var (asked, round) = (readUpTo, reading);
            FeedAnswer answer;
            using (poll = CancellationTokenSource.CreateLinkedTokenSource(stopping))
            {
                try
                {
                    answer = await client.Poll(asked, poll.Token);
                }
                catch (OperationCanceledException) when (!stopping.IsCancellationRequested)
                {
                    continue;
                }
                finally
                {
                    poll = null;
                }
            }
            if (round != reading || finishing)
                continue;

            var next = ShortestPause;
            switch (answer)
            {
                case FeedAnswer.Failed failed:
                    alarms.FeedFailed();
                    await Task.Delay(failed.RetryAfter is { } wait ? Within(wait, pause, LongestPause) : pause, time, stopping);
                    pause = Longer(pause);
                    continue;

                case FeedAnswer.Refused refused:
                    refusals = refusedPage == (asked, refused.Curseur) ? refusals : 0;
                    refusedPage = (asked, refused.Curseur);
                    alarms.PageRefused(refused.Reason, isFirst: refusals == 0);
                    refusals++;
                    if (refused.Curseur is not { } end || refusals < RefusalsOfAPage)
                    {
                        await Task.Delay(pause, time, stopping);
                        pause = Longer(pause);
                        continue;
                    }

                    // What it tells is lost, and what comes after it is not.
                    refusals = 0;
                    readUpTo = end;
                    await pages.Writer.WriteAsync(new PageRead(round, [], end, asked is null ? restart : RestartReason.Refused), stopping);
                    break;

                case FeedAnswer.Gone gone:
                    // That it does not know the cursor it has just given is no answer.
                    if (wasGone)
                        alarms.FeedFailed();
                    else
                        alarms.FeedAnswered();
                    (wasGone, refusals) = (true, 0);
                    readUpTo = gone.Curseur;
                    (next, pauseWhenGone) = (pauseWhenGone, Longer(pauseWhenGone));
                    if (gone.Curseur is { } from)
                        await pages.Writer.WriteAsync(new PageRead(round, [], from, RestartReason.Gone), stopping);
                    else
                        restart = RestartReason.Gone;
                    break;

                case FeedAnswer.Page page:
                    alarms.FeedAnswered();
                    (wasGone, refusals) = (false, 0);
                    (pause, pauseWhenGone) = (ShortestPause, ShortestPause);
                    readUpTo = page.Curseur;
                    Telemetry.Evenements.Add(page.Evenements.Length);
                    if (page.Evenements.Length > 0 || page.Curseur != asked)
                        await pages.Writer.WriteAsync(new PageRead(round, page.Evenements, page.Curseur, asked is null ? restart : null), stopping);
                    if (page.Evenements.Length > 0 || asked is null)
                        next = TimeSpan.Zero;
                    break;
            }

            // An SI that answers without waiting, and has nothing to tell, is not asked again at once.
            if (next - time.GetElapsedTime(began) is { Ticks: > 0 } rest)
                await Task.Delay(rest, time, stopping);
        }
    }

    public void Dispose() => poll?.Dispose();

    private static TimeSpan Longer(TimeSpan pause) => pause * 2 < LongestPause ? pause * 2 : LongestPause;

    private static TimeSpan Within(TimeSpan wait, TimeSpan least, TimeSpan most) => wait < least ? least : wait > most ? most : wait;
}
