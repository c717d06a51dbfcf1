using System.Text;
using DroitsAmeli.Grains.Configuration;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace DroitsAmeli.Tests.Rules.Callers;

public sealed class ReloadedFileTests : IDisposable
{
    private readonly DirectoryInfo folder = Directory.CreateTempSubdirectory("reloaded");
    private readonly FakeTimeProvider time = new();
    private readonly ListLogger logger = new();

    private string Path => System.IO.Path.Combine(folder.FullName, "file");

    public void Dispose() => folder.Delete(recursive: true);

    [Fact]
    public void Stops_the_process_at_start_with_the_path_and_the_fault()
    {
        var missing = Assert.Throws<SettingException>(Open);
        Assert.Contains(Path, missing.Message, StringComparison.Ordinal);

        File.WriteAllText(Path, "bad");
        var broken = Assert.Throws<SettingException>(Open);
        Assert.Contains(Path, broken.Message, StringComparison.Ordinal);
        Assert.Contains("starts with bad", broken.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Sees_a_change_of_equal_length_and_time_within_a_second()
    {
        using var file = OpenWith("one");
        var stamp = File.GetLastWriteTimeUtc(Path);
        string? announced = null;
        file.Changed += value => announced = value;

        File.WriteAllText(Path, "two");
        File.SetLastWriteTimeUtc(Path, stamp);
        Look();

        Assert.Equal("two", file.Current);
        Assert.Equal("two", announced);
    }

    [Fact]
    public void Sees_an_atomic_rename_and_a_symlink_swap()
    {
        File.WriteAllText(Path + ".1", "one");
        File.WriteAllText(Path + ".2", "two");
        File.CreateSymbolicLink(Path, Path + ".1");
        using var file = Open();

        File.CreateSymbolicLink(Path + ".link", Path + ".2");
        File.Move(Path + ".link", Path, overwrite: true);
        Look();
        Assert.Equal("two", file.Current);

        File.WriteAllText(Path + ".new", "three");
        File.Move(Path + ".new", Path, overwrite: true);
        Look();
        Assert.Equal("three", file.Current);
    }

    [Fact]
    public void Keeps_the_old_value_and_reports_a_bad_content_once()
    {
        using var file = OpenWith("one");
        File.WriteAllText(Path, "bad 1");
        for (var look = 0; look < 5; look++)
            Look();
        Assert.Equal("one", file.Current);
        Assert.Single(logger.Errors);

        File.WriteAllText(Path, "bad 2");
        for (var look = 0; look < 5; look++)
            Look();
        Assert.Equal(2, logger.Errors.Count);

        File.WriteAllText(Path, "two");
        Look();
        Assert.Equal("two", file.Current);
    }

    [Fact]
    public void A_file_that_was_half_written_is_no_fault()
    {
        using var file = OpenWith("one");
        File.WriteAllText(Path, "bad");
        Look();
        File.WriteAllText(Path, "good");
        Look();
        Assert.Equal("good", file.Current);
        Assert.Empty(logger.Errors);
    }

    [Fact]
    public void Keeps_the_old_value_when_the_file_vanishes_and_takes_it_up_again()
    {
        using var file = OpenWith("one");
        File.Delete(Path);
        for (var look = 0; look < 3; look++)
            Look();
        Assert.Equal("one", file.Current);
        Assert.Single(logger.Errors);

        File.WriteAllText(Path, "two");
        Look();
        Assert.Equal("two", file.Current);
    }

    [Fact]
    public void A_parser_that_fails_otherwise_and_a_follower_that_fails_do_no_harm()
    {
        using var file = OpenWith("one");
        file.Changed += _ => throw new InvalidOperationException();
        File.WriteAllText(Path, "bug");
        Look();
        Look();
        Assert.Equal("one", file.Current);
        File.WriteAllText(Path, "two");
        Look();
        Assert.Equal("two", file.Current);
        Assert.Equal(2, logger.Errors.Count);
    }

    [Fact]
    public void Files_that_belong_together_are_in_force_together_or_not_at_all()
    {
        File.WriteAllText(Path, "one");
        File.WriteAllText(Path + ".2", "one");
        using var files = new ReloadedFile<string>([Path, Path + ".2"], Same, time, logger);

        File.WriteAllText(Path, "two");
        Look();
        Assert.Equal("one", files.Current);
        Assert.Empty(logger.Errors);

        File.WriteAllText(Path + ".2", "two");
        Look();
        Assert.Equal("two", files.Current);

        File.Delete(Path + ".2");
        Look();
        Look();
        Assert.Equal("two", files.Current);
        Assert.Contains(Path + ".2", Assert.Single(logger.Errors), StringComparison.Ordinal);

        static string Same(IReadOnlyList<byte[]> contents) =>
            Parse(contents[0]) == Parse(contents[1]) ? Parse(contents[0]) : throw new FormatException("they differ.");
    }

    [Fact]
    public void What_is_refused_today_may_be_good_later()
    {
        var good = time.GetUtcNow() + TimeSpan.FromMinutes(5);
        File.WriteAllText(Path, "one");
        using var file = new ReloadedFile<string>(Path, Late, time, logger);
        File.WriteAllText(Path, "two");
        for (var look = 0; look < 240; look++)
            Look();
        Assert.Equal("one", file.Current);
        Assert.Single(logger.Errors);

        for (var look = 0; look < 130; look++)
            Look();
        Assert.Equal("two", file.Current);
        Assert.Single(logger.Errors);

        string Late(byte[] content) =>
            Parse(content) is "two" && time.GetUtcNow() < good ? throw new FormatException("it is not good yet.") : Parse(content);
    }

    [Fact]
    public void Stops_looking_once_disposed()
    {
        var file = OpenWith("one");
        file.Dispose();
        File.WriteAllText(Path, "two");
        Look();
        Assert.Equal("one", file.Current);
    }

    private static string Parse(byte[] content) => Encoding.UTF8.GetString(content) switch
    {
        ['b', 'a', 'd', ..] => throw new FormatException("it starts with bad."),
        "bug" => throw new NotSupportedException(),
        var text => text,
    };

    private ReloadedFile<string> Open() => new(Path, Parse, time, logger);

    private ReloadedFile<string> OpenWith(string content)
    {
        File.WriteAllText(Path, content);
        return Open();
    }

    private void Look() => time.Advance(TimeSpan.FromSeconds(1));
}

/// <summary>Keeps what was logged.</summary>
internal sealed class ListLogger<T> : ListLogger, ILogger<T>;

/// <summary>Keeps what was logged.</summary>
internal class ListLogger : ILogger
{
    private readonly List<(LogLevel Level, string Text)> lines = [];

    public IReadOnlyList<string> Errors => [.. Lines.Where(line => line.Level >= LogLevel.Error).Select(line => line.Text)];

    public string All => string.Join('\n', Lines.Select(line => line.Text));

    private (LogLevel Level, string Text)[] Lines
    {
        get
        {
            lock (lines)
                return [.. lines];
        }
    }

    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => null;

    public bool IsEnabled(LogLevel logLevel) => true;

    public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
    {
        lock (lines)
            lines.Add((logLevel, formatter(state, exception)));
    }
}
