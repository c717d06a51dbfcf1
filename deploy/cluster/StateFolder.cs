using System.Text.Json;
using System.Text.Json.Serialization;

namespace DroitsAmeli.LocalCluster;

/// <summary>The folder that holds all that a cluster keeps: its state file, keys, logs and copies of the programs. It goes with the cluster.</summary>
internal sealed class StateFolder
{
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;
    private const UnixFileMode OwnerReads = UnixFileMode.UserRead | UnixFileMode.UserWrite;
    private static readonly TimeSpan LockPause = TimeSpan.FromMilliseconds(50);
    private static readonly JsonSerializerOptions Json = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        WriteIndented = true,
        Converters = { new JsonStringEnumConverter<Role>(), new JsonStringEnumConverter<Ending>() },
    };

    private readonly string lockFile;

    public StateFolder(string? folder)
    {
        FullName = Path.GetFullPath(folder ?? Default());
        lockFile = Path.Combine(FullName, "lock");
        StateFile = Path.Combine(FullName, "cluster.json");
    }

    public string FullName { get; }

    public string StateFile { get; }

    public string Files => Path.Combine(FullName, "files");

    public string Logs => Path.Combine(FullName, "logs");

    public string Programs => Path.Combine(FullName, "programs");

    /// <summary>Makes the folder.</summary>
    /// <exception cref="ClusterException">It holds something else.</exception>
    public void Create()
    {
        try
        {
            Directory.CreateDirectory(FullName, OwnerOnly);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new ClusterException($"{FullName} cannot be made: {exception.Message}");
        }

        if (Directory.EnumerateFileSystemEntries(FullName).FirstOrDefault(entry => entry != lockFile && entry != StateFile) is { } other && !File.Exists(StateFile))
            throw new ClusterException($"{FullName} holds {Path.GetFileName(other)}, which is not a cluster's: choose an empty folder with --state.");
    }

    public void CreateSubfolders()
    {
        foreach (var folder in new[] { Files, Logs, Programs })
            Directory.CreateDirectory(folder, OwnerOnly);
    }

    /// <summary>Keeps other commands away until it is disposed of.</summary>
    /// <param name="wait">How long another command may take to finish.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <exception cref="ClusterException">Another command is at work.</exception>
    public async Task<IDisposable> Lock(TimeSpan wait, CancellationToken cancellationToken)
    {
        var since = TimeProvider.System.GetTimestamp();
        while (true)
        {
            try
            {
                return new FileStream(lockFile, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
            }
            catch (DirectoryNotFoundException)
            {
                throw NoCluster();
            }
            catch (IOException) when (TimeProvider.System.GetElapsedTime(since) < wait)
            {
                await Task.Delay(LockPause, TimeProvider.System, cancellationToken);
            }
            catch (IOException)
            {
                throw new ClusterException($"Another command works on the cluster in {FullName}.");
            }
        }
    }

    /// <summary>The state; null when there is no cluster.</summary>
    /// <exception cref="ClusterException">The state file cannot be read.</exception>
    public ClusterState? Find()
    {
        try
        {
            return JsonSerializer.Deserialize<ClusterState>(File.ReadAllBytes(StateFile), Json);
        }
        catch (Exception exception) when (exception is FileNotFoundException or DirectoryNotFoundException)
        {
            return null;
        }
        catch (Exception exception) when (exception is JsonException or IOException or UnauthorizedAccessException)
        {
            throw new ClusterException($"{StateFile} cannot be read: {exception.Message}");
        }
    }

    /// <summary>The state.</summary>
    /// <exception cref="ClusterException">There is no cluster, or its state file cannot be read.</exception>
    public ClusterState Load() => Find() ?? throw NoCluster();

    /// <summary>Replaces the state file, whole or not at all.</summary>
    public void Save(ClusterState state)
    {
        var next = StateFile + ".next";
        using (var file = new FileStream(next, new FileStreamOptions { Mode = FileMode.Create, Access = FileAccess.Write, UnixCreateMode = OwnerReads }))
            JsonSerializer.Serialize(file, state, Json);
        File.Move(next, StateFile, overwrite: true);
    }

    /// <summary>Removes all that a cluster keeps, the state file last but for the lock, and the folder when nothing else is in it.</summary>
    public void Remove()
    {
        foreach (var folder in new[] { Programs, Logs, Files })
        {
            if (Directory.Exists(folder))
                Directory.Delete(folder, recursive: true);
        }

        foreach (var file in new[] { StateFile + ".next", StateFile, lockFile })
            File.Delete(file);
        if (!Directory.EnumerateFileSystemEntries(FullName).Any())
            Directory.Delete(FullName);
    }

    private ClusterException NoCluster() => new($"There is no cluster in {FullName}.");

    private static string Default()
    {
        var states = Environment.GetEnvironmentVariable("XDG_STATE_HOME") is { Length: > 0 } named
            ? named
            : Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".local", "state");
        return Path.Combine(states, "droits-ameli");
    }
}
