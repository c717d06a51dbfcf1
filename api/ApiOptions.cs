using System.ComponentModel.DataAnnotations;

namespace DroitsAmeli.Api;

/// <summary>Settings of <c>Api:*</c>.</summary>
public sealed class ApiOptions
{
    public const string Section = "Api";

    /// <summary>What stands before <c>/v1</c>, for instance <c>/test</c>; empty: nothing.</summary>
    [RegularExpression(@"^(/[A-Za-z0-9._~-]+)*$", ErrorMessage = "Api:PathPrefix must be empty, or path segments such as /test, without a slash at its end.")]
    public string PathPrefix { get; set; } = "";

    /// <summary>Seconds within which every call ends.</summary>
    [Range(1.0, 8.0, ErrorMessage = "Api:DeadlineSeconds must be between 1 and 8.")]
    public double DeadlineSeconds { get; set; } = 8;

    /// <summary>Seconds for which a front end that is told to stop goes on serving, while it says that it is not ready.</summary>
    [Range(0.0, 60.0, ErrorMessage = "Api:DrainSeconds must be between 0 and 60.")]
    public double DrainSeconds { get; set; } = 2;

    /// <summary>Calls that a front end lets into the cluster at once; fewer while the cluster cannot keep up.</summary>
    [Range(64, 100_000, ErrorMessage = "Api:MaxConcurrentCalls must be between 64 and 100000.")]
    public int MaxConcurrentCalls { get; set; } = 2000;
}
