namespace DroitsAmeli.Tests.Chaos;

public sealed class ScheduleTests
{
    private static readonly TimeSpan Calm = TimeSpan.FromSeconds(15);
    private static readonly TimeSpan Distance = TimeSpan.FromSeconds(40);

    [Fact]
    public void The_same_seed_gives_the_same_schedule_and_another_seed_another()
    {
        var duration = TimeSpan.FromHours(1);
        Assert.Equal(Schedule.Of(1, Calm, Distance, duration), Schedule.Of(1, Calm, Distance, duration));
        Assert.NotEqual(Schedule.Of(1, Calm, Distance, duration), Schedule.Of(2, Calm, Distance, duration));
    }

    [Fact]
    public void Everything_comes_once_before_anything_comes_again_and_the_end_is_calm()
    {
        var duration = TimeSpan.FromHours(1);
        var planned = Schedule.Of(1, Calm, Distance, duration);
        var kinds = Enum.GetValues<Disturbance>();
        Assert.All(planned.Chunk(kinds.Length), round => Assert.Equal(round.Length, round.Select(one => one.Kind).Distinct().Count()));
        Assert.True(planned.Count > kinds.Length);
        Assert.True(planned[^1].At + Distance + Calm <= duration);
    }

    [Fact]
    public void Every_kind_of_disturbance_comes_within_the_hour()
    {
        var planned = Schedule.Of(8, Calm, TimeSpan.FromSeconds(75), TimeSpan.FromHours(1));
        Assert.Equal(Enum.GetValues<Disturbance>(), planned.Select(one => one.Kind).Distinct().Order());
    }
}
