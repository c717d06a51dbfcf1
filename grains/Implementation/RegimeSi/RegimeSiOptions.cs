using System.ComponentModel.DataAnnotations;
using DroitsAmeli.Grains.Configuration;
using Microsoft.Extensions.Options;

namespace DroitsAmeli.Grains.RegimeSi;

/// <summary>The settings of the section <c>RegimeSi</c>.</summary>
public sealed class RegimeSiOptions
{
    public const string Section = "RegimeSi";

    internal const string MaintenanceSetting = $"{Section}:{nameof(Maintenance)}";

    /// <summary>Where the SI is: absolute, https, or http on a loopback host.</summary>
    [Required(ErrorMessage = "RegimeSi:BaseUrl is missing.")]
    public string BaseUrl { get; set; } = "";

    /// <summary>Sent as a bearer; null or empty when the SI wants none.</summary>
    public string? ApiKey { get; set; }

    /// <summary>Seconds for one call, a second try included.</summary>
    [Range(1, 30, ErrorMessage = "RegimeSi:TimeoutSeconds must lie between 1 and 30.")]
    public int TimeoutSeconds { get; set; } = 4;

    /// <summary>Calls at once, for the whole cluster.</summary>
    [Range(1, 10_000, ErrorMessage = "RegimeSi:MaxConcurrentCalls must lie between 1 and 10000.")]
    public int MaxConcurrentCalls { get; set; } = 32;

    /// <summary>Planned closings, see <see cref="MaintenanceWindows"/>; an array, or one text with commas.</summary>
    public IReadOnlyList<string> Maintenance { get; set; } = [];

    internal TimeSpan Timeout => TimeSpan.FromSeconds(TimeoutSeconds);

    /// <summary>
    /// How long a call that we end ourselves (too slow, too large) still counts as one: our connection is torn down at once, but the SI, and
    /// whatever stands before it, must hear of it and find a thread for it. A round trip takes milliseconds; the rest is for a server that is
    /// short of CPU, as one is whose calls are too slow. An SI that hangs is tried no later for it: it is left alone for longer than that.
    /// </summary>
    internal static readonly TimeSpan HangUp = TimeSpan.FromSeconds(1);

    /// <summary>The longest that a call counts as one.</summary>
    internal TimeSpan LongestCall => Timeout + HangUp;

    /// <summary>How long slots are lent: a call that begins with the last instant allowed still ends before.</summary>
    internal TimeSpan Lease => LongestCall + SlotTiming.CallsBegin;
}

/// <summary>What attributes cannot say. Messages name the setting, and never show the key.</summary>
public sealed class RegimeSiOptionsValidator : IValidateOptions<RegimeSiOptions>
{
    /// <inheritdoc/>
    public ValidateOptionsResult Validate(string? name, RegimeSiOptions options)
    {
        var failures = new List<string>();
        if (!string.IsNullOrEmpty(options.BaseUrl) && !UpstreamAddress.IsAcceptable(options.BaseUrl))
            failures.Add($"RegimeSi:BaseUrl {UpstreamAddress.Rule}");
        if (options.ApiKey.AsSpan().ContainsAnyExceptInRange('!', '~'))
            failures.Add("RegimeSi:ApiKey must be printable ASCII without spaces, or left out.");
        if (!MaintenanceWindows.TryParse(options.Maintenance, out _))
            failures.Add($"{RegimeSiOptions.MaintenanceSetting} must be an array of HH:mm-HH:mm, or one text with commas between them, each with two different times.");
        return failures.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(failures);
    }
}
