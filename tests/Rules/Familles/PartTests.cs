using DroitsAmeli.Grains.Exploitation;
using DroitsAmeli.Grains.Familles;
using DroitsAmeli.Grains.RegimeSi;
using Microsoft.Extensions.Time.Testing;
using Orleans.Runtime;
using Xunit;

namespace DroitsAmeli.Tests.Rules.Familles;

public sealed class PartTests
{
    [Theory]
    [InlineData(true, CacheOutcome.OldCopy)]
    [InlineData(false, CacheOutcome.Hit)]
    public async Task An_old_copy_says_whether_the_si_was_asked(bool asked, CacheOutcome outcome)
    {
        var time = new FakeTimeProvider(new DateTimeOffset(2026, 11, 23, 9, 0, 0, TimeSpan.Zero));
        var answers = new Queue<SiAnswer<string>>(
        [
            new(SiStatus.Ok, "rights", time.GetUtcNow()),
            new(SiStatus.Unavailable, null, time.GetUtcNow(), Asked: asked),
        ]);
        var part = new Part<string>(
            new("droits", (_, _, _) => Task.FromResult(answers.Dequeue()), _ => 1, (_, _) => null),
            new(GrainId.Create("famille", "f-1"), new FreshnessOptions(), time, new Ordres()));
        await part.Read(At(time), null, TestContext.Current.CancellationToken);

        time.Advance(TimeSpan.FromHours(2));
        var read = await part.Read(At(time), null, TestContext.Current.CancellationToken);
        Assert.Equal(("rights", outcome), (read.Copy!.Value, read.Cache!.Outcome));
        Assert.Empty(answers);
    }

    [Fact]
    public async Task A_call_that_is_made_again_does_not_begin_to_wait_for_the_refresh_anew()
    {
        var time = new FakeTimeProvider(new DateTimeOffset(2026, 11, 23, 9, 0, 0, TimeSpan.Zero));
        var hanging = new TaskCompletionSource<SiAnswer<string>>();
        var answers = new Queue<Task<SiAnswer<string>>>([Task.FromResult(new SiAnswer<string>(SiStatus.Ok, "rights", time.GetUtcNow())), hanging.Task]);
        var part = new Part<string>(
            new("droits", (_, _, _) => answers.Dequeue(), _ => 1, (_, _) => null),
            new(GrainId.Create("famille", "f-1"), new FreshnessOptions(), time, new Ordres()));
        await part.Read(At(time), null, TestContext.Current.CancellationToken);
        time.Advance(TimeSpan.FromHours(2));

        for (var tries = 0; tries < 4; tries++)
        {
            using var tried = new CancellationTokenSource();
            var given = part.Read(At(time), null, tried.Token);
            time.Advance(TimeSpan.FromSeconds(0.45));
            await tried.CancelAsync();
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => given);
        }

