using DroitsAmeli.Grains.Configuration;
using DroitsAmeli.Grains.Links;
using DroitsAmeli.Tests.Rules.Callers;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace DroitsAmeli.Tests.Rules.Links;

public sealed class CertificateExpiryTests
{
    [Fact]
    public async Task The_end_is_told_every_hour_of_the_last_fifth_and_not_before()
    {
        // A certificate of 90 days of which 45 are left.
        var time = new FakeTimeProvider(TimeProvider.System.GetUtcNow());
        using var ca = new TestCa(time.GetUtcNow());
        using var files = new TlsFiles(ca.Silo(), ca.Root);
        using var certificates = new ReloadedFile<LinkCertificates>(
            [files.Certificate, files.Key, files.Ca],
            contents => LinkCertificates.Parse(LinkRole.Silo, new TlsSettings(), contents, TimeProvider.System),
            TimeProvider.System,
            new ListLogger());
        var log = new ListLogger<CertificateExpiry>();
        using var expiry = new CertificateExpiry(certificates, time, log);
        await expiry.StartAsync(TestContext.Current.CancellationToken);

        await Pass(time, TimeSpan.FromDays(26));
        Assert.Empty(log.All);

        await Pass(time, TimeSpan.FromDays(2));
        Assert.Single(log.All.Split('\n'));
        for (var minute = 0; minute < 61; minute++)
            await Pass(time, TimeSpan.FromMinutes(1));
        Assert.Equal(2, log.All.Split('\n').Length);

        await expiry.StopAsync(TestContext.Current.CancellationToken);
    }

    // The timer's continuation runs on another thread.
    private static async Task Pass(FakeTimeProvider time, TimeSpan span)
    {
        time.Advance(span);
        await Task.Delay(TimeSpan.FromMilliseconds(20), TimeProvider.System);
    }
}
