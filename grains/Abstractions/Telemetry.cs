using System.Diagnostics.Metrics;

namespace DroitsAmeli.Grains;

/// <summary>The one Meter of the product. Labels are codes and kinds, never a person's, a family's or a partner's data.</summary>
public static class Telemetry
{
    public const string MeterName = "DroitsAmeli";

    private static readonly Meter Meter = new(MeterName);

    /// <summary>Parts answered, by <c>part</c> (composition, droits, identite, jeton) and <c>outcome</c> (<see cref="Familles.CacheOutcome"/>).</summary>
    public static Counter<long> CacheReads { get; } = Meter.CreateCounter<long>("droits.cache.reads");

    /// <summary>Calls that reached the régime SI, by <c>call</c> and <c>status</c>.</summary>
    public static Counter<long> SiCalls { get; } = Meter.CreateCounter<long>("droits.si.calls");

    /// <summary>Answers of the régime SI that were refused, by <c>reason</c>.</summary>
    public static Counter<long> SiRefused { get; } = Meter.CreateCounter<long>("droits.si.refused");

    /// <summary>Calls to the régime SI that got no slot, by <c>reason</c> (too_many, too_late, no_keeper, token_ended).</summary>
    public static Counter<long> SiNotAsked { get; } = Meter.CreateCounter<long>("droits.si.not_asked");

    /// <summary>Calls to an upstream that were tried again, by <c>upstream</c>.</summary>
    public static Counter<long> Retries { get; } = Meter.CreateCounter<long>("droits.upstream.retries");

    /// <summary>Properties in the régime SI's answers that nobody knows.</summary>
    public static Counter<long> SiUnknownProperties { get; } = Meter.CreateCounter<long>("droits.si.unknown_properties");

    /// <summary>checktoken calls, by <c>outcome</c>.</summary>
    public static Counter<long> Checktokens { get; } = Meter.CreateCounter<long>("droits.franceconnect.checktokens");

    /// <summary>
    /// Reads of stored snapshots, by <c>outcome</c>: found, not_stored, failed, timed_out, circuit_open, refused (with <c>reason</c>).
    /// </summary>
    public static Counter<long> StorageReads { get; } = Meter.CreateCounter<long>("droits.storage.reads");

    /// <summary>
    /// Writes of snapshots, by <c>outcome</c>: written, merged, unchanged, forgotten, conflicted, failed (tried again), dropped, expired, newer_kept,
    /// not_encoded (too large).
    /// </summary>
    public static Counter<long> StorageWrites { get; } = Meter.CreateCounter<long>("droits.storage.writes");

    /// <summary>Families and identities of which something waits to be written, or is being written.</summary>
    public static UpDownCounter<long> StoragePending { get; } = Meter.CreateUpDownCounter<long>("droits.storage.pending");

    /// <summary>Rows deleted because they may not be served any more.</summary>
    public static Counter<long> StoragePurged { get; } = Meter.CreateCounter<long>("droits.storage.purged");

    /// <summary>
    /// Connections under TLS that were not taken, by <c>side</c> (Accepts, Connects), <c>peer</c> (Silo, FrontEnd) and <c>reason</c> (Handshake,
    /// Timeout, NoCertificate, UnknownIssuer, Expired, Certificate, WrongName).
    /// </summary>
    public static Counter<long> LinksRefused { get; } = Meter.CreateCounter<long>("droits.links.refused");

    /// <summary>Seconds until the certificate of <c>Cluster:Tls:CertificateFile</c> ends.</summary>
    public static Gauge<double> LinkCertificateLeft { get; } = Meter.CreateGauge<double>("droits.links.certificate_left", "s");

    /// <summary>What an operator must look at now, by <c>alarm</c>.</summary>
    public static Counter<long> Alarms { get; } = Meter.CreateCounter<long>("droits.alarms");

    /// <summary>Answers of the API, by <c>status</c> and <c>code</c>.</summary>
    public static Counter<long> Answers { get; } = Meter.CreateCounter<long>("droits.api.answers");

    /// <summary>Calls that a front end refused because the cluster could not keep up with those it had let in.</summary>
    public static Counter<long> Refused { get; } = Meter.CreateCounter<long>("droits.api.refused");

    /// <summary>Events read from the régime SI's change feed, each as often as it was read.</summary>
    public static Counter<long> Evenements { get; } = Meter.CreateCounter<long>("droits.evenements.read");

    /// <summary>
    /// Times that events were missed and many families made stale instead, by <c>reason</c>: gone (the SI no longer knew the cursor), refused (it
    /// went on giving a page that cannot be read), lost (the cursor was), silo_behind, store_behind (too many were waiting for it).
    /// </summary>
    public static Counter<long> EvenementsResets { get; } = Meter.CreateCounter<long>("droits.evenements.resets");

    /// <summary>Announcements that have to be repeated, by <c>target</c> (silo, store).</summary>
    public static Counter<long> EvenementsRetries { get; } = Meter.CreateCounter<long>("droits.evenements.retries");

    /// <summary>Recent events that a silo forgot early because they were too many.</summary>
    public static Counter<long> EvenementsForgotten { get; } = Meter.CreateCounter<long>("droits.evenements.forgotten");

    /// <summary>Seconds since the feed last answered, on the silo that follows it.</summary>
    public static Gauge<double> EvenementsLag { get; } = Meter.CreateGauge<double>("droits.evenements.lag", "s");

    /// <summary>Seconds for which the cursor has waited for a silo or the database, on the silo that follows the feed.</summary>
    public static Gauge<double> EvenementsHeldBack { get; } = Meter.CreateGauge<double>("droits.evenements.held_back", "s");
}