        var last = part.Read(At(time), null, TestContext.Current.CancellationToken);
        time.Advance(TimeSpan.FromSeconds(0.2));
        var read = await last.WaitAsync(TimeSpan.FromSeconds(10), TestContext.Current.CancellationToken);
        Assert.Equal(("rights", CacheOutcome.Hit), (read.Copy!.Value, read.Cache!.Outcome));
        Assert.Equal("rights", (await part.Read(At(time), null, TestContext.Current.CancellationToken).WaitAsync(TimeSpan.FromSeconds(10), TestContext.Current.CancellationToken)).Copy!.Value);
    }

    [Fact]
    public async Task A_call_that_has_waited_for_another_part_does_not_begin_to_wait_anew()
    {
        var time = new FakeTimeProvider(new DateTimeOffset(2026, 11, 23, 9, 0, 0, TimeSpan.Zero));
        var hanging = new TaskCompletionSource<SiAnswer<string>>();
        var answers = new Queue<Task<SiAnswer<string>>>([Task.FromResult(new SiAnswer<string>(SiStatus.Ok, "rights", time.GetUtcNow())), hanging.Task]);
        var part = new Part<string>(
            new("droits", (_, _, _) => answers.Dequeue(), _ => 1, (_, _) => null),
            new(GrainId.Create("famille", "f-1"), new FreshnessOptions(), time, new Ordres()));
        await part.Read(At(time), null, TestContext.Current.CancellationToken);
        time.Advance(TimeSpan.FromHours(2));

        var call = At(time);
        time.Advance(TimeSpan.FromSeconds(1.5));
        var given = part.Read(call, null, TestContext.Current.CancellationToken);
        Assert.False(given.IsCompleted);
        time.Advance(TimeSpan.FromSeconds(0.5));
        var read = await given.WaitAsync(TimeSpan.FromSeconds(10), TestContext.Current.CancellationToken);
        Assert.Equal(("rights", CacheOutcome.Hit), (read.Copy!.Value, read.Cache!.Outcome));
    }

    [Fact]
    public void An_operator_is_told_where_a_copy_came_from_in_words_of_the_api()
    {
        var time = new FakeTimeProvider();
        Assert.Equal(["si", "stockage", "migration"], Enum.GetValues<CopySource>().Select(SourceOf));

        string SourceOf(CopySource source)
        {
            var part = new Part<string>(
                new("droits", (_, _, _) => throw new InvalidOperationException(), _ => 1, (_, _) => null),
                new(GrainId.Create("famille", "f-1"), new FreshnessOptions(), time, new Ordres()));
            part.Restore(new("rights", 1, 1, time.GetUtcNow(), time.GetUtcNow(), source));
            return part.State()!.Source;
        }
    }

    [Fact]
    public async Task What_the_si_has_refused_is_not_taken_over_from_a_snapshot()
    {
        var time = new FakeTimeProvider(new DateTimeOffset(2026, 11, 23, 9, 0, 0, TimeSpan.Zero));
        var part = new Part<string>(
            new("droits", (_, _, _) => Task.FromResult(new SiAnswer<string>(SiStatus.NotFound, null, time.GetUtcNow())), _ => 1, (_, _) => null),
            new(GrainId.Create("famille", "f-1"), new FreshnessOptions(), time, new Ordres()));
        Assert.Equal(SiStatus.NotFound, (await part.Read(At(time), null, TestContext.Current.CancellationToken)).Status);

        part.Restore(new("rights", 1, 1, time.GetUtcNow().AddMinutes(-1), time.GetUtcNow(), CopySource.Stockage));
        Assert.Null(part.Copy);
    }

    [Fact]
    public async Task A_copy_that_comes_while_the_si_fails_is_shown_to_whoever_waits()
    {
        var time = new FakeTimeProvider(new DateTimeOffset(2026, 11, 23, 9, 0, 0, TimeSpan.Zero));
        var answer = new TaskCompletionSource<SiAnswer<string>>();
        var part = new Part<string>(
            new("droits", (_, _, _) => answer.Task, _ => 1, (_, _) => null),
            new(GrainId.Create("famille", "f-1"), new FreshnessOptions(), time, new Ordres()));
        var read = part.Read(At(time), null, TestContext.Current.CancellationToken);

        part.Restore(new("rights", 1, 1, time.GetUtcNow().AddHours(-2), time.GetUtcNow().AddHours(-1), CopySource.Stockage));
        answer.SetResult(new(SiStatus.Unavailable, null, time.GetUtcNow()));
        Assert.Equal("rights", (await read.WaitAsync(TimeSpan.FromSeconds(10), TestContext.Current.CancellationToken)).Copy?.Value);
    }

    [Theory]
    [InlineData(0, "first")]
    [InlineData(1, "second")]
    public async Task A_copy_given_before_an_instant_is_never_shown_to_a_read_that_needs_a_newer_one(int secondsAfter, string expected)
    {
        var time = new FakeTimeProvider(new DateTimeOffset(2026, 11, 23, 9, 0, 0, TimeSpan.Zero));
        var given = time.GetUtcNow();
        var answers = new Queue<SiAnswer<string>>([new(SiStatus.Ok, "first", given), new(SiStatus.Ok, "second", given.AddMinutes(1))]);
        var part = new Part<string>(
            new("droits", (_, _, _) => Task.FromResult(answers.Dequeue()), _ => 1, (_, _) => null),
            new(GrainId.Create("famille", "f-1"), new FreshnessOptions(), time, new Ordres()));
        await part.Read(At(time), null, TestContext.Current.CancellationToken);

        time.Advance(TimeSpan.FromMinutes(1));
        Assert.Equal(expected, (await part.Read(At(time), given.AddSeconds(secondsAfter), TestContext.Current.CancellationToken)).Copy!.Value);
    }

    [Fact]
    public async Task Copies_that_were_loaded_together_do_not_age_together()
    {
        var time = new FakeTimeProvider(new DateTimeOffset(2026, 11, 23, 9, 0, 0, TimeSpan.Zero));
        var freshFor = new List<TimeSpan>();
        for (var loaded = 0; loaded < 100; loaded++)
        {
            var part = new Part<string>(
                new("droits", (_, _, _) => Task.FromResult(new SiAnswer<string>(SiStatus.Ok, "rights", time.GetUtcNow())), _ => 1, (_, _) => null),
                new(GrainId.Create("famille", "f-1"), new FreshnessOptions(), time, new Ordres()));
            await part.Read(At(time), null, TestContext.Current.CancellationToken);
            freshFor.Add(part.Copy!.FreshUntil - time.GetUtcNow());
        }

        Assert.All(freshFor, span => Assert.InRange(span, TimeSpan.FromMinutes(13.5), TimeSpan.FromMinutes(16.5)));
        Assert.InRange(freshFor.Distinct().Count(), 90, 100);
        Assert.InRange(freshFor.Count(span => span < TimeSpan.FromMinutes(15)), 5, 95);
    }

    [Theory]
    [InlineData(OrdreKind.Quarantine)]
    [InlineData(OrdreKind.Forget)]
    public async Task What_is_asked_after_an_order_is_kept_also_where_the_clock_is_behind_that_of_its_giver(OrdreKind kind)
    {
        var time = new FakeTimeProvider(new DateTimeOffset(2026, 11, 23, 9, 0, 0, TimeSpan.Zero));
        var (ordres, asked) = (new Ordres(), 0);
        var part = new Part<string>(
            new("droits", (_, _, _) => Task.FromResult(new SiAnswer<string>(SiStatus.Ok, $"rights {++asked}", time.GetUtcNow())), _ => 1, (_, _) => null),
            new(GrainId.Create("famille", FamilleKey.Of("A")), new FreshnessOptions(), time, ordres));
        await part.Read(At(time), null, TestContext.Current.CancellationToken);
        var theirs = time.GetUtcNow().AddSeconds(3);
        ordres.Add(kind is OrdreKind.Forget ? OperatorOrdres.Forget("A", theirs) : OperatorOrdres.Quarantine(theirs.AddHours(-1), theirs));

        for (var reads = 0; reads < 5; reads++)
        {
            time.Advance(TimeSpan.FromSeconds(0.1));
            Assert.Equal("rights 2", (await part.Read(At(time), null, TestContext.Current.CancellationToken)).Copy?.Value);
        }
    }

    [Fact]
    public async Task What_was_asked_before_an_order_is_forgotten_by_it()
    {
        var time = new FakeTimeProvider(new DateTimeOffset(2026, 11, 23, 9, 0, 0, TimeSpan.Zero));
        var (ordres, first, asked) = (new Ordres(), new TaskCompletionSource(), 0);
        var part = new Part<string>(
            new("droits", async (_, _, _) =>
            {
                var call = ++asked;
                if (call == 1)
                    await first.Task;
                return new SiAnswer<string>(SiStatus.Ok, $"rights {call}", time.GetUtcNow());
            }, _ => 1, (_, _) => null),
            new(GrainId.Create("famille", FamilleKey.Of("A")), new FreshnessOptions(), time, ordres));
        var read = part.Read(At(time), null, TestContext.Current.CancellationToken);
        await SpinUntil(() => Volatile.Read(ref asked) == 1);
        ordres.Add(OperatorOrdres.Quarantine(time.GetUtcNow().AddHours(-1), time.GetUtcNow().AddSeconds(3)));
        first.SetResult();

        Assert.Equal("rights 2", (await read).Copy?.Value);
    }

    private static async Task SpinUntil(Func<bool> condition)
    {
        while (!condition())
        {
            TestContext.Current.CancellationToken.ThrowIfCancellationRequested();
            await Task.Yield();
        }
    }

    private static Reader At(TimeProvider time) => new(TimeSpan.FromHours(24), SiPriority.Present, time.GetTimestamp());
}
