using DroitsAmeli.Load.Capacity;
using Xunit;

namespace DroitsAmeli.Tests.Rules.Capacity;

public sealed class CapacityGuideTests
{
    private const string NotMeasured = "**Not measured yet**";

    [Fact]
    public async Task The_operators_guide_shows_what_the_program_prints()
    {
        var repository = Repository();
        var guide = await File.ReadAllTextAsync(Path.Combine(repository, "deploy", "CAPACITY.md"), TestContext.Current.CancellationToken);
        var isMeasured = File.Exists(MeasuredCosts.FileOf(repository));
        Assert.NotEqual(isMeasured, guide.Contains(NotMeasured, StringComparison.Ordinal));
        if (!isMeasured)
        {
            Assert.Equal(guide.ReplaceLineEndings(""), CapacityGuide.Refresh(guide, _ => "").ReplaceLineEndings(""));
            return;
        }

        var costs = MeasuredCosts.Read(MeasuredCosts.FileOf(repository));
        var asked = new List<string>();
        var refreshed = CapacityGuide.Refresh(guide, question =>
        {
            asked.Add(question[0]);
            return CapacityQuestions.Answer(question, costs);
        });

        Assert.Contains(CapacityQuestions.Measured, asked);
        Assert.Contains(CapacityQuestions.Plan, asked);
        Assert.True(refreshed == guide, $"Write its figures anew: {CapacityGuide.Command[2..]}--guide deploy/CAPACITY.md");
    }

    [Fact]
    public void Only_blocks_with_a_command_are_written_anew()
    {
        const string other = "```text\nkept\n```\n";
        Assert.Equal(
            $"{other}```text\n{CapacityGuide.Command}--plan --cold 1\nplan, cold 1\n```\n{other}",
            CapacityGuide.Refresh($"{other}```text\n{CapacityGuide.Command}--plan --cold 1\nold\n\nfigures\n```\n{other}", question => $"plan, cold {question[^1]}"));
    }

    [Fact]
    public void Deviations_and_the_ratio_of_T15_are_shown_where_more_than_two_silos_were_measured()
    {
        var costs = World.Measured(1, 2, 3, 4);
        var silent = CapacityText.Of(World.Measured(1, 2));
        var text = CapacityText.Of(costs with { Clusters = [.. costs.Clusters.Select(Dearer)] });

        Assert.DoesNotContain("predicted", silent, StringComparison.Ordinal);
        Assert.DoesNotContain("T15", silent, StringComparison.Ordinal);
        Assert.DoesNotContain("predicted", CapacityText.Of(World.Measured(3)), StringComparison.Ordinal);
        Assert.Matches(@"\n +3  silos, CPU ms per warm visit +1\.2667 +1\.2667 +\+0\.0%", text);
        Assert.Matches(@"\n +4  silos, CPU ms per warm visit +1\.3000 +2\.6000 +-50\.0%", text);
        Assert.Matches(@"\n +4  all, cores at rest +0\.1150 +0\.1150 +\+0\.0%", text);
        Assert.Contains("T15: what a warm visit adds, 4 silos : 1 = 1.516", text, StringComparison.Ordinal);

        static ClusterCosts Dearer(ClusterCosts cluster) =>
            cluster.Silos == 4 ? cluster with { Silo = cluster.Silo with { WarmVisitMs = 2 * cluster.Silo.WarmVisitMs } } : cluster;
    }

    [Theory]
    [InlineData("--plan", "--visits", "3")]
    [InlineData("--plan", "--cold")]
    [InlineData("--plan", "--cold", "much")]
    [InlineData("--plan", "--cold", "0.1", "--cold", "0.2")]
    [InlineData("--measured", "--cold", "1")]
    [InlineData]
    public void Refuses_what_is_no_question(params string[] question) =>
        Assert.Throws<ArgumentException>(() => CapacityQuestions.Answer(question, World.Measured(1, 2)));

    private static string Repository()
    {
        var at = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(at.FullName, "DroitsAmeli.Orleans.sln")))
            at = at.Parent!;
        return at.FullName;
    }
}
