namespace DroitsAmeli.Tests.Api;

/// <summary>
/// A clock that starts at a fixed instant and runs at the real pace, so that real HTTP and real time-outs work and yet the day of the call
/// is always the same. It can jump forward while nothing is under way; the timers that fall due meanwhile fire at once.
/// </summary>
public sealed class RunningClock : TimeProvider
{
    /// <summary>10:37 in Paris, on a Monday; not a full hour, so that rounding down to it shows.</summary>
    public static readonly DateTimeOffset Start = new(2026, 11, 23, 9, 37, 0, TimeSpan.Zero);

    private readonly long startedAt = System.GetTimestamp();
    private readonly Lock gate = new();
    private readonly HashSet<JumpingTimer> timers = [];
    private long jumped;

    /// <summary>While set, whoever asks for the time gets this exception.</summary>
    public Exception? Broken { get; set; }

    public DateTimeOffset Now => Start + Elapsed;

    public override long TimestampFrequency => TimeSpan.TicksPerSecond;

    private TimeSpan Elapsed => System.GetElapsedTime(startedAt) + TimeSpan.FromTicks(Interlocked.Read(ref jumped));

    public override DateTimeOffset GetUtcNow() => Broken is { } exception ? throw exception : Now;

    public override long GetTimestamp() => Elapsed.Ticks;

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        var timer = new JumpingTimer(this, callback, state);
        timer.Change(dueTime, period);
        return timer;
    }

    public void Jump(TimeSpan by)
    {
        JumpingTimer[] live;
        lock (gate)
        {
            Interlocked.Add(ref jumped, by.Ticks);
            live = [.. timers];
        }

        foreach (var timer in live)
            timer.Follow();
    }

    /// <summary>Jumps to just after the next full minute, where every quota window of a minute begins.</summary>
    public void JumpToNextMinute() => Jump(TimeSpan.FromSeconds(61 - Now.Second));

    /// <summary>A timer of the system that is set anew when the clock jumps. Held by the clock only while it is armed.</summary>
    private sealed class JumpingTimer : ITimer
    {
        private readonly RunningClock clock;
        private readonly ITimer timer;
        private TimeSpan? dueAt;
        private TimeSpan period;

        public JumpingTimer(RunningClock clock, TimerCallback callback, object? state)
        {
            this.clock = clock;
            timer = System.CreateTimer(
                _ =>
                {
                    Fired();
                    callback(state);
                },
                null,
                Timeout.InfiniteTimeSpan,
                Timeout.InfiniteTimeSpan);
        }

        public bool Change(TimeSpan dueTime, TimeSpan period)
        {
            lock (clock.gate)
            {
                this.period = period;
                Arm(dueTime == Timeout.InfiniteTimeSpan ? null : clock.Elapsed + dueTime);
                return timer.Change(dueTime, period);
            }
        }

        public void Follow()
        {
            lock (clock.gate)
            {
                if (dueAt is { } due)
                    timer.Change(due > clock.Elapsed ? due - clock.Elapsed : TimeSpan.Zero, period);
            }
        }

        public void Dispose()
        {
            lock (clock.gate)
                Arm(null);
            timer.Dispose();
        }

        public ValueTask DisposeAsync()
        {
            lock (clock.gate)
                Arm(null);
            return timer.DisposeAsync();
        }

        private void Fired()
        {
            lock (clock.gate)
                Arm(dueAt is null || period == Timeout.InfiniteTimeSpan || period == TimeSpan.Zero ? null : clock.Elapsed + period);
        }

        private void Arm(TimeSpan? due)
        {
            dueAt = due;
            if (due is null)
                clock.timers.Remove(this);
            else
                clock.timers.Add(this);
        }
    }
}
