using System.Globalization;

namespace DroitsAmeli.Simulators.RegimeSi;

/// <summary>One change of a family.</summary>
internal sealed record Evenement(string Curseur, string Famille, long Version);

/// <summary>What a reader of the feed gets.</summary>
/// <param name="Evenements">In order; null when the cursor is too old, or not one of this feed.</param>
/// <param name="Curseur">Where to go on from.</param>
internal sealed record FeedPage(IReadOnlyList<Evenement>? Evenements, string Curseur);

/// <summary>The SI's change feed: the last events in memory, and readers that wait for the next without a thread.</summary>
internal sealed class EvenementFeed(int capacity, TimeProvider time)
{
    private const int LargestPage = 5_000;

    private readonly string _epoch = time.GetUtcNow().ToUnixTimeMilliseconds().ToString(CultureInfo.InvariantCulture);
    private readonly Evenement[] _events = new Evenement[capacity];
    private readonly Lock _lock = new();
    private TaskCompletionSource _arrival = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private long _first = 1;
    private long _last;

    public void Publish(string famille, long version)
    {
        TaskCompletionSource arrival;
        lock (_lock)
        {
            _last++;
            _events[_last % capacity] = new Evenement(Cursor(_last), famille, version);
            _first = Math.Max(_first, _last - capacity + 1);
            (arrival, _arrival) = (_arrival, new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously));
        }

        arrival.TrySetResult();
    }

    /// <summary>Loses what is remembered, and one event that nobody will ever see: all cursors given so far become too old.</summary>
    public void Forget()
    {
        lock (_lock)
        {
            _last++;
            _first = _last + 1;
        }
    }

    /// <summary>The events after a cursor, waiting for one if there is none yet; without a cursor, the feed starts now.</summary>
    public async Task<FeedPage> Read(string? after, TimeSpan wait, CancellationToken cancellationToken)
    {
        var deadline = time.GetUtcNow() + wait;
        while (true)
        {
            Task arrival;
            TimeSpan left;
            lock (_lock)
            {
                if (string.IsNullOrEmpty(after))
                    return new FeedPage([], Cursor(_last));
                if (Position(after) is not { } position || position < _first - 1 || position > _last)
                    return new FeedPage(null, Cursor(_last));

                var page = new Evenement[Math.Min(_last - position, LargestPage)];
                for (var at = 0; at < page.Length; at++)
                    page[at] = _events[(position + 1 + at) % capacity];
                left = deadline - time.GetUtcNow();
                if (page.Length > 0 || left <= TimeSpan.Zero)
                    return new FeedPage(page, page.Length > 0 ? page[^1].Curseur : after);
                arrival = _arrival.Task;
            }

            try
            {
                await arrival.WaitAsync(left, time, cancellationToken);
            }
            catch (TimeoutException)
            {
                return new FeedPage([], after);
            }
        }
    }

    private string Cursor(long number) => string.Create(CultureInfo.InvariantCulture, $"{_epoch}-{number}");

    private long? Position(string cursor)
    {
        var parts = cursor.Split('-');
        return parts.Length == 2 && parts[0] == _epoch && long.TryParse(parts[1], NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : null;
    }
}
