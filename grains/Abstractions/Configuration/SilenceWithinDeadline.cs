using System.Globalization;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Options;

namespace DroitsAmeli.Grains.Configuration;

/// <summary>
/// A silo that stands still is declared dead, and the calls to its families are made again, before the deadline of the front ends: settings
/// with which they would all run out of time are refused. Each process checks those that it is told, and takes the others for their defaults.
/// </summary>
internal sealed class SilenceWithinDeadline : IValidateOptions<ClusterSettings>
{
    // From the death of a silo until a call to one of its families is answered elsewhere: the longest try that met it (1.2 s), the longest pause
    // before the next (0.4 s), and what a front end keeps to write its answer (0.25 s).
    private const double CalledAgainSeconds = 1.85;

    // Also that of front ends whose setting is not told here.
    private const double LongestDeadlineSeconds = 8;

    // The one that comes after the silence, and the one that another silo makes.
    private const int ProbesAfterSilence = 2;

    private const string FrontEnds = "Api";
    private const string Deadline = FrontEnds + ":DeadlineSeconds";

    private readonly double deadlineSeconds;

    public SilenceWithinDeadline(IConfiguration configuration) =>
        deadlineSeconds = Settings.Read<Told>(configuration, FrontEnds).DeadlineSeconds;

    public ValidateOptionsResult Validate(string? name, ClusterSettings options)
    {
        // In seconds, since the settings may be no times at all: that is told by their own checks.
        var (silence, probe) = (options.SilenceSeconds, options.ProbeMilliseconds / 1000.0);
        var answered = silence + ProbesAfterSilence * probe + CalledAgainSeconds;
        return options.Mode is ClusterMode.Postgres && answered > deadlineSeconds + 1e-9
            ? ValidateOptionsResult.Fail(string.Create(
                CultureInfo.InvariantCulture,
                $"Cluster:SilenceSeconds ({silence}) does not fit {Deadline} ({deadlineSeconds}): with {ProbesAfterSilence} probes of Cluster:ProbeMilliseconds "
                + $"({options.ProbeMilliseconds}) and {CalledAgainSeconds} s to call again, calls to a silo that stands still are answered after {answered:0.##} s. "
                + $"Lower Cluster:SilenceSeconds or Cluster:ProbeMilliseconds, or raise {Deadline} ({LongestDeadlineSeconds} at most), on silos and front ends alike."))
            : ValidateOptionsResult.Success;
    }

    private sealed class Told
    {
        public double DeadlineSeconds { get; set; } = LongestDeadlineSeconds;
    }
}
