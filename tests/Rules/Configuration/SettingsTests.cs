using System.ComponentModel.DataAnnotations;
using System.Reflection;
using DroitsAmeli.Api;
using DroitsAmeli.Api.Droits;
using DroitsAmeli.Grains.Configuration;
using DroitsAmeli.Grains.Familles;
using DroitsAmeli.Grains.RegimeSi;
using DroitsAmeli.Silo;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Orleans.Configuration;
using Xunit;

namespace DroitsAmeli.Tests.Rules.Configuration;

public sealed class SettingsTests
{
    [Theory]
    [InlineData("Admin:Urls", "")]
    [InlineData("Admin:Urls", "zz")]
    [InlineData("Admin:KeysSha256", "zz")]
    [InlineData("Cluster:Mode", "pigeon")]
    [InlineData("Cluster:ClusterId", " ")]
    [InlineData("Cluster:SiloPort", "0")]
    [InlineData("Cluster:GatewayPort", "70000")]
    [InlineData("Cluster:GatewayPort", "many")]
    [InlineData("Cluster:ProbeMilliseconds", "20")]
    [InlineData("Cluster:ProbeMilliseconds", "4000")]
    [InlineData("Cluster:SilenceSeconds", "NaN")]
    [InlineData("Cluster:SilenceSeconds", "0.5")]
    [InlineData("Cluster:GatewayNoticeSeconds", "NaN")]
    [InlineData("Cluster:StopSeconds", "9")]
    [InlineData("Cluster:Tls:CertificateFile", "/nowhere/tls.crt")]
    [InlineData("Cluster:Tls:CertificatFile", "/nowhere/tls.crt")]
    [InlineData("Cluster:Tls:SiloName", "*.droits.internal")]
    [InlineData("Cluster:Tls:FrontEndName", "front_end")]
    [InlineData("Cluster:Tls:HandshakeSeconds", "NaN")]
    [InlineData("Evenements:WaitSeconds", "0")]
    [InlineData("Evenements:StaleSpreadMinutes", "NaN")]
    [InlineData("Famille:AutresMajeurs", "7")]
    [InlineData("FranceConnect:TimeoutSeconds", "NaN")]
    [InlineData("Freshness:FreshMinutes", "0")]
    [InlineData("Freshness:BehindMinutes", "5000")]
    [InlineData("Freshness:RefreshWaitSeconds", "NaN")]
    [InlineData("Freshness:RefreshWaitSeconds", "8.4")]
    [InlineData("Freshness:MaximumHours", "73")]
    [InlineData("Freshness:NegativeMinutes", "-1")]
    [InlineData("Identities:HmacKeyFile", "")]
    [InlineData("RegimeSi:Maintenance", "nuit")]
    [InlineData("RegimeSi:Maintenance", "02:00-03:00,")]
    [InlineData("RegimeSi:TimeoutSeconds", "soon")]
    [InlineData("Storage:ReadTimeoutSeconds", "NaN")]
    [InlineData("Storage:WriteDelaySeconds", "1e300")]
    public async Task A_silo_names_a_wrong_setting_in_full(string setting, string value) =>
        Assert.Contains(setting, await ToldBySilo((setting, value)), StringComparison.Ordinal);

    [Theory]
    [InlineData("urls", "")]
    [InlineData("urls", ";")]
    [InlineData("urls", "zz")]
    [InlineData("urls", "http://127.0.0.1:8080;zz")]
    [InlineData("urls", "http://127.0.0.1:99999")]
    [InlineData("urls", "http://127.0.0.1:8080/api")]
    [InlineData("urls", "ftp://127.0.0.1:8080")]
    [InlineData("Api:DeadlineSeconds", "NaN")]
    [InlineData("Api:DeadlineSeconds", "0.6")]
    [InlineData("Api:DeadlineSeconds", "8.4")]
    [InlineData("Api:DeadlineSeconds", "1e300")]
    [InlineData("Api:DrainSeconds", "-1")]
    [InlineData("Api:DrainSeconds", "NaN")]
    [InlineData("Api:PathPrefix", "test/")]
    [InlineData("Cluster:GatewayPort", "70000")]
    [InlineData("Cluster:GatewayRefreshSeconds", "0")]
    [InlineData("Cluster:ServiceId", "")]
    [InlineData("Cluster:Tls:CertificateFile", "/nowhere/tls.crt")]
    [InlineData("Conventions:File", "")]
    [InlineData("FranceConnect:MinimumAcr", "7")]
    [InlineData("Regimes:Heberges", "CNMSS (08),")]
    public async Task A_front_end_names_a_wrong_setting_in_full(string setting, string value) =>
        Assert.Contains(setting, await ToldByApi((setting, value)), StringComparison.Ordinal);

