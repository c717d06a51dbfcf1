using System.Buffers.Binary;
using System.Globalization;
using DroitsAmeli.Grains.Storage;
using Orleans;
using Orleans.Runtime;
using Orleans.Storage;

namespace DroitsAmeli.Tests.Rules.Storage;

/// <summary>A table as the provider shows it: one row a name and grain, versions that must match, and calls that a test holds up or fails.</summary>
internal sealed class MemoryRows : IGrainStorage
{
    private readonly Lock gate = new();
    private readonly Dictionary<(string, GrainId), (byte[] Payload, int Version)> rows = [];

    public int Reads { get; private set; }

    public int Writes { get; private set; }

    public int Removals { get; private set; }

    public int Calls
    {
        get
        {
            lock (gate)
                return Reads + Writes + Removals;
        }
    }

    public int MostAtOnce { get; private set; }

    public int Count
    {
        get
        {
            lock (gate)
                return rows.Count;
        }
    }

    /// <summary>Runs before each call, named read, write or clear.</summary>
    public Func<string, Task> Before { get; set; } = _ => Task.CompletedTask;

    public long LeastVersion { get; set; }

    private int atOnce;

    public byte[]? this[SnapshotKind kind, GrainId grain]
    {
        get
        {
            lock (gate)
                return rows.TryGetValue((kind.State, grain), out var row) ? row.Payload : null;
        }

        set
        {
            lock (gate)
                rows[(kind.State, grain)] = (value!, rows.GetValueOrDefault((kind.State, grain)).Version + 1);
        }
    }

    public Task ReadStateAsync<T>(string stateName, GrainId grainId, IGrainState<T> grainState) => Call("read", () =>
    {
        Reads++;
        var found = rows.TryGetValue((stateName, grainId), out var row);
        grainState.RecordExists = found;
        grainState.ETag = found ? row.Version.ToString(CultureInfo.InvariantCulture) : null!;
        if (!found)
            return;
        var bytes = new byte[sizeof(long) + row.Payload.Length];
        BinaryPrimitives.WriteInt64BigEndian(bytes, LeastVersion);
        row.Payload.CopyTo(bytes, sizeof(long));
        grainState.State = new SnapshotRowSerializer().Deserialize<T>(new(bytes));
    });

    public Task WriteStateAsync<T>(string stateName, GrainId grainId, IGrainState<T> grainState) => Call("write", () =>
    {
        Writes++;
        var version = rows.GetValueOrDefault((stateName, grainId)).Version;
        Match(version, grainState.ETag);
        rows[(stateName, grainId)] = (new SnapshotRowSerializer().Serialize(grainState.State).ToArray(), version + 1);
    });

    public Task ClearStateAsync<T>(string stateName, GrainId grainId, IGrainState<T> grainState) => Call("clear", () =>
    {
        Removals++;
        rows.Remove((stateName, grainId));
    });

    private static void Match(int version, string? etag)
    {
        if ((etag ?? "0") != version.ToString(CultureInfo.InvariantCulture))
            throw new InconsistentStateException("Another wrote first.");
    }

    private async Task Call(string name, Action act)
    {
        lock (gate)
            MostAtOnce = Math.Max(MostAtOnce, ++atOnce);
        try
        {
            await Before(name);
            lock (gate)
                act();
        }
        finally
        {
            lock (gate)
                atOnce--;
        }
    }
}
