namespace DroitsAmeli.Grains.Conventions;

/// <summary>A convention's two windows, counted together: a call needs one of each that has a limit.</summary>
public sealed class Quota
{
    private readonly QuotaLedger minute = new(QuotaWindow.MinuteOf);
    private readonly QuotaLedger day = new(QuotaWindow.DayOf);

    /// <summary>Answers a front end. Nothing is taken of one window while the other is used up: it would only be lost.</summary>
    public QuotaLease Lease(QuotaLeaseRequest request, DateTimeOffset now)
    {
        var minuteLeft = Record(minute, request.Minute, request, now);
        var dayLeft = Record(day, request.Day, request, now);
        var blocked = Blocks(request.Minute, minuteLeft) || Blocks(request.Day, dayLeft);
        return new QuotaLease
        {
            Minute = Answer(minute, request.Minute, minuteLeft, blocked, request, now),
            Day = Answer(day, request.Day, dayLeft, blocked, request, now),
        };
    }

    /// <summary>The state that moves with the grain.</summary>
    public QuotaState Save() => new(minute.Save(), day.Save());

    /// <summary>Takes up the state that came with the grain.</summary>
    public void Restore(QuotaState state)
    {
        minute.Restore(state.Minute);
        day.Restore(state.Day);
    }

    private static int? Record(QuotaLedger ledger, QuotaClaim? claim, QuotaLeaseRequest request, DateTimeOffset now) =>
        claim is null ? null : ledger.Record(claim, request.FrontEnd, request.Sequence, now);

    private static bool Blocks(QuotaClaim? claim, int? left) => claim is { Wanted: > 0 } && left is null or 0;

    private static QuotaGrant? Answer(
        QuotaLedger ledger, QuotaClaim? claim, int? left, bool blocked, QuotaLeaseRequest request, DateTimeOffset now) =>
        claim is null ? null
        : blocked || left is null ? ledger.Status(left ?? 0, now)
        : ledger.Grant(claim.Wanted, left.Value, request.FrontEnd, now);
}

/// <summary>A convention's counters on the move from one silo to another.</summary>
[GenerateSerializer, Immutable, Alias("droits.quota-state")]
public sealed record QuotaState([property: Id(0)] LedgerState Minute, [property: Id(1)] LedgerState Day);
