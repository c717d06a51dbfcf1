using DroitsAmeli.Grains.Configuration;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace DroitsAmeli.Grains.Links;

/// <summary>
/// Tells how long the certificate of this process is still good, and raises an alarm once an hour while less than a fifth of its time is left:
/// when it ends, links that are up stay, and no new one comes up.
/// </summary>
internal sealed partial class CertificateExpiry(ReloadedFile<LinkCertificates> certificates, TimeProvider time, ILogger<CertificateExpiry> logger)
    : BackgroundService
{
    private const double Late = 0.2;
    private static readonly TimeSpan Period = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan AlarmPeriod = TimeSpan.FromHours(1);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        long? alarmed = null;
        using var timer = new PeriodicTimer(Period, time);
        do
        {
            var (from, to) = certificates.Current.Validity;
            var left = to - time.GetUtcNow();
            Telemetry.LinkCertificateLeft.Record(left.TotalSeconds);
            if (left < (to - from) * Late && (alarmed is not { } last || time.GetElapsedTime(last) >= AlarmPeriod))
            {
                alarmed = time.GetTimestamp();
                Telemetry.Alarms.Add(1, new KeyValuePair<string, object?>("alarm", "link_certificate"));
                LogEnds(to);
            }
        }
        while (await timer.WaitForNextTickAsync(stoppingToken));
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "The certificate of Cluster:Tls:CertificateFile ends at {End}. See that it is replaced before: the file is read again when it changes.")]
    private partial void LogEnds(DateTimeOffset end);
}
