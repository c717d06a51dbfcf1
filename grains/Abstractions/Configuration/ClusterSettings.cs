using System.ComponentModel.DataAnnotations;
using System.Net;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace DroitsAmeli.Grains.Configuration;

/// <summary>How silos find each other, <c>Cluster:Mode</c>.</summary>
public enum ClusterMode
{
    /// <summary>One silo on this machine, in memory.</summary>
    Localhost,

    /// <summary>Any number of silos, whose membership stands in a PostgreSQL database.</summary>
    Postgres,
}

/// <summary>What remembers on which silo a grain is, <c>Cluster:Directory</c>.</summary>
public enum ClusterDirectory
{
    /// <summary>The distributed directory: a silo that is lost takes its own grains with it, and no others.</summary>
    Distributed,

    /// <summary>The runtime's default: a silo that is lost makes most grains of the others cold too.</summary>
    Default,
}

/// <summary>Settings of <c>Cluster:*</c>, the same for silos and front ends.</summary>
public sealed class ClusterSettings : IValidatableObject
{
    public const string Section = "Cluster";

    /// <summary>How many probes in a row a silo misses before another votes it dead.</summary>
    public const int MissedProbes = 2;

    [EnumDataType(typeof(ClusterMode))]
    public ClusterMode Mode { get; set; } = ClusterMode.Localhost;

    /// <summary>Npgsql connection string of the membership; required in mode postgres.</summary>
    public string? ConnectionString { get; set; }

    [Required, MaxLength(150)]
    public string ClusterId { get; set; } = "droits";

    [Required, MaxLength(150)]
    public string ServiceId { get; set; } = "droits-ameli";

    /// <summary>The IP address at which the other silos and the front ends reach this silo, in mode postgres.</summary>
    public string AdvertisedIPAddress { get; set; } = "127.0.0.1";

    /// <summary>What this silo is called in the membership and the logs; a new name each time when it is not set. Never the same for two that live.</summary>
    [MaxLength(150)]
    public string? InstanceName { get; set; }

    /// <summary>TCP port between silos.</summary>
    [Range(1, 65535)]
    public int SiloPort { get; set; } = 11111;

    /// <summary>TCP port from front ends to a silo.</summary>
    [Range(1, 65535)]
    public int GatewayPort { get; set; } = 30000;

    [EnumDataType(typeof(ClusterDirectory))]
    public ClusterDirectory Directory { get; set; } = ClusterDirectory.Distributed;

    /// <summary>How often, in seconds, silos even out their grains after one has come; 0: never.</summary>
    [Range(0, 3600)]
    public int RebalanceSeconds { get; set; } = 15;

    /// <summary>
    /// How often, in milliseconds, each silo asks the others whether they live. It adapts to how fast they answer, from half of that on: a silo
    /// whose connections are closed is declared dead within two of them.
    /// </summary>
    [Range(100, 5000, ErrorMessage = "Cluster:ProbeMilliseconds must be between 100 and 5000.")]
    public int ProbeMilliseconds { get; set; } = 500;

    /// <summary>
    /// For how long, in seconds, a silo whose connections stand may say nothing on any of them before the others declare it dead; up to another
    /// second passes until the next probe has missed. Measured: frozen silos were replaced after 3.8 to 4.5 s, and calls to their families took 6 s
    /// at most; with 6 s of silence they ran out of their 8 s. A shorter one ends silos that merely pause, 3 s for instance.
    /// </summary>
    [Range(1.0, 60.0, ErrorMessage = "Cluster:SilenceSeconds must be between 1 and 60.")]
    public double SilenceSeconds { get; set; } = 3.5;

    /// <summary>
    /// How often, in seconds, a front end reads the list of gateways. One that is killed closes its connections and is left at once; one that is
    /// frozen does not, and is sent calls until the list lacks it. The runtime's own minute is longer than any call may take.
    /// </summary>
    [Range(0.5, 60.0, ErrorMessage = "Cluster:GatewayRefreshSeconds must be between 0.5 and 60.")]
    public double GatewayRefreshSeconds { get; set; } = 1;

    /// <summary>
    /// How long, in seconds, front ends have, after they were told that a silo goes, to send their calls elsewhere before it stops to take
    /// them. By default they have none, and calls in flight are lost with it.
    /// </summary>
    [Range(0.0, 5.0, ErrorMessage = "Cluster:GatewayNoticeSeconds must be between 0 and 5.")]
    public double GatewayNoticeSeconds { get; set; } = 2;

    /// <summary>
    /// How long, in seconds, a silo that is told to stop may take: its grains move to the others first, 20,000 of them in about 4 s; a silo
    /// with a million takes minutes. Whoever stops it must wait for longer: Kubernetes' grace period and systemd's time-out are 150 s.
    /// </summary>
    [Range(10, 3600)]
    public int StopSeconds { get; set; } = 120;

    /// <summary>The time between two probes, and the first limit of each.</summary>
    public TimeSpan Probe => TimeSpan.FromMilliseconds(ProbeMilliseconds);

    /// <summary>The longest limit of a probe. The runtime waits for so many of them, in silence, as may be missed.</summary>
    public TimeSpan LongestProbe => TimeSpan.FromSeconds(SilenceSeconds) / MissedProbes;

    /// <summary>Where a front end finds the silo in mode localhost.</summary>
    public IPEndPoint Gateway => new(IPAddress.Loopback, GatewayPort);

    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        if (LongestProbe < Probe)
            yield return new("Cluster:SilenceSeconds must be at least two probes of Cluster:ProbeMilliseconds.", [nameof(SilenceSeconds)]);
        if (Mode is not ClusterMode.Postgres)
            yield break;
        if (!PostgresConnectionString.IsAcceptable(ConnectionString))
            yield return new("Cluster:ConnectionString must be the connection string of a PostgreSQL database in mode postgres.", [nameof(ConnectionString)]);
        if (!IPAddress.TryParse(AdvertisedIPAddress, out _))
            yield return new("Cluster:AdvertisedIPAddress must be an IP address.", [nameof(AdvertisedIPAddress)]);
    }
}

/// <summary>Registers <see cref="ClusterSettings"/>.</summary>
public static class ClusterSettingsRegistration
{
    /// <summary>Binds <c>Cluster:*</c>, checked when the process starts: by itself, and against the deadline of front ends.</summary>
    /// <exception cref="OptionsValidationException">A value cannot be of its setting's type.</exception>
    public static void AddClusterSettings(this IServiceCollection services, IConfiguration configuration)
    {
        services.AddSettings<ClusterSettings>(configuration, ClusterSettings.Section);
        services.AddSingleton<IValidateOptions<ClusterSettings>>(new SilenceWithinDeadline(configuration));
    }
}
