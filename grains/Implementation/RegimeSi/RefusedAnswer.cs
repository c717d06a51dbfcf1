namespace DroitsAmeli.Grains.RegimeSi;

/// <summary>Why an answer of the régime SI was refused; the label <c>reason</c> of <see cref="Telemetry.SiRefused"/> is its name in snake_case.</summary>
public enum RefusalReason
{
    /// <summary>Not JSON, not UTF-8, too deep, or a property given twice.</summary>
    Unparseable,

    /// <summary>More than 1 MiB, after decompression.</summary>
    TooLarge,

    /// <summary>The connection ended before the body did.</summary>
    Truncated,

    /// <summary>Not HTTP.</summary>
    MalformedHttp,

    /// <summary>A mandatory property is missing or null.</summary>
    MissingPart,

    /// <summary>A value of the wrong type or form.</summary>
    WrongType,

    /// <summary>A value outside the contract's list.</summary>
    UnknownValue,

    /// <summary>Not a date, or a period that ends before it begins.</summary>
    BadDate,

    BadNir,

    /// <summary>Two beneficiaries with one NIR.</summary>
    DuplicateNir,

    WrongFamille,

    WrongNir,

    /// <summary>Older than the version that we know to exist.</summary>
    OlderVersion,

    /// <summary>304 without a question, or for a version that is not the present one.</summary>
    WrongNotModified,

    /// <summary>A status that the call does not have.</summary>
    UnexpectedStatus,
}

/// <summary>Ends the reading of an answer. Carries the reason only, never anything of the answer.</summary>
public sealed class RefusedAnswerException : Exception
{
    public RefusedAnswerException(RefusalReason reason)
        : base($"Answer of the régime SI refused: {reason}.") => Reason = reason;

    public RefusalReason Reason { get; }
}
