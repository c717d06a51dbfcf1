using System.Security.Cryptography;
using Microsoft.Extensions.Logging;

namespace DroitsAmeli.Grains.Configuration;

/// <summary>
/// A configuration file, or several that belong together, read again while the process runs. A change is told by the content, looked at once a second, so that
/// atomic renames, symlink swaps and equal time stamps are all seen; a file that is broken, half written or gone never replaces what
/// is in force.
/// </summary>
/// <typeparam name="T">What the file is parsed into; immutable.</typeparam>
public sealed partial class ReloadedFile<T> : IDisposable
    where T : class
{
    private static readonly TimeSpan Period = TimeSpan.FromSeconds(1);

    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(1);

    private readonly string[] paths;
    private readonly string path;
    private readonly Func<IReadOnlyList<byte[]>, T> parse;
    private readonly TimeProvider time;
    private readonly ILogger logger;
    private readonly ITimer timer;
    private readonly Lock polling = new();
    private string acceptedContent;
    private string? suspectedProblem;
    private string? reportedProblem;
    private long reportedAt;
    private volatile T current;

    /// <summary>Reads the file, and starts to watch it.</summary>
    /// <param name="path">The file; a relative path is relative to the working directory.</param>
    /// <param name="parse">Throws <see cref="FormatException"/> whose message says what is wrong, and quotes no secret.</param>
    /// <param name="time">Paces the looks.</param>
    /// <param name="logger">Is told, once per bad content, that a file was refused.</param>
    /// <exception cref="SettingException">The file cannot be read or parsed; the message names it and what is wrong.</exception>
    public ReloadedFile(string path, Func<byte[], T> parse, TimeProvider time, ILogger logger)
        : this([path], contents => parse(contents[0]), time, logger)
    {
    }

    /// <summary>Reads files that belong together, and starts to watch them: they are in force together, or what was in force stays.</summary>
    /// <param name="paths">The files; a relative path is relative to the working directory.</param>
    /// <param name="parse">Takes their contents in that order, and throws as above. What is refused may be good later: it is asked again every minute.</param>
    /// <param name="time">Paces the looks.</param>
    /// <param name="logger">Is told, once per bad content, that the files were refused.</param>
    /// <exception cref="SettingException">They cannot be read or parsed; the message names them and what is wrong.</exception>
    public ReloadedFile(IReadOnlyList<string> paths, Func<IReadOnlyList<byte[]>, T> parse, TimeProvider time, ILogger logger)
    {
        this.paths = [.. paths.Select(Path.GetFullPath)];
        path = string.Join(", ", this.paths);
        this.parse = parse;
        this.time = time;
        this.logger = logger;

        try
        {
            var content = ReadAll();
            acceptedContent = Fingerprint(content);
            current = parse(content);
        }
        catch (Exception exception) when (exception is FormatException or IOException or UnauthorizedAccessException)
        {
            throw new SettingException($"{path} cannot be used: {exception.Message}", exception);
        }

        timer = time.CreateTimer(_ => Look(), null, Period, Period);
    }

    /// <summary>Raised after <see cref="Current"/> was replaced, with the new value.</summary>
    public event Action<T>? Changed;

    /// <summary>The last good content.</summary>
    public T Current => current;

    /// <summary>Stops watching; <see cref="Current"/> stays.</summary>
    public void Dispose() => timer.Dispose();

    private void Look()
    {
        if (!polling.TryEnter())
            return;
        try
        {
            Reload();
        }
        finally
        {
            polling.Exit();
        }
    }

    private void Reload()
    {
        string fingerprint;
        T replacement;
        try
        {
            var content = ReadAll();
            fingerprint = Fingerprint(content);
            if (fingerprint == acceptedContent)
            {
                suspectedProblem = reportedProblem = null;
                return;
            }

            if (fingerprint == reportedProblem && time.GetElapsedTime(reportedAt) < Patience)
                return;

            try
            {
                replacement = parse(content);
            }
            catch (Exception exception)
            {
                Suspect(fingerprint, exception is FormatException ? exception.Message : exception.GetType().Name);
                return;
            }
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            Suspect(exception.GetType().Name, exception.GetType().Name);
            return;
        }

        acceptedContent = fingerprint;
        suspectedProblem = reportedProblem = null;
        current = replacement;
        LogReloaded(path);
        Announce(replacement);
    }

    // A file in the middle of being written looks broken once; only what looks the same twice is a fault.
    private void Suspect(string problem, string reason)
    {
        if (problem == reportedProblem)
        {
            reportedAt = time.GetTimestamp();
            return;
        }

        if (problem != suspectedProblem)
        {
            suspectedProblem = problem;
            return;
        }

        reportedProblem = problem;
        reportedAt = time.GetTimestamp();
        Telemetry.Alarms.Add(1, new KeyValuePair<string, object?>("alarm", "configuration_file"));
        LogRefused(path, reason);
    }

    private void Announce(T value)
    {
        try
        {
            Changed?.Invoke(value);
        }
        catch (Exception exception)
        {
            LogHandlerFailed(path, exception.GetType().Name);
        }
    }

    private List<byte[]> ReadAll() => [.. paths.Select(File.ReadAllBytes)];

    private static string Fingerprint(List<byte[]> contents) => string.Concat(contents.Select(content => Convert.ToHexString(SHA256.HashData(content))));

    [LoggerMessage(Level = LogLevel.Information, Message = "{Path} changed and is in force.")]
    private partial void LogReloaded(string path);

    [LoggerMessage(Level = LogLevel.Error, Message = "{Path} is refused, what was in force stays. See to the file, which is read again when it changes: {Reason}")]
    private partial void LogRefused(string path, string reason);

    [LoggerMessage(Level = LogLevel.Error, Message = "{Path} changed, but who uses it failed to follow: {Reason}. Restart this process, and report it to who maintains this program.")]
    private partial void LogHandlerFailed(string path, string reason);
}
