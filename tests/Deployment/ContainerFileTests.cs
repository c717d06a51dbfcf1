using System.Text.RegularExpressions;
using DroitsAmeli.Tests.Storage;

namespace DroitsAmeli.Tests.Deployment;

public sealed partial class ContainerFileTests
{
    internal const int User = 1654;

    public static TheoryData<string, string, string> Files => new()
    {
        { "silo", "DroitsAmeli.Silo", "11111 30000 8090" },
        { "api", "DroitsAmeli.Api", "8080" },
    };

    [Theory]
    [MemberData(nameof(Files))]
    public void Two_stages_pinned_by_version_and_no_root_in_the_last(string role, string program, string ports)
    {
        var lines = Read(role);
        var stages = lines.Where(line => line.StartsWith("FROM ", StringComparison.Ordinal)).ToList();
        Assert.Equal(2, stages.Count);
        Assert.All(stages, stage => Assert.Matches(PinnedImage(), stage));

        var last = lines.Skip(lines.LastIndexOf(stages[1])).ToList();
        Assert.DoesNotContain(last, line => line.StartsWith("RUN ", StringComparison.Ordinal) || line.StartsWith("ADD ", StringComparison.Ordinal));
        Assert.Contains("COPY --from=build /app ./", last);
        Assert.Contains($"USER {User}:{User}", last);
        Assert.Contains($"EXPOSE {ports}", last);
        Assert.Contains(last, line => line.StartsWith("HEALTHCHECK ", StringComparison.Ordinal) && line.EndsWith($"CMD [\"dotnet\", \"{program}.dll\", \"health\"]", StringComparison.Ordinal));
        Assert.Equal($"ENTRYPOINT [\"dotnet\", \"{program}.dll\"]", last[^1]);
    }

    [Theory]
    [MemberData(nameof(Files))]
    public void Only_settings_that_exist_and_no_secret(string role, string program, string ports)
    {
        _ = (program, ports);
        var lines = Read(role);
        Assert.DoesNotContain(lines, line => line.StartsWith("ARG ", StringComparison.Ordinal));
        var variables = Assert.Single(lines, line => line.StartsWith("ENV ", StringComparison.Ordinal))[4..].Split(' ', StringSplitOptions.RemoveEmptyEntries);
        foreach (var variable in variables)
        {
            KnownSettings.AssertKnown(variable.Split('=')[0]);
            Assert.DoesNotMatch("(?i)secret|password|key|connection", variable);
        }
    }

    [Theory]
    [MemberData(nameof(Files))]
    public void What_is_copied_is_in_the_tree_and_let_through_and_all_that_the_project_needs(string role, string program, string ports)
    {
        _ = ports;
        var copied = Read(role).Where(line => line.StartsWith("COPY ", StringComparison.Ordinal) && !line.Contains("--from", StringComparison.Ordinal))
            .SelectMany(line => line.Split(' ')[1..^1])
            .ToHashSet(StringComparer.Ordinal);
        Assert.All(copied, path => Assert.True(Path.Exists(Path.Combine(Repository.Root, path)), path));

        // "*" keeps everything out, and "!" lets in again.
        var ignore = File.ReadAllLines(Path.Combine(Repository.Root, ".dockerignore"));
        Assert.Equal("*", ignore[0]);
        Assert.Contains("**/obj", ignore);
        Assert.All(copied, path => Assert.Contains(ignore, rule => rule.StartsWith('!') && (path + "/").StartsWith(rule[1..] + "/", StringComparison.Ordinal)));

        var projects = new Queue<string>([$"{role}/{program}.csproj"]);
        while (projects.TryDequeue(out var project))
        {
            Assert.Contains(project, copied);
            Assert.Contains(Path.Combine(Path.GetDirectoryName(project)!, "packages.lock.json"), copied);
            Assert.Contains(copied, path => project.StartsWith(path + "/", StringComparison.Ordinal));
            foreach (var included in Include().Matches(File.ReadAllText(Path.Combine(Repository.Root, project))).Select(match => match.Groups[1].Value))
            {
                var path = Path.GetRelativePath(Repository.Root, Path.GetFullPath(Path.Combine(Repository.Root, Path.GetDirectoryName(project)!, included)));
                if (path.EndsWith(".csproj", StringComparison.Ordinal))
                    projects.Enqueue(path);
                else
                    Assert.Contains(copied, folder => path.StartsWith(folder + "/", StringComparison.Ordinal));
            }
        }
    }

    private static List<string> Read(string role) =>
    [
        .. ContinuedLine().Replace(File.ReadAllText(Path.Combine(Repository.Root, "deploy", "containers", $"{role}.Containerfile")), " ")
            .Split('\n', StringSplitOptions.RemoveEmptyEntries)
            .Where(line => !line.StartsWith('#')),
    ];

    [GeneratedRegex(@"^FROM [a-z./]+/[a-z/]+:[0-9]+\.[0-9]+\.[0-9]+-[a-z-]+( AS [a-z]+)?$")]
    private static partial Regex PinnedImage();

    [GeneratedRegex(" *\\\\\n *")]
    private static partial Regex ContinuedLine();

    [GeneratedRegex("Include=\"([^\"]*/[^\"]*)\"")]
    private static partial Regex Include();
}
