using System.Globalization;

namespace DroitsAmeli.Grains.RegimeSi;

/// <summary>The durations by which slots are asked for, lent and waited for. They stand together because each fits the others.</summary>
internal static class SlotTiming
{
    /// <summary>The longest that an answer of the keeper's is waited for.</summary>
    internal const string RenewalTimeout = "00:00:01";

    /// <summary>The longest that a new keeper waits for what the silos say they hold.</summary>
    internal const string ReportTimeout = "00:00:01";

    /// <inheritdoc cref="RenewalTimeout"/>
    internal static readonly TimeSpan MaxRenewal = TimeSpan.Parse(RenewalTimeout, CultureInfo.InvariantCulture);

    /// <summary>The longest that a new keeper waits for the membership table, to learn which silos there are to be asked.</summary>
    internal static readonly TimeSpan MaxMembership = TimeSpan.FromSeconds(1);

    /// <summary>The longest that a new keeper takes before it lends: calls wait for it.</summary>
    internal static readonly TimeSpan MaxRecovery = MaxMembership + TimeSpan.Parse(ReportTimeout, CultureInfo.InvariantCulture);

    /// <summary>A lease is renewed while calls may still begin for as long as the answer may take: a slow keeper stops none.</summary>
    internal static readonly TimeSpan RenewBeforeEnd = MaxRenewal;

    /// <summary>For how long calls may begin on a lease: the second until it is renewed, and while that is answered.</summary>
    internal static readonly TimeSpan CallsBegin = TimeSpan.FromSeconds(1) + RenewBeforeEnd;

    /// <summary>How often a silo asks again that lacks slots.</summary>
    internal static readonly TimeSpan Poll = TimeSpan.FromMilliseconds(50);

    /// <summary>A silo that has not asked again for so long lacks none any more, or is gone: no slot is kept for it.</summary>
    internal static readonly TimeSpan StillAsks = 5 * Poll;

    /// <summary>A keeper at work answers much sooner than that. Whoever waits to begin knows before giving up whether the keeper is silent.</summary>
    internal static readonly TimeSpan AnswersWithin = TimeSpan.FromMilliseconds(250);

    /// <summary>The longest that a visit waits to begin: who is refused is told within the second.</summary>
    internal static readonly TimeSpan MaxFirstWait = TimeSpan.FromMilliseconds(600);

    /// <summary>The longest that any other call waits for a slot; after that nobody would wait for its answer.</summary>
    internal static readonly TimeSpan MaxWait = TimeSpan.FromSeconds(2);

    /// <summary>
    /// The longest that a call waits while the keeper does not answer: its silo has died, and another is found within some 3 s. Nothing says
    /// meanwhile that the slots are scarce, as long as no more calls wait than the SI serves at once; under a flood those who wait would be ever
    /// more, and the keeper may be late because of it.
    /// </summary>
    internal static readonly TimeSpan MaxWaitForKeeper = TimeSpan.FromSeconds(4);
}
