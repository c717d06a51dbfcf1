using DroitsAmeli.Grains.Familles;
using DroitsAmeli.Grains.RegimeSi;
using Microsoft.Extensions.Logging;

namespace DroitsAmeli.Grains.Evenements;

/// <summary>What the operator is told of the following of the change feed. Lives on one scheduler; not thread-safe.</summary>
internal sealed partial class FeedAlarms
{
    private static readonly TimeSpan AlarmAfter = TimeSpan.FromMinutes(5);

    private readonly TimeProvider time;
    private readonly ILogger logger;
    private long lastAnswer;
    private long lastAdvance;
    private string? lastCurseur;
    private long lastFeedAlarm;
    private long lastCursorAlarm;
    private long lastRefusalAlarm;

    public FeedAlarms(TimeProvider time, ILogger logger)
    {
        (this.time, this.logger) = (time, logger);
        lastAnswer = lastAdvance = lastFeedAlarm = lastCursorAlarm = time.GetTimestamp();
    }

    /// <summary>The feed has told something that can be followed.</summary>
    public void FeedAnswered() => lastAnswer = time.GetTimestamp();

    /// <summary>It has not: an alarm when that goes on for 5 minutes.</summary>
    public void FeedFailed()
    {
        if (time.GetElapsedTime(lastAnswer) < AlarmAfter || time.GetElapsedTime(lastFeedAlarm) < AlarmAfter)
            return;
        lastFeedAlarm = time.GetTimestamp();
        Telemetry.Alarms.Add(1, new KeyValuePair<string, object?>("alarm", "evenements"));
        LogFeedFails(logger, time.GetElapsedTime(lastAnswer).TotalMinutes);
    }

    /// <summary>It has given a page that cannot be read: an alarm at once, and again when that goes on for 5 minutes.</summary>
    /// <param name="reason">What is wrong with it.</param>
    /// <param name="isFirst">True when it is not the page of the last time.</param>
    public void PageRefused(RefusalReason reason, bool isFirst)
    {
        if (!isFirst && time.GetElapsedTime(lastRefusalAlarm) < AlarmAfter)
            return;
        lastRefusalAlarm = time.GetTimestamp();
        Telemetry.Alarms.Add(1, new KeyValuePair<string, object?>("alarm", "evenements_refused"));
        LogRefused(logger, reason);
    }

    /// <summary>Records for how long the feed has not answered.</summary>
    public void RecordLag() => Telemetry.EvenementsLag.Record(time.GetElapsedTime(lastAnswer).TotalSeconds);

    /// <summary>Looks at how far everybody was told: an alarm when that has not moved for 5 minutes.</summary>
    /// <param name="curseur">Up to where.</param>
    /// <param name="isIdle">True when there is nothing that anybody is still to be told.</param>
    public void LookAt(string? curseur, bool isIdle)
    {
        if (curseur != lastCurseur || isIdle)
            (lastAdvance, lastCurseur) = (time.GetTimestamp(), curseur);
        var held = time.GetElapsedTime(lastAdvance);
        Telemetry.EvenementsHeldBack.Record(held.TotalSeconds);
        if (held < AlarmAfter || time.GetElapsedTime(lastCursorAlarm) < AlarmAfter)
            return;
        lastCursorAlarm = time.GetTimestamp();
        Telemetry.Alarms.Add(1, new KeyValuePair<string, object?>("alarm", "evenements_held_back"));
        LogHeldBack(logger, held.TotalMinutes);
    }

    /// <summary>Events were missed, and an order stands for them.</summary>
    /// <param name="reason">See <see cref="RestartReason"/>.</param>
    /// <param name="ordre">Makes stale what is held.</param>
    public void Missed(string reason, Ordre ordre)
    {
        Telemetry.EvenementsResets.Add(1, new KeyValuePair<string, object?>("reason", reason));
        LogReset(logger, reason, (ordre.Instant + ordre.Spread - time.GetUtcNow()).TotalMinutes);
    }

    /// <summary>The database did not do its part.</summary>
    public void StoreFailed(Exception error) => LogStoreFailed(logger, error.GetType().Name);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Events of the régime SI were missed ({Reason}): everything held is asked again within {Minutes:F0} min. Nothing has to be done unless it repeats: then ask the régime SI for how long it keeps its events (gone), or why it gives pages that cannot be read (refused), or see what became of the table evenements_curseur (lost).")]
    private static partial void LogReset(ILogger logger, string reason, double minutes);

    [LoggerMessage(Level = LogLevel.Warning, Message = "The database does not take the change feed's part: {Error}. The silos are told all the same, and the database is tried again: see that the one of Storage:ConnectionString runs, has room, and answers within a second.")]
    private static partial void LogStoreFailed(ILogger logger, string error);

    [LoggerMessage(Level = LogLevel.Error, Message = "The régime SI's change feed has told nothing that can be followed for {Minutes:F0} min: changes are seen as copies age only. See that RegimeSi:BaseUrl, with RegimeSi:ApiKey, answers /si/v1/evenements from this silo; if it does not, tell who runs the régime SI.")]
    private static partial void LogFeedFails(ILogger logger, double minutes);

    [LoggerMessage(Level = LogLevel.Error, Message = "A page of the régime SI's change feed cannot be read ({Reason}), and no change is seen before it can. Report it to who runs the régime SI, with the reason. If the page says where it ends, it is left out after some tries, and everything held is asked again instead; else it is tried until it can be read.")]
    private static partial void LogRefused(ILogger logger, RefusalReason reason);

    [LoggerMessage(Level = LogLevel.Error, Message = "The change feed's cursor has waited for a silo or the database for {Minutes:F0} min. Look for a silo that GET /admin/silos lists without counts, and restart it; if there is none, see that the database of Storage:ConnectionString takes writes.")]
    private static partial void LogHeldBack(ILogger logger, double minutes);
}
