namespace DroitsAmeli.Api.Callers;

/// <summary>
/// Whether a call is within its convention's quota, and what the <c>RateLimit-*</c> headers say: the tighter of the two windows, the one
/// with fewer calls remaining, and on a tie the one that ends later. Of a disabled convention whose limits cannot be read there is nothing to say.
/// </summary>
public readonly record struct QuotaDecision
{
    /// <summary>A call of a disabled convention whose limits cannot be read.</summary>
    public static QuotaDecision Unlimited { get; } = new() { Allowed = true };

    /// <summary>False: 429 <c>quota_depasse</c>.</summary>
    public required bool Allowed { get; init; }

    /// <summary>Calls per window; null: not known, hence no headers.</summary>
    public int? Limit { get; init; }

    /// <summary>Calls that remain in the window after this one.</summary>
    public int? Remaining { get; init; }

    /// <summary>Whole seconds to the end of the window, at least 1.</summary>
    public int? ResetSeconds { get; init; }

    /// <summary>Set when refused: when all used-up windows have ended, in whole seconds.</summary>
    public TimeSpan? RetryAfter { get; init; }
}
