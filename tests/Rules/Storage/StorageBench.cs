using System.Collections.Concurrent;
using System.Diagnostics;
using System.Diagnostics.Metrics;
using System.Security.Cryptography;
using System.Text;
using DroitsAmeli.Grains;
using DroitsAmeli.Grains.Storage;
using Microsoft.Extensions.Logging;
using Orleans.Runtime;
using Xunit;

namespace DroitsAmeli.Tests.Rules.Storage;

/// <summary>The meters are the process's: whoever counts on them runs alone.</summary>
[CollectionDefinition(Name, DisableParallelization = true)]
public sealed class StorageCounters
{
    public const string Name = "storage counters";
}

/// <summary>What the tests of the store share.</summary>
internal static class StorageBench
{
    public static readonly DateTimeOffset Start = new(2026, 3, 2, 9, 0, 0, TimeSpan.Zero);
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(30);

    /// <summary>Keeps, of two snapshots, the one that was loaded later.</summary>
    public static readonly SnapshotKind Kind = new("famille-1", (stored, mine) => mine.NewestLoad > stored.NewestLoad ? mine : stored);

    public static GrainId Grain(string key) => GrainId.Create("famille", "f-" + key);

    public static Snapshot Snapshot(string content, TimeSpan age = default, TimeSpan? life = null) => new(
        Encoding.UTF8.GetBytes(content), Start - age, Start - age, Start + (life ?? TimeSpan.FromHours(24)));

    public static string Text(this Snapshot snapshot) => Encoding.UTF8.GetString(snapshot.Content.Span);

    public static StorageKeys Keys(string active, params string[] ids) => StorageKeys.Parse(Encoding.UTF8.GetBytes(KeysFile(active, ids)));

    /// <summary>A file in which each key follows from its id.</summary>
    public static string KeysFile(string active, params string[] ids)
    {
        var keys = ids.Select(id => $"\"{id}\": \"{Convert.ToBase64String(SHA256.HashData(Encoding.UTF8.GetBytes(id)))}\"");
        return $$"""{ "active": "{{active}}", "keys": { {{string.Join(", ", keys)}} } }""";
    }

    /// <summary>Waits for what is counted.</summary>
    public static async Task Until(Func<bool> condition, string otherwise)
    {
        var begun = Stopwatch.StartNew();
        while (!condition())
        {
            Assert.True(begun.Elapsed < Limit, otherwise);
            await Task.Delay(TimeSpan.FromMilliseconds(5), TimeProvider.System, TestContext.Current.CancellationToken);
        }
    }
}

/// <summary>Counts what the store counts while it lives, by instrument and label.</summary>
internal sealed class Counts : IDisposable
{
    private readonly ConcurrentDictionary<string, long> counts = new();
    private readonly MeterListener listener = new();

    public Counts()
    {
        listener.InstrumentPublished = (instrument, own) =>
        {
            if (instrument.Meter.Name == Telemetry.MeterName && (instrument.Name.Contains("storage", StringComparison.Ordinal) || instrument.Name == "droits.alarms"))
                own.EnableMeasurementEvents(instrument);
        };
        listener.SetMeasurementEventCallback<long>((instrument, value, tags, _) =>
        {
            var name = instrument.Name.Replace("droits.", "", StringComparison.Ordinal);
            foreach (var tag in tags)
                name += ":" + tag.Value;
            counts.AddOrUpdate(name, value, (_, sum) => sum + value);
        });
        listener.Start();
    }

    /// <summary>For example storage.reads:found.</summary>
    public long this[string name] => counts.GetValueOrDefault(name);

    public override string ToString() => string.Join(", ", counts.OrderBy(entry => entry.Key).Select(entry => $"{entry.Key}={entry.Value}"));

    public void Dispose() => listener.Dispose();
}

/// <summary>Keeps what is logged.</summary>
internal sealed class Lines<T> : ILogger<T>
{
    private readonly ConcurrentQueue<(LogLevel Level, string Text)> lines = new();

    public IReadOnlyCollection<(LogLevel Level, string Text)> All => lines;

    public IDisposable? BeginScope<TState>(TState state) where TState : notnull => null;

    public bool IsEnabled(LogLevel logLevel) => true;

    public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
        lines.Enqueue((logLevel, formatter(state, exception) + exception));
}
