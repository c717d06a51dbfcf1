using CsCheck;
using DroitsAmeli.Grains.Evenements;
using Xunit;

namespace DroitsAmeli.Tests.Rules.Evenements;

public sealed class FeedProgressTests
{
    [Fact]
    public void The_cursor_does_not_pass_what_is_still_to_be_done()
    {
        var progress = new FeedProgress();
        var first = progress.Begin("c1");
        var second = progress.Begin("c2");
        var third = progress.Begin("c3");

        Assert.Null(progress.Advance(first));
        Assert.Equal("c1", progress.Advance(second));
        Assert.Null(progress.Advance(second));
        Assert.Equal("c2", progress.Advance(third));
        Assert.Equal("c3", progress.Advance(long.MaxValue));
        Assert.Null(progress.Advance(long.MaxValue));
    }

    [Fact]
    public void After_going_back_only_what_is_read_from_then_on_counts()
    {
        var progress = new FeedProgress();
        progress.Begin("c8");
        progress.Begin("c9");
        progress.Rewind();
        Assert.Null(progress.Advance(long.MaxValue));

        progress.Begin("c3");

        Assert.Equal("c3", progress.Advance(long.MaxValue));
    }

    [Fact]
    public void In_whatever_order_batches_end_the_cursor_is_that_of_the_batch_before_the_first_open_one() =>
        Gen.Shuffle(new[] { 1, 2, 3, 4, 5, 6, 7, 8 }).Sample(order =>
        {
            var progress = new FeedProgress();
            var open = new SortedSet<long>(order.Select(n => (long)n));
            for (var n = 1; n <= order.Length; n++)
                Assert.Equal(n, progress.Begin($"c{n}"));

            var reached = "c0";
            foreach (var ended in order)
            {
                open.Remove(ended);
                reached = progress.Advance(open.Count > 0 ? open.Min : long.MaxValue) ?? reached;
                Assert.Equal($"c{(open.Count > 0 ? open.Min - 1 : 8)}", reached);
            }
        });
}
