namespace DroitsAmeli.Grains.RegimeSi;

/// <summary>What the régime SI said, or why it said nothing usable.</summary>
public enum SiStatus
{
    Ok,

    /// <summary>304: the version that we hold is still the present one.</summary>
    Unchanged,

    NotFound,

    /// <summary>The family is closed.</summary>
    Gone,

    /// <summary>Several persons match the identity.</summary>
    Ambiguous,

    /// <summary>The person is known to a régime that the SI does not host.</summary>
    NotHosted,

    /// <summary>Closed, refusing, unreachable, overloaded, behind an open circuit, or giving an answer that had to be refused.</summary>
    Unavailable,

    TooSlow,
}

/// <summary>An answer of the régime SI. No call throws for what the SI does; only the caller's cancellation throws.</summary>
/// <param name="Status">What was said.</param>
/// <param name="Value">Set when the status is Ok.</param>
/// <param name="ReceivedAt">The instant the answer was complete.</param>
/// <param name="RetryAfter">When the SI, its maintenance windows or the circuit say that asking again makes sense.</param>
/// <param name="Asked">False when the call was not made: closed, or no slot came free.</param>
public sealed record SiAnswer<T>(SiStatus Status, T? Value, DateTimeOffset ReceivedAt, TimeSpan? RetryAfter = null, bool Asked = true)
    where T : class;