    [Fact]
    public async Task Mutual_TLS_is_complete_or_refused()
    {
        Assert.DoesNotContain("Cluster:Tls", await ToldBySilo(), StringComparison.Ordinal);
        Assert.DoesNotContain("Cluster:Tls", await ToldBySilo(("Cluster:Tls:CertificateFile", "")), StringComparison.Ordinal);

        foreach (var told in new[] { await ToldBySilo(("Cluster:Tls:HandshakeSeconds", "2")), await ToldByApi(("Cluster:Tls:HandshakeSeconds", "2")) })
        {
            foreach (var missing in new[] { "Cluster:Tls:CertificateFile", "Cluster:Tls:KeyFile", "Cluster:Tls:CaFile" })
                Assert.Contains(missing, told, StringComparison.Ordinal);
        }

        Assert.Contains(
            "Cluster:Tls:SiloName and Cluster:Tls:FrontEndName must differ",
            await ToldBySilo(
                ("Cluster:Tls:CertificateFile", "a"), ("Cluster:Tls:KeyFile", "b"), ("Cluster:Tls:CaFile", "c"), ("Cluster:Tls:SiloName", "one"), ("Cluster:Tls:FrontEndName", "ONE")),
            StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("6", "500", "8", "8.85")]
    [InlineData("3.5", "1500", "8", "8.35")]
    [InlineData("3.5", "500", "6", "6.35")]
    public async Task A_silence_that_outlasts_the_deadline_of_front_ends_is_refused_on_both_sides(string silence, string probe, string deadline, string answered)
    {
        (string, string)[] settings =
        [
            ("Cluster:Mode", "postgres"), ("Cluster:SilenceSeconds", silence), ("Cluster:ProbeMilliseconds", probe), ("Api:DeadlineSeconds", deadline),
        ];
        foreach (var told in new[] { await ToldBySilo(settings), await ToldByApi(settings) })
        {
            Assert.Contains($"Cluster:SilenceSeconds ({silence}) does not fit Api:DeadlineSeconds ({deadline}): ", told, StringComparison.Ordinal);
            Assert.Contains($"Cluster:ProbeMilliseconds ({probe}) and 1.85 s to call again, calls to a silo that stands still are answered after {answered} s. ", told, StringComparison.Ordinal);
            Assert.Contains("Lower Cluster:SilenceSeconds or Cluster:ProbeMilliseconds, or raise Api:DeadlineSeconds (8 at most)", told, StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData("postgres", "3.5", "500", "6.5")]
    [InlineData("postgres", "5.15", "500", "8")]
    [InlineData("localhost", "3.5", "500", "1")]
    public async Task A_silence_that_ends_before_the_deadline_and_a_silo_that_nobody_could_replace_are_not_complained_of(
        string mode, string silence, string probe, string deadline)
    {
        (string, string)[] settings =
        [
            ("Cluster:Mode", mode), ("Cluster:SilenceSeconds", silence), ("Cluster:ProbeMilliseconds", probe), ("Api:DeadlineSeconds", deadline),
        ];
        foreach (var told in new[] { await ToldBySilo(settings), await ToldByApi(settings) })
            Assert.DoesNotContain("Cluster:SilenceSeconds", told, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_silo_and_a_front_end_stop_and_look_for_gateways_as_they_are_told()
    {
        (string, string)[] settings = [("Cluster:Mode", "postgres"), ("Cluster:ConnectionString", "Host=database.example;Database=droits")];
        await using var silo = Built(builder => builder.AddSilo(), [.. settings, ("Cluster:StopSeconds", "300"), ("Cluster:GatewayNoticeSeconds", "1.5")]);
        await using var api = Built(builder => builder.AddApi(), [.. settings, ("Cluster:GatewayRefreshSeconds", "2.5")]);

        Assert.Equal(TimeSpan.FromSeconds(300), silo.Services.GetRequiredService<IOptions<HostOptions>>().Value.ShutdownTimeout);
        Assert.Equal(TimeSpan.FromSeconds(1.5), silo.Services.GetRequiredService<IOptions<SiloMessagingOptions>>().Value.ClientGatewayShutdownNotificationTimeout);
        Assert.Equal(TimeSpan.FromSeconds(2.5), api.Services.GetRequiredService<IOptions<GatewayOptions>>().Value.GatewayListRefreshPeriod);
    }

    [Fact]
    public async Task A_process_takes_what_it_is_not_told_for_the_default()
    {
        Assert.Contains("does not fit Api:DeadlineSeconds (8)", await ToldBySilo(("Cluster:Mode", "postgres"), ("Cluster:SilenceSeconds", "6")), StringComparison.Ordinal);
        Assert.Contains("Cluster:SilenceSeconds (3.5) does not fit", await ToldByApi(("Cluster:Mode", "postgres"), ("Api:DeadlineSeconds", "5")), StringComparison.Ordinal);
        Assert.DoesNotContain("does not fit", await ToldBySilo(("Cluster:Mode", "postgres")), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Addresses_that_can_be_listened_at_are_not_complained_of()
    {
        foreach (var addresses in new[] { "http://127.0.0.1:0", "http://*:8080;https://[::1]:8443", "http://localhost" })
            Assert.DoesNotContain("urls", await ToldByApi(("urls", addresses)), StringComparison.Ordinal);
    }

    [Fact]
    public void A_list_is_an_array_or_one_text_with_commas()
    {
        foreach (var given in new[]
        {
            Configuration(("RegimeSi:Maintenance", "02:00-03:30, 12:00-12:15"), ("RegimeSi:BaseUrl", "https://si.example"), ("Regimes:Heberges", "CNMSS (08), CAMIEG")),
            Configuration(
                ("RegimeSi:BaseUrl", "https://si.example"), ("RegimeSi:Maintenance:0", "02:00-03:30"), ("RegimeSi:Maintenance:1", "12:00-12:15"), ("Regimes:Heberges:0", "CNMSS (08)"), ("Regimes:Heberges:1", "CAMIEG")),
        })
        {
            using var provider = new ServiceCollection().AddRegimeSi(given).AddDroits(given).BuildServiceProvider();
            Assert.Equal(["02:00-03:30", "12:00-12:15"], provider.GetRequiredService<IOptions<RegimeSiOptions>>().Value.Maintenance);
            Assert.Equal(["CNMSS (08)", "CAMIEG"], provider.GetRequiredService<IOptions<RegimesOptions>>().Value.Heberges);
        }
    }

    [Fact]
    public async Task A_list_in_both_forms_is_refused() => Assert.Contains(
        "RegimeSi:Maintenance is given twice",
        await ToldBySilo(("RegimeSi:Maintenance", "02:00-03:30"), ("RegimeSi:Maintenance:0", "12:00-12:15")),
        StringComparison.Ordinal);

    [Fact]
    public void The_range_of_a_fraction_is_one_of_fractions()
    {
        var ranges = new[] { typeof(ApiOptions), typeof(FreshnessOptions) }.SelectMany(type => type.Assembly.GetTypes())
            .SelectMany(type => type.GetProperties())
            .Where(property => property.PropertyType == typeof(double))
            .Select(property => property.GetCustomAttribute<RangeAttribute>())
            .OfType<RangeAttribute>()
            .ToList();

        Assert.NotEmpty(ranges);
        Assert.All(ranges, range => Assert.Equal(typeof(double), range.OperandType));
    }

    [Fact]
    public void A_fault_of_the_code_is_not_told_as_one_of_a_setting()
    {
        Assert.Null(StartFailure.Describe(new InvalidOperationException("Sequence contains no elements.")));
        Assert.Equal("Conventions:File is wrong.", StartFailure.Describe(new SettingException("Conventions:File is wrong.")));
    }

    [Fact]
    public async Task What_the_server_refuses_of_its_addresses_is_told()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.Configuration["urls"] = "http://localhost:0";
        await using var app = builder.Build();

        var refusal = await Assert.ThrowsAsync<InvalidOperationException>(() => app.StartAsync(TestContext.Current.CancellationToken));

        Assert.Contains("urls", StartFailure.Describe(refusal), StringComparison.Ordinal);
    }

    private static Task<string> ToldBySilo(params (string Name, string Value)[] settings) => Told(builder => builder.AddSilo(), settings);

    private static Task<string> ToldByApi(params (string Name, string Value)[] settings) => Told(builder => builder.AddApi(), settings);

    private static WebApplication Built(Action<WebApplicationBuilder> add, (string Name, string Value)[] settings)
    {
        var builder = WebApplication.CreateSlimBuilder();
        foreach (var (name, value) in settings)
            builder.Configuration[name] = value;
        add(builder);
        return builder.Build();
    }

    private static async Task<string> Told(Action<WebApplicationBuilder> add, (string Name, string Value)[] settings)
    {
        try
        {
            await using var app = Built(add, settings);
            StartFailure.Validate(app);
            return "";
        }
        catch (Exception exception) when (StartFailure.Describe(exception) is not null)
        {
            return StartFailure.Describe(exception)!;
        }
    }

    private static IConfiguration Configuration(params (string Name, string Value)[] settings) =>
        new ConfigurationBuilder().AddInMemoryCollection(settings.ToDictionary(setting => setting.Name, setting => (string?)setting.Value)).Build();
}
